import { describe, expect, it } from 'vitest';
import { MY_ID, SentinelDriver } from '../../../test/support/sentinel-driver.js';
import { START_JITTER_MS, START_LATE_MS, START_RANK_STEP_MAX_MS, START_RANK_STEP_MS } from './timing.js';

const ELDER = '0'.repeat(40);
const OTHER = 'c'.repeat(40);

/** The master is down by agreement; `slow_ms`: how long the answers of the first of us take. */
function agreed({ slow_ms = 0, peers = [ELDER, OTHER] } = {}): SentinelDriver {
  const sentinels = peers.map((runId, index) => ({ host: '10.0.0.2', port: 11 + index, runId }));
  const driver = new SentinelDriver({ sentinels });
  driver.peersAgree();
  driver.advance(5_000);
  driver.kill(1);
  while (driver.group.start === null) {
    for (const { runId, link } of driver.group.sentinels.values()) if (runId === ELDER) link.roundTrip_ms = slow_ms;
    driver.advance(1);
  }
  return driver;
}

const startIn = (driver: SentinelDriver) => (driver.group.start?.at ?? 0) - driver.now;
const stands = (driver: SentinelDriver) => driver.eventTypes().filter((type) => type === '+try-failover').length;

describe('a candidate', () => {
  it('stands at once when it is the first by its id, else after those before it', () => {
    expect(startIn(agreed({ peers: ['b'.repeat(40), OTHER] }))).toBeLessThan(START_JITTER_MS);
    const second = startIn(agreed());
    expect(second).toBeGreaterThan(START_RANK_STEP_MS - 2);
    expect(second).toBeLessThan(START_RANK_STEP_MS + START_JITTER_MS);
  });

  it('leaves more time to those before it when one of them is slow to answer, within a limit', () => {
    expect(startIn(agreed({ slow_ms: 50 }))).toBeGreaterThan(95);
    expect(startIn(agreed({ slow_ms: 5_000 }))).toBeLessThanOrEqual(START_RANK_STEP_MAX_MS + START_JITTER_MS);
  });

  it('that was not running when its turn came reads first what has come, and votes for whoever stands', () => {
    const driver = agreed();
    driver.now += startIn(driver) + START_LATE_MS + 1;
    driver.input({ on: 'tick' });
    expect(stands(driver)).toBe(0);
    driver.command('SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', '10.0.0.1', '1', '1', ELDER);
    driver.advance(500);
    expect(driver.events).toContain(`+vote-for-leader ${ELDER} 1`);
    expect(stands(driver)).toBe(0);
  });

  it('stands in the end, however late it always is', () => {
    const driver = agreed();
    for (let late = 0; late < 4 && stands(driver) === 0; late++) {
      driver.now += startIn(driver) + START_LATE_MS + 1;
      driver.input({ on: 'tick' });
    }
    expect(stands(driver)).toBe(1);
    expect(driver.events).toContain(`+vote-for-leader ${MY_ID} 1`);
  });
});
