import { describe, expect, it } from 'vitest';
import { SentinelDriver } from '../../../test/support/sentinel-driver.js';
import type { MasterConf } from '../../config/sentinel-types.js';
import { ErrorReply, OK } from '../../redis/reply.js';
import { nextDeadline } from './step.js';

const TTL_MS = 1_000;

/** The keeper of the master renews its lease; time passes. */
function renewFor(driver: SentinelDriver, ms: number, ...more: string[]): void {
  for (let passed = 0; passed < ms; passed += 250) {
    renew(driver, ...more);
    driver.advance(Math.min(250, ms - passed));
  }
}

function renew(driver: SentinelDriver, ...more: string[]): void {
  const { configEpoch, master } = driver.group;
  const { port } = master.link.address;
  driver.command('SENTINEL', 'LEASE', 'm', '10.0.0.1', String(port), String(configEpoch), String(TTL_MS), ...more);
}

function release(driver: SentinelDriver, reason = 'redis ended: signal 9'): void {
  const { configEpoch } = driver.group;
  driver.command('SENTINEL', 'LEASE', 'm', '10.0.0.1', '1', String(configEpoch), '0', reason);
}

/** A group whose master is leased, and peers that agree to whatever they are asked. */
function leased(options: Partial<MasterConf> = {}): SentinelDriver {
  const driver = new SentinelDriver({ leaseTtl_ms: TTL_MS, ...options });
  driver.peersAgree();
  driver.advance(1_050);
  renewFor(driver, 3_000);
  renew(driver);
  return driver;
}

const SWITCH = '+switch-master m 10.0.0.1 1 10.0.0.1 2';
const paused = (driver: SentinelDriver) => driver.fake(1).asked.some((words) => words.startsWith('CLIENT PAUSE'));

/** What the Redis at this port was told to follow. */
const orders = (driver: SentinelDriver, port: number) =>
  driver.fake(port).asked.filter((words) => words.startsWith('SLAVEOF'));

/** How often the core has to be called in that time: a deadline that is over must not be asked for again. */
function ticksIn(driver: SentinelDriver, ms: number): number {
  const end = driver.now + ms;
  for (let ticks = 0; ; ticks++) {
    const next = nextDeadline(driver.sentinel);
    if (next > end) return ticks;
    driver.advance(Math.max(next - driver.now, 0));
  }
}

function untilEvent(driver: SentinelDriver, type: string, limit_ms: number): number {
  const from = driver.now;
  while (!driver.eventTypes().includes(type) && driver.now - from < limit_ms) driver.advance(1);
  return driver.now - from;
}

describe('a lease that is given back', () => {
  it('makes the master down at once, and another one is there in tens of milliseconds', () => {
    const driver = leased();
    driver.kill(1);
    release(driver);
    expect(driver.eventTypes()).toContain('+sdown');
    expect(driver.logs).toContain('The Redis is down for us: its keeper gave the lease back: redis ended: signal 9');
    expect(untilEvent(driver, '+promoted-slave', 1_000)).toBeLessThan(50);
    expect(untilEvent(driver, '+switch-master', 1_000)).toBeLessThan(50);
    expect(driver.events).toContain(SWITCH);
    expect(paused(driver)).toBe(false);
  });

  it('goes to a full replica when the master has been started anew without its data, and follows nobody', () => {
    const driver = leased();
    Object.assign(driver.fake(1), { role: 'slave', masterPort: 9, replId: 'e'.repeat(40), offset: 0, runId: 'new' });
    for (const port of [2, 3]) Object.assign(driver.fake(port), { linkUp: false, linkDownSince_s: 1 });
    driver.advance(1_500);
    release(driver, 'ours is empty, and 10.0.0.1:2 has 10 keys');
    driver.advance(5_000);
    expect(driver.events).toContain(SWITCH);
  });

  it('is not needed of a master that was gone before we started, however long ago', () => {
    const driver = new SentinelDriver({ leaseTtl_ms: TTL_MS });
    driver.peersAgree();
    driver.kill(1);
    for (const port of [2, 3]) Object.assign(driver.fake(port), { linkUp: false, linkDownSince_s: 600 });
    driver.advance(10_000);
    expect(driver.events).toContain(SWITCH);
  });

  it('asks no help of a master that answers still: its keeper may have found it empty', () => {
    const driver = leased();
    release(driver, 'its data set is empty');
    driver.advance(100);
    expect(driver.events).toContain(SWITCH);
    expect(paused(driver)).toBe(false);
  });

  it('is forgiven when it is asked for again in time', () => {
    const driver = leased();
    driver.peers.forEach((peer) => {
      peer.answer = () => null;
    });
    release(driver);
    driver.advance(10);
    renew(driver);
    expect(driver.eventTypes().slice(-1)).toEqual(['-sdown']);
  });
});

