import { describe, expect, it } from 'vitest';
import { MY_ID, PEER_B, PEER_C, SentinelDriver } from '../../../test/support/sentinel-driver.js';
import type { MasterConf } from '../../config/sentinel-types.js';
import { ErrorReply, type Reply } from '../../redis/reply.js';
import { isSteppingDown } from './lease.js';

const TTL_MS = 1_000;

/** A group with leases, old enough to grant. */
function settled(options: Partial<MasterConf> = {}): SentinelDriver {
  const driver = new SentinelDriver({ leaseTtl_ms: TTL_MS, ...options });
  driver.advance(1_100);
  return driver;
}

function lease(driver: SentinelDriver, port: number, epoch: number, ttl_ms: number, ...more: string[]) {
  const words = ['m', '10.0.0.1', String(port), String(epoch), String(ttl_ms), ...more];
  return named(driver.command('SENTINEL', 'LEASE', ...words));
}

/** A flat list of names and values as an object. */
function named(reply: Reply): Record<string, Reply> {
  if (!Array.isArray(reply)) throw new Error(`not a list: ${JSON.stringify(reply)}`);
  const list: readonly Reply[] = reply;
  const fields: Record<string, Reply> = {};
  for (let at = 0; at < list.length; at += 2) fields[String(list[at])] = list[at + 1] ?? null;
  return fields;
}

const ask = (driver: SentinelDriver, epoch: number, candidate: string) =>
  driver.command('SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', '10.0.0.1', '1', String(epoch), candidate);

/** A newer configuration arrives. */
function learn(driver: SentinelDriver, epoch: number, masterPort: number): void {
  driver.hello(1, `10.0.0.2,11,${PEER_B},${epoch},m,10.0.0.1,${masterPort},${epoch}`);
}

