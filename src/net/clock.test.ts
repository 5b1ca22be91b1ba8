import { describe, expect, it } from 'vitest';
import { bootTime_us, SleepMeter, toBootTime_us } from './clock.js';

describe('the clock that counts sleep', () => {
  it('is the time since the boot, and goes on like the monotonic one', () => {
    const first = bootTime_us();
    expect(bootTime_us()).toBeGreaterThanOrEqual(first);
    const in_1_s = toBootTime_us(process.hrtime.bigint() + 1_000_000_000n);
    expect(Math.abs(in_1_s - bootTime_us() - 1e6)).toBeLessThan(0.9e6);
  });

  it('tells how long the host was suspended', () => {
    const now = { monotonic_ms: 1000, boot_ms: 5000 };
    const meter = new SleepMeter({ monotonic_ms: () => now.monotonic_ms, boot_us: () => now.boot_ms * 1000 });
    const pass = (awake_ms: number, asleep_ms: number): number => {
      now.monotonic_ms += awake_ms;
      now.boot_ms += awake_ms + asleep_ms;
      return meter.slept_ms();
    };
    expect(pass(100, 0)).toBe(0);
    expect(pass(100, 1)).toBe(0);
    expect(pass(10, 3_600_000)).toBe(3_600_000);
    expect(pass(100, 0)).toBe(0);
  });

  it('says nothing when it was interrupted between the clocks, and makes up for it the next time', () => {
    let monotonic = 0;
    let boot = 0;
    let stall = 0;
    const meter = new SleepMeter({
      monotonic_ms: () => {
        monotonic += stall;
        boot += stall;
        return monotonic;
      },
      boot_us: () => boot * 1000,
    });
    stall = 50;
    expect(meter.slept_ms()).toBe(0);
    stall = 0;
    boot += 500;
    expect(meter.slept_ms()).toBe(500);
  });
});