describe('a lease that is not renewed', () => {
  it('makes the master down when the ttl is over', () => {
    const driver = leased();
    driver.advance(999);
    expect(driver.eventTypes()).not.toContain('+sdown');
    driver.advance(10);
    expect(driver.eventTypes()).toContain('+sdown');
    expect(driver.logs.join()).toMatch(/its lease was not renewed for 100\d ms/);
  });

  it('makes it down at the start only after it had time to be asked for', () => {
    const driver = new SentinelDriver({ leaseTtl_ms: TTL_MS });
    driver.advance(1_500);
    expect(driver.eventTypes()).not.toContain('+sdown');
    driver.advance(200);
    expect(driver.eventTypes()).toContain('+sdown');
  });

  it('gives a new master the same time', () => {
    const driver = leased();
    driver.kill(1);
    release(driver);
    driver.advance(200);
    driver.events.length = 0;
    driver.advance(1_200);
    expect(driver.events).not.toContain('+sdown master m 10.0.0.1 2');
    driver.advance(500);
    expect(driver.events).toContain('+sdown master m 10.0.0.1 2');
  });

  it('has writes paused and offsets compared first if the master still answers', () => {
    const driver = leased();
    driver.fake(1).offset = 500;
    driver.advance(1_500);
    expect(paused(driver)).toBe(true);
    expect(driver.eventTypes()).not.toContain('+promoted-slave');
    driver.fake(2).offset = 500;
    driver.advance(300);
    expect(driver.events).toContain(SWITCH);
    expect(driver.fake(1).role).toBe('slave');
    expect(driver.logs).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^The master of m is asked to pause its writes for \d+ ms$/),
        'Writes of m are paused at offset 500, and 10.0.0.1:2 has all of them',
      ]),
    );
  });

  it('asks one for help, too, that takes its time, as on a loaded host', () => {
    const driver = leased({ downAfter_ms: 1_000 });
    driver.advance(1_000 - 450);
    driver.fake(1).state = 'silent';
    untilEvent(driver, '+selected-slave', 2_000);
    const { activePingSince } = driver.group.master.link;
    expect(driver.now - (activePingSince ?? driver.now)).toBeGreaterThanOrEqual(250);
    expect(driver.logs.join()).toContain('The master of m is asked to pause its writes');
  });

  it('goes on without a master that does not help', () => {
    const driver = leased();
    driver.fake(1).refusesPause = true;
    driver.fake(1).refusesFailover = 'ERR unknown command';
    driver.advance(1_300);
    expect(driver.events).toContain(SWITCH);
    expect(driver.logs.join()).toContain('does not help');
  });

  it('does not wait for one that is silent', () => {
    const driver = leased({ downAfter_ms: 60_000 });
    driver.fake(1).state = 'silent';
    driver.advance(3_000);
    expect(driver.events).toContain(SWITCH);
    expect(paused(driver)).toBe(false);
  });
});

describe('a lease that lives', () => {
  it('keeps a master in its place that answers nobody: it may be busy', () => {
    const driver = leased();
    driver.fake(1).state = 'silent';
    renewFor(driver, 5_000);
    expect(driver.eventTypes()).toContain('+sdown');
    expect(driver.eventTypes()).not.toContain('+odown');
    expect(driver.command('SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', '10.0.0.1', '1', '0', '*')).toEqual([0, '*', 0]);
    driver.advance(1_100);
    expect(driver.events).toContain(SWITCH);
  });

  it('is an error for an operator who asks for a failover without its consent', () => {
    const driver = leased();
    expect(driver.command('SENTINEL', 'FAILOVER', 'm')).toBeInstanceOf(ErrorReply);
    renew(driver, 'handover');
    expect(driver.command('SENTINEL', 'FAILOVER', 'm', 'COORDINATED', 'TO', '10.0.0.1', '3')).toBe(OK);
    driver.advance(500);
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 3');
    // The pause outlasts what the master may still count on.
    expect(driver.fake(1).asked).toContain('CLIENT PAUSE 1150 WRITE');
  });
});