describe('a grant', () => {
  it('goes to the master of the record, and tells the record', () => {
    expect(lease(settled(), 1, 0, TTL_MS)).toEqual({
      ...{ granted: 1, reason: '', epoch: 0, host: '10.0.0.1', port: 1, paused: 0, leased: TTL_MS, vote: 0 },
    });
  });

  it('takes all its options at once', () => {
    expect(lease(settled(), 1, 0, TTL_MS, 'handover', 'held', '3', 'term', '7')).toMatchObject({ granted: 1 });
  });

  it('is not taken back by a release that was meant for an earlier one, however late it comes', () => {
    const driver = settled();
    lease(driver, 1, 0, TTL_MS, 'term', '7');
    lease(driver, 1, 0, TTL_MS, 'term', '8');
    lease(driver, 1, 0, 0, 'its Redis ended', '7');
    expect(lease(driver, 2, 0, TTL_MS)).toMatchObject({ leased: TTL_MS });
    expect(driver.eventTypes()).not.toContain('+sdown');
    lease(driver, 1, 0, 0, 'its Redis ended', '8');
    expect(lease(driver, 2, 0, TTL_MS)).toMatchObject({ leased: 0 });
    // One who tells no term means whatever there is.
    lease(driver, 1, 0, TTL_MS, 'term', '9');
    lease(driver, 1, 0, 0, 'its Redis ended');
    expect(lease(driver, 2, 0, TTL_MS)).toMatchObject({ leased: 0 });
  });

  it('tells others for how long the master has it, but not of one that may be replaced meanwhile', () => {
    const driver = settled();
    lease(driver, 1, 0, TTL_MS);
    driver.advance(100);
    expect(lease(driver, 2, 0, TTL_MS)).toMatchObject({ granted: 0, leased: TTL_MS - 100 });
    lease(driver, 1, 0, TTL_MS, 'handover');
    expect(lease(driver, 2, 0, TTL_MS)).toMatchObject({ granted: 0, leased: 0 });
    lease(driver, 1, 0, TTL_MS);
    driver.advance(TTL_MS);
    expect(lease(driver, 2, 0, TTL_MS)).toMatchObject({ granted: 0, leased: 0 });
  });

  it.each([
    ['a replica', 2, 0, TTL_MS, 'the master is 10.0.0.1 1'],
    ['an epoch that nobody told of', 1, 1, TTL_MS, 'epoch 1 is not known here yet'],
    [
      'a ttl that a restart would not wait for',
      1,
      0,
      TTL_MS + 1,
      'a ttl of 1001 ms is longer than the lease-ttl of 1000 ms',
    ],
  ])('is refused to %s', (_who, port, epoch, ttl_ms, reason) => {
    expect(lease(settled(), port, epoch, ttl_ms)).toMatchObject({ granted: 0, reason, port: 1 });
  });

  it('is refused for an epoch that is over, and where no lease-ttl is set', () => {
    const driver = settled();
    learn(driver, 3, 1);
    expect(lease(driver, 1, 0, TTL_MS)).toMatchObject({ granted: 0, reason: 'epoch 0 is over', epoch: 3 });
    expect(lease(settled({ leaseTtl_ms: 0 }), 1, 0, TTL_MS)).toMatchObject({ granted: 0 });
  });

  it('tells clients that its holder is about to step down when the vote is given, not when it consents', () => {
    const driver = settled();
    const renew = (...more: string[]) =>
      driver.command('SENTINEL', 'LEASE', 'm', '10.0.0.1', '1', '0', String(TTL_MS), ...more);
    const told = () => driver.events.filter((event) => event.startsWith('+hand-over'));
    const stepsDown = () => isSteppingDown(driver.group, MY_ID);
    renew('handover');
    expect([told(), stepsDown()]).toEqual([[], false]);
    driver.command('SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', '10.0.0.1', '1', '3', 'f'.repeat(40));
    expect([told(), stepsDown()]).toEqual([['+hand-over master m 10.0.0.1 1'], true]);
    // What came of it is known: it leads, or another does.
    learn(driver, 3, 1);
    expect([told().length, stepsDown()]).toEqual([1, false]);
  });

  it('is held by one place at a time: a new master waits for the end of that of the old one', () => {
    const driver = settled();
    lease(driver, 1, 0, TTL_MS);
    driver.advance(400);
    learn(driver, 3, 2);
    expect(lease(driver, 2, 3, TTL_MS)).toMatchObject({
      granted: 0,
      reason: '10.0.0.1 1 holds a grant for another 600 ms',
    });
    driver.advance(599);
    expect(lease(driver, 2, 3, TTL_MS)).toMatchObject({ granted: 0 });
    driver.advance(1);
    expect(lease(driver, 2, 3, TTL_MS)).toMatchObject({ granted: 1, port: 2, epoch: 3 });
  });

  it('does not wait for one that was given back', () => {
    const driver = settled();
    lease(driver, 1, 0, TTL_MS);
    learn(driver, 3, 2);
    lease(driver, 1, 0, 0, 'it follows another now');
    expect(lease(driver, 2, 3, TTL_MS)).toMatchObject({ granted: 1 });
    // One that comes late does not end a lease of a later epoch.
    learn(driver, 4, 1);
    lease(driver, 2, 3, 0);
    expect(lease(driver, 1, 4, TTL_MS)).toMatchObject({ granted: 1 });
    lease(driver, 1, 0, 0);
    expect(driver.group.lease.grant).not.toBeNull();
  });

  it('is not given before the grants of the life before are over', () => {
    const driver = new SentinelDriver({ leaseTtl_ms: TTL_MS });
    driver.advance(1_049);
    expect(lease(driver, 1, 0, TTL_MS)['reason']).toMatch(/^this Sentinel has just started/);
    driver.advance(1);
    expect(lease(driver, 1, 0, TTL_MS)).toMatchObject({ granted: 1 });
  });

  it('is not given to the old master after a vote, for a while or until the new configuration is here', () => {
    const driver = settled();
    expect(ask(driver, 5, PEER_B)).toEqual([0, PEER_B, 5]);
    const reason = 'our vote in epoch 5 may have made another the master';
    expect(lease(driver, 1, 0, TTL_MS)).toMatchObject({ granted: 0, reason });
    driver.advance(2_999);
    expect(lease(driver, 1, 0, TTL_MS)).toMatchObject({ granted: 0, reason });
    driver.advance(1);
    expect(lease(driver, 1, 0, TTL_MS)).toMatchObject({ granted: 1 });

    const other = settled();
    ask(other, 5, PEER_B);
    learn(other, 5, 1);
    expect(lease(other, 1, 5, TTL_MS)).toMatchObject({ granted: 1 });
  });

  it('is not given to it by time alone where durability is promised: what it acknowledged later could be lost', () => {
    const driver = settled({ ackReplicas: 1 });
    ask(driver, 5, PEER_B);
    driver.advance(60_000);
    expect(lease(driver, 1, 0, TTL_MS)).toMatchObject({ granted: 0 });
    learn(driver, 5, 1);
    expect(lease(driver, 1, 5, TTL_MS)).toMatchObject({ granted: 1 });
  });

  describe('refused because of a vote where durability is promised', () => {
    /** When whoever could win by it has promoted or given up, and grants from before it are over. */
    const OUTLIVED_MS = 3_000 + TTL_MS * 1.05;

    function voted(): SentinelDriver {
      const driver = settled({ ackReplicas: 1 });
      ask(driver, 5, PEER_B);
      return driver;
    }

    it('tells of the vote once it can have elected nobody later, not before', () => {
      const driver = voted();
      driver.advance(OUTLIVED_MS - 1);
      expect(lease(driver, 1, 0, TTL_MS)).toMatchObject({ granted: 0, vote: 0 });
      driver.advance(1);
      expect(lease(driver, 1, 0, TTL_MS)).toMatchObject({ granted: 0, vote: 5 });
      learn(driver, 5, 1);
      expect(lease(driver, 1, 5, TTL_MS)).toMatchObject({ granted: 1, vote: 0 });
      const async = settled();
      ask(async, 5, PEER_B);
      async.advance(OUTLIVED_MS);
      expect(lease(async, 1, 0, TTL_MS)).toMatchObject({ granted: 1, vote: 0 });
    });

    it('is given to one that has held grants of a majority since it was told so', () => {
      const driver = voted();
      driver.advance(OUTLIVED_MS);
      expect(lease(driver, 1, 0, TTL_MS, 'held', '4')).toMatchObject({ granted: 0 });
      expect(lease(driver, 2, 0, TTL_MS, 'held', '5')).toMatchObject({ granted: 0 });
      expect(lease(driver, 1, 0, TTL_MS)).toMatchObject({ granted: 0 });
      expect(lease(driver, 1, 0, TTL_MS, 'handover', 'held', '5')).toMatchObject({ granted: 1, vote: 0 });
      // That vote is not the one for which it would step down.
      expect(isSteppingDown(driver.group, MY_ID)).toBe(false);
      expect(lease(driver, 1, 0, TTL_MS)).toMatchObject({ granted: 1 });
    });

    it('is refused again after a later vote', () => {
      const driver = voted();
      driver.advance(OUTLIVED_MS);
      expect(lease(driver, 1, 0, TTL_MS, 'held', '5')).toMatchObject({ granted: 1 });
      driver.advance(TTL_MS);
      expect(ask(driver, 6, PEER_C)).toEqual([1, PEER_C, 6]);
      expect(lease(driver, 1, 0, TTL_MS, 'held', '5')).toMatchObject({ granted: 0, vote: 0 });
      driver.advance(OUTLIVED_MS);
      expect(lease(driver, 1, 0, TTL_MS, 'held', '5')).toMatchObject({ granted: 0, vote: 6 });
    });
  });

  it('is not given to the old master by one who voted and restarted', () => {
    const driver = settled({ currentEpoch: 5, leaderEpoch: 5, votedLeader: PEER_B } as Partial<MasterConf>);
    expect(lease(driver, 1, 0, TTL_MS)).toMatchObject({ granted: 0 });
    driver.advance(2_000);
    expect(lease(driver, 1, 0, TTL_MS)).toMatchObject({ granted: 1 });
  });

  it.each([
    [['m', '10.0.0.1', 'x', '0', '1'], 'ERR value is not an integer or out of range'],
    [['m', '10.0.0.1', '1', '0', '60001'], 'ERR value is not an integer or out of range'],
    [['n', '10.0.0.1', '1', '0', '1'], 'ERR No such master with that name'],
    [
      ['m', '10.0.0.1', '1', '0', '1', 'x'],
      "ERR Unknown option 'x' for SENTINEL LEASE: handover, held <vote>, term <n>",
    ],
    [['m', '10.0.0.1', '1', '0', '1', 'held'], 'ERR value is not an integer or out of range'],
    [
      ['m', '10.0.0.1', '1', '0', '0', 'two', 'words'],
      'ERR The reason is one word for SENTINEL LEASE with ttl 0: quote it',
    ],
    [['m', '10.0.0.1', '1', '0'], "ERR wrong number of arguments for 'sentinel|lease' command"],
  ])('asked for as %j is an error', (words, error) => {
    expect(settled().command('SENTINEL', 'LEASE', ...words)).toEqual(new ErrorReply(error));
  });
});

