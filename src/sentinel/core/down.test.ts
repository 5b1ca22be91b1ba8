import { describe, expect, it } from 'vitest';
import { SentinelDriver } from '../../../test/support/sentinel-driver.js';
import { ErrorReply } from '../../redis/reply.js';

/** How long after its last answer a silent master is found down. */
function noticedAfter_ms(downAfter_ms: number, phase_ms: number): number {
  const driver = new SentinelDriver({ downAfter_ms });
  driver.advance(5_000 + phase_ms);
  driver.fake(1).state = 'silent';
  const silentAt = driver.now;
  for (let ms = 0; ms < 10_000 && !driver.eventTypes().includes('+sdown'); ms++) driver.advance(1);
  return driver.now - silentAt;
}

describe('SDOWN', () => {
  const phases = [0, 137, 333, 900, 1_500, 1_999];
  it.each([
    [1_000, 200],
    [300, 60],
    [100, 20],
  ])('of a silent master comes within down-after %d ms and one ping period of %d ms', (downAfter_ms, ping_ms) => {
    for (const phase_ms of phases) {
      const took_ms = noticedAfter_ms(downAfter_ms, phase_ms);
      expect(took_ms).toBeGreaterThanOrEqual(downAfter_ms);
      // Two deadlines, each rounded up to the core's grain of 5 ms.
      expect(took_ms).toBeLessThanOrEqual(downAfter_ms + ping_ms + 11);
    }
  });

  it('says in the log what went wrong last', () => {
    const driver = new SentinelDriver();
    driver.advance(5_000);
    driver.fake(1).pong = new ErrorReply('NOAUTH Authentication required.');
    driver.advance(2_000);
    expect(driver.logs.join('\n')).toMatch(
      /The Redis is down for us: no valid reply for 1\d{3} ms \(NOAUTH Authentication required\.\)/,
    );
  });
});