describe('a master that is handed over', () => {
  const asked = (driver: SentinelDriver) => driver.fake(1).asked.join();

  /** Until another has been promoted. */
  function handedOver(change: (driver: SentinelDriver) => void = () => {}): SentinelDriver {
    const driver = leased();
    change(driver);
    renew(driver, 'handover');
    expect(driver.command('SENTINEL', 'FAILOVER', 'm', 'COORDINATED', 'TO', '10.0.0.1', '2')).toBe(OK);
    untilEvent(driver, '+promoted-slave', 500);
    return driver;
  }

  it('is paused only when all who vote have had a moment to tell their proxies', () => {
    const driver = leased();
    const [slow] = driver.peers.values();
    if (slow === undefined) throw new Error('no peer');
    const { answer } = slow;
    slow.answer = () => null;
    renew(driver, 'handover');
    driver.command('SENTINEL', 'FAILOVER', 'm', 'COORDINATED', 'TO', '10.0.0.1', '2');
    expect(untilEvent(driver, '+elected-leader', 100)).toBeLessThan(5);
    expect(driver.events).toContain('+hand-over master m 10.0.0.1 1');
    driver.advance(30);
    expect(paused(driver)).toBe(false);
    expect(untilEvent(driver, '+selected-slave', 100)).toBeLessThan(25);
    slow.answer = answer;
    driver.advance(500);
    expect(driver.events).toContain(SWITCH);
  });

  it('is demoted by its keeper, which keeps its connection and can give the lease back', () => {
    const driver = handedOver();
    Object.assign(driver.fake(1), { role: 'slave', masterPort: 2 });
    driver.advance(500);
    expect(driver.events).toContain(SWITCH);
    expect(driver.eventTypes()).toContain('+failover-end');
    expect(asked(driver)).not.toContain('SLAVEOF');
  });

  it('is demoted by us if its keeper does not do it, while its writes are still paused', () => {
    const driver = handedOver();
    driver.advance(150);
    expect(driver.events).toContain(SWITCH);
    expect(asked(driver)).not.toContain('SLAVEOF');
    driver.advance(100);
    expect(asked(driver)).toContain('SLAVEOF');
    expect(driver.fake(1).role).toBe('slave');
  });

  it('costs nothing while it cannot be told, and a replica synchronises', () => {
    const driver = handedOver((each) => {
      each.fake(3).linkUp = false;
    });
    driver.kill(1);
    driver.advance(300);
    renew(driver);
    expect(driver.group.failover?.phase).toBe('reconf');
    expect(ticksIn(driver, 500)).toBeLessThan(50);
    expect(driver.group.failover?.phase).toBe('reconf');
  });

  it('is demoted by us at once when it has not consented, as when its agent has died', () => {
    const driver = leased();
    untilEvent(driver, '+promoted-slave', 2_000);
    driver.advance(5);
    expect(asked(driver)).toContain('SLAVEOF');
  });
});

describe('a failover with leases', () => {
  it('disconnects the clients of both masters, and not those of another replica', () => {
    const driver = leased();
    driver.advance(1_500);
    expect(driver.events).toContain(SWITCH);
    const kills = [1, 2, 3].map((port) => driver.fake(port).asked.includes('CLIENT KILL TYPE normal'));
    expect(kills).toEqual([true, true, false]);
    expect(driver.fake(3).asked.some((words) => words.startsWith('SLAVEOF'))).toBe(true);
  });

  it('by hand does not go on without a majority', () => {
    const driver = leased();
    driver.peers.forEach((peer) => {
      peer.answer = () => null;
    });
    renew(driver, 'handover');
    expect(driver.command('SENTINEL', 'FAILOVER', 'm', 'FORCE')).toBe(OK);
    driver.advance(600);
    expect(driver.eventTypes()).toContain('-failover-abort-not-elected');
    expect(driver.group.failover).toBeNull();
    expect(driver.group.givenUp).toBe('1 of 2 votes came in time');
    expect(driver.eventTypes()).not.toContain('+promoted-slave');
  });

  it('does not begin while the group is paused', () => {
    const driver = leased();
    driver.command('SENTINEL', 'PAUSE', 'm', 'on');
    driver.kill(1);
    release(driver);
    driver.advance(10_000);
    expect(driver.eventTypes()).toContain('+odown');
    expect(driver.eventTypes()).not.toContain('+try-failover');
    driver.command('SENTINEL', 'PAUSE', 'm', 'off');
    driver.advance(100);
    expect(driver.events).toContain(SWITCH);
  });

  it('that finds no candidate keeps the master, in the new epoch, so that it can be leased again', () => {
    const driver = leased();
    driver.fake(2).priority = 0;
    driver.fake(3).priority = 0;
    driver.advance(1_100);
    expect(driver.eventTypes()).toContain('-failover-abort-no-good-slave');
    expect(driver.group).toMatchObject({ configEpoch: 1, leaderEpoch: 1 });
    expect(driver.snapshots.at(-1)?.masters[0]).toMatchObject({ configEpoch: 1, port: 1 });
    renew(driver);
    expect(driver.eventTypes().at(-1)).toBe('-odown');
  });

  it('sends no promotion when those who voted may have leased the old master again', () => {
    const driver = leased();
    driver.kill(1);
    release(driver);
    driver.fake(2).state = 'silent';
    driver.fake(3).state = 'silent';
    untilEvent(driver, '+elected-leader', 1_000);
    const { failover } = driver.group;
    if (failover?.phase !== 'select') throw new Error(`in phase ${failover?.phase}`);
    driver.group.failover = { ...failover, startedAt: driver.now - 2_001 };
    driver.fake(2).state = 'up';
    driver.advance(1_100);
    expect(driver.logs.join()).toContain('the old master may be leased again from now on');
    expect(driver.fake(2).asked).toEqual([]);
  });

  it('leaves out a replica that lags more than is allowed', () => {
    const driver = leased({ candidateLagMax_bytes: 1_000 });
    driver.fake(2).priority = 1;
    driver.fake(3).offset = 1_101;
    driver.kill(1);
    release(driver);
    driver.advance(100);
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 3');
    expect(driver.logs.join()).toContain('10.0.0.1:2: 1001 bytes behind, candidate-lag-max allows 1000');
  });
});