describe('a vote', () => {
  it('is not given while a grant lives, nor to ourselves', () => {
    const driver = settled();
    lease(driver, 1, 0, TTL_MS);
    expect(ask(driver, 5, PEER_B)).toEqual([0, '*', 0]);
    expect(driver.logs).toContain('No vote in epoch 5 of m: 10.0.0.1 1 holds a grant for another 1000 ms');
    driver.advance(1_000);
    // By then the lease has lapsed: the master is down.
    expect(ask(driver, 6, PEER_C)).toEqual([1, PEER_C, 6]);
  });

  it('is given when the keeper consents', () => {
    const driver = settled();
    lease(driver, 1, 0, TTL_MS, 'handover');
    expect(ask(driver, 5, PEER_B)).toEqual([0, PEER_B, 5]);
    const withdrawn = settled();
    lease(withdrawn, 1, 0, TTL_MS, 'handover');
    lease(withdrawn, 1, 0, TTL_MS);
    expect(ask(withdrawn, 5, PEER_B)).toEqual([0, '*', 0]);
  });

  it('is not given by one that has just started: a grant of its life before may live', () => {
    const driver = new SentinelDriver({ leaseTtl_ms: TTL_MS });
    driver.advance(1_000);
    expect(ask(driver, 5, MY_ID)).toEqual([0, '*', 0]);
    driver.advance(100);
    expect(ask(driver, 5, PEER_B)).toEqual([0, PEER_B, 5]);
  });
});

describe('SENTINEL PAUSE', () => {
  it('is kept, told, and shown to keepers', () => {
    const driver = settled();
    expect(driver.command('SENTINEL', 'PAUSE', '*', 'on')).toMatchObject({ text: 'OK' });
    expect(driver.snapshots.at(-1)?.masters[0]?.paused).toBe(true);
    expect(driver.events.at(-1)).toBe('+pause master m 10.0.0.1 1');
    expect(lease(driver, 1, 0, TTL_MS)).toMatchObject({ granted: 1, paused: 1 });
    driver.command('SENTINEL', 'PAUSE', 'm', 'OFF');
    expect(driver.events.at(-1)).toBe('-pause master m 10.0.0.1 1');
    expect(driver.group.paused).toBe(false);
  });

  it('wants a group that it knows, and on or off', () => {
    const driver = settled();
    expect(driver.command('SENTINEL', 'PAUSE', 'x', 'on')).toEqual(new ErrorReply('ERR No such master with that name'));
    expect(driver.command('SENTINEL', 'PAUSE', 'm', 'constructor')).toBeInstanceOf(ErrorReply);
  });
});