describe('a failover where acknowledged writes are promised to live', () => {
  function afterDeath(change: (driver: SentinelDriver) => void): SentinelDriver {
    const driver = leased({ ackReplicas: 1 });
    change(driver);
    driver.kill(1);
    release(driver);
    driver.advance(1_500);
    return driver;
  }

  const lost = (driver: SentinelDriver) => driver.logs.filter((line) => line.includes('writes could be lost')).join();

  it('is made when every replica has answered, and takes the one that has most', () => {
    const driver = afterDeath(({ redis }) => Object.assign(redis.get(3) ?? {}, { offset: 101 }));
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 3');
  });

  it('is not made when one that may have more does not answer', () => {
    const driver = afterDeath((each) => each.kill(3));
    expect(driver.eventTypes()).toContain('-failover-abort-no-good-slave');
    expect(lost(driver)).toContain(
      '10.0.0.1:2: acknowledged writes could be lost: 1 of 2 replicas answered, not 10.0.0.1:3',
    );
  });

  it('stops the replicas before it compares them: the old master may live on out of our reach', () => {
    const driver = afterDeath(() => undefined);
    expect(driver.events).toContain(SWITCH);
    expect(orders(driver, 2)).toEqual(['SLAVEOF 127.0.0.1 1', 'SLAVEOF NO ONE']);
    expect(new Set(orders(driver, 3))).toEqual(new Set(['SLAVEOF 127.0.0.1 1', 'SLAVEOF 10.0.0.1 2']));
  });

  it('does not count what one says that was told to stop and follows still', () => {
    const driver = afterDeath((each) => {
      each.fake(3).staysWithMaster = true;
    });
    expect(driver.eventTypes()).toContain('-failover-abort-no-good-slave');
    expect(lost(driver)).toContain('1 of 2 replicas answered, not 10.0.0.1:3');
  });

  it('leaves the replicas alone where nothing is to be proven, and while the master helps', () => {
    const promised = leased({ ackReplicas: 1 });
    promised.advance(1_500);
    expect(paused(promised)).toBe(true);
    expect(orders(promised, 2)).toEqual(['SLAVEOF NO ONE']);
    const unpromised = leased();
    unpromised.kill(1);
    release(unpromised);
    unpromised.advance(500);
    expect(orders(unpromised, 2)).toEqual(['SLAVEOF NO ONE']);
  });

  it('is made with fewer when writes are acknowledged by more', () => {
    const driver = leased({ ackReplicas: 2 });
    driver.kill(3);
    driver.kill(1);
    release(driver);
    driver.advance(500);
    expect(driver.events).toContain(SWITCH);
  });

  it('does not take one with less, whatever its priority', () => {
    const driver = afterDeath(({ redis }) => {
      Object.assign(redis.get(2) ?? {}, { priority: 1 });
      Object.assign(redis.get(3) ?? {}, { offset: 150 });
    });
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 3');
    expect(lost(driver)).toContain('10.0.0.1:2: acknowledged writes could be lost: 10.0.0.1:3 has 50 bytes more');
  });

  it('is not made where histories cannot be compared', () => {
    const driver = afterDeath(({ redis }) =>
      Object.assign(redis.get(3) ?? {}, { replId: 'e'.repeat(40), priority: 0 }),
    );
    expect(lost(driver)).toContain('10.0.0.1:3 is in a history that cannot be compared');
    expect(driver.group.master.link.address.port).toBe(1);
  });

  it('does not take one that is not in the history of the master, as after a stay with an older one', () => {
    const driver = afterDeath(({ redis }) => {
      for (const port of [2, 3]) Object.assign(redis.get(port) ?? {}, { replId: 'e'.repeat(40), masterPort: 9 });
    });
    expect(lost(driver)).toContain("10.0.0.1:2: acknowledged writes could be lost: it is not in the master's history");
  });

  it('is not made beside one that was started anew: it holds what it acknowledged, in a history of its own', () => {
    const driver = afterDeath(({ redis }) =>
      Object.assign(redis.get(3) ?? {}, { replId: 'e'.repeat(40), offset: 0, masterHost: '127.0.0.1', priority: 0 }),
    );
    expect(lost(driver)).toContain('10.0.0.1:3 is in a history that cannot be compared');
    expect(driver.group.master.link.address.port).toBe(1);
  });

  it('lets one be that is in a history which was never that of the master', () => {
    const driver = afterDeath(({ redis }) => {
      Object.assign(redis.get(3) ?? {}, { replId: 'e'.repeat(40), offset: 9_999, priority: 0, masterPort: 9 });
    });
    expect(driver.events).toContain(SWITCH);
  });

  it('knows how far one got that was promoted without being leased', () => {
    const driver = afterDeath(({ redis }) => {
      const promoted = { role: 'master', replId: 'e'.repeat(40), replId2: 'd'.repeat(40), secondOffset: 102 };
      Object.assign(redis.get(3) ?? {}, promoted);
    });
    expect(lost(driver)).toContain('10.0.0.1:2: acknowledged writes could be lost: 10.0.0.1:3 has 1 bytes more');
  });

  it('needs no such proof when the living master has handed over', () => {
    const driver = leased({ ackReplicas: 1 });
    driver.kill(3);
    driver.advance(1_500);
    expect(paused(driver)).toBe(true);
    expect(driver.events).toContain(SWITCH);
  });
});

describe('who has followed another', () => {
  it('follows nobody until it is known that the new master has all that it holds', () => {
    const driver = leased();
    driver.kill(1);
    release(driver);
    driver.advance(200);
    expect(driver.events).toContain(SWITCH);
    expect(orders(driver, 3)).toEqual(['SLAVEOF 127.0.0.1 1', 'SLAVEOF 10.0.0.1 2']);
  });

  it('is left to its keeper when it holds what the new master lacks', () => {
    const driver = leased();
    Object.assign(driver.fake(3), { priority: 0, offset: 150 });
    driver.kill(1);
    release(driver);
    driver.advance(200);
    renewFor(driver, 8_000);
    expect(driver.group.failover?.phase).toBe('reconf');
    renewFor(driver, 4_000);
    expect(ticksIn(driver, 500)).toBeLessThan(50);
    expect(driver.group.failover).toBeNull();
    driver.advance(7_000);
    expect(driver.events).toContain(SWITCH);
    expect(orders(driver, 3)).toEqual(['SLAVEOF 127.0.0.1 1']);
  });

  it('is kept from writing at once when it led, and joined by its keeper', () => {
    const driver = leased();
    release(driver, 'its data set is empty');
    driver.fake(1).offset = 150;
    driver.advance(200);
    expect(driver.events).toContain(SWITCH);
    expect(orders(driver, 1)).toEqual(['SLAVEOF 127.0.0.1 1']);
  });
});

describe('a master that has restarted without its data', () => {
  /** Everything was restarted: no two are in one history, and the master follows nobody. */
  function restarted(keys: readonly [number, number, number]): SentinelDriver {
    const driver = leased();
    keys.forEach((held, index) => {
      const replId = 'abc'.charAt(index).repeat(40);
      Object.assign(driver.fake(index + 1), { role: 'slave', replId, linkUp: false, offset: 0, keys: held });
    });
    driver.fake(1).masterHost = '127.0.0.1';
    driver.advance(1_100);
    release(driver, 'it does not lead: ours is empty');
    driver.advance(500);
    return driver;
  }

  it('gives way to the one that has most keys: offsets of different histories say nothing', () => {
    expect(restarted([0, 5, 9]).events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 3');
    expect(restarted([0, 9, 5]).events).toContain(SWITCH);
  });

  it('gives way to nobody who has less', () => {
    const driver = restarted([6, 5, 5]);
    expect(driver.eventTypes()).not.toContain('+switch-master');
    expect(driver.logs.join()).toContain('10.0.0.1:2: has 5 keys, and the master, which has restarted, 6');
  });
});
