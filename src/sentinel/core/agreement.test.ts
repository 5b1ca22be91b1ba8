import { describe, expect, it } from 'vitest';
import { MY_ID, PEER_B, PEER_C, SentinelDriver } from '../../../test/support/sentinel-driver.js';
import { ErrorReply } from '../../redis/reply.js';

const ask = (driver: SentinelDriver, epoch: number, candidate: string) =>
  driver.command('SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', '10.0.0.1', '1', String(epoch), candidate);

describe('votes', () => {
  it('are given once an epoch, to the first who asks', () => {
    const driver = new SentinelDriver();
    driver.advance(1_000);
    expect(ask(driver, 5, PEER_B)).toEqual([0, PEER_B, 5]);
    expect(ask(driver, 5, PEER_C)).toEqual([0, PEER_B, 5]);
    expect(ask(driver, 6, PEER_C)).toEqual([0, PEER_C, 6]);
  });

  it('are not given for an epoch that has passed', () => {
    const driver = new SentinelDriver();
    driver.advance(1_000);
    ask(driver, 7, PEER_B);
    expect(ask(driver, 6, PEER_C)).toEqual([0, PEER_B, 7]);
  });

  it('are durable before they are told', () => {
    const driver = new SentinelDriver();
    driver.advance(1_000);
    const before = driver.snapshots.length;
    ask(driver, 5, PEER_B);
    const [kept] = driver.snapshots.slice(before);
    expect(kept?.currentEpoch).toBe(5);
    expect(kept?.masters[0]).toMatchObject({ leaderEpoch: 5, votedLeader: PEER_B });
  });

  it('are remembered by one who restarts', () => {
    const driver = new SentinelDriver({ leaderEpoch: 5, votedLeader: PEER_B });
    driver.advance(1_000);
    expect(ask(driver, 5, PEER_C)).toEqual([0, PEER_B, 5]);
  });

  it('hold our own failover back for twice failover-timeout', () => {
    const driver = new SentinelDriver({ failoverTimeout_ms: 10_000 });
    driver.advance(5_000);
    driver.peers.forEach((peer) => {
      peer.answer = () => [1, PEER_B, 5];
    });
    ask(driver, 5, PEER_B);
    driver.kill(1);
    driver.advance(15_000);
    expect(driver.eventTypes()).not.toContain('+try-failover');
    driver.advance(10_000);
    expect(driver.eventTypes()).toContain('+try-failover');
  });

  it('do not hold us back when the one we voted for has died', () => {
    const driver = new SentinelDriver({ failoverTimeout_ms: 100_000 });
    driver.peersAgree();
    driver.advance(5_000);
    ask(driver, 5, PEER_B);
    driver.peer(11).state = 'gone';
    driver.kill(1);
    driver.advance(20_000);
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
  });
});

describe('an election that nobody can win', () => {
  it('is given up at once and tried again in the next epoch', () => {
    const driver = new SentinelDriver({ failoverTimeout_ms: 60_000 });
    driver.advance(5_000);
    let split = true;
    for (const [port, peer] of driver.peers) {
      const own = port === 11 ? PEER_B : PEER_C;
      peer.answer = (epoch, candidate) => {
        if (candidate === '*') return [1, '*', 0];
        const vote = split ? own : candidate;
        if (port === 12) split = false;
        return [1, vote, epoch];
      };
    }
    driver.kill(1);
    driver.advance(3_000);
    const types = driver.eventTypes();
    expect(types.filter((type) => type === '+try-failover')).toHaveLength(2);
    expect(types.indexOf('-failover-abort-not-elected')).toBeLessThan(types.indexOf('+elected-leader'));
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
  });
});

describe('an election', () => {
  it('goes on although our own election for another master has a later epoch', () => {
    const driver = new SentinelDriver();
    driver.advance(5_000);
    for (const peer of driver.peers.values()) peer.answer = (_, candidate) => (candidate === '*' ? [1, '*', 0] : null);
    driver.kill(1);
    while (driver.group.failover === null) driver.advance(5);
    const { epoch } = driver.group.failover;
    driver.sentinel.currentEpoch = epoch + 50;
    driver.peersAgree();
    driver.advance(500);
    expect(driver.eventTypes()).not.toContain('-failover-abort-not-elected');
    expect(driver.group.configEpoch).toBe(epoch);
  });

  it('is over once enough have gone on to a later epoch', () => {
    const driver = new SentinelDriver();
    driver.advance(5_000);
    for (const peer of driver.peers.values()) {
      peer.answer = () => [1, '*', 0];
    }
    driver.kill(1);
    driver.advance(2_000);
    expect(driver.eventTypes()).toContain('-failover-abort-not-elected');
    expect(driver.logs.join('\n')).toContain('nobody can win epoch 1 any more');
  });
});

describe('hello messages', () => {
  const hello = (from: string, port: number, epoch: number, master: number, config: number): string =>
    `10.0.0.2,${port},${from},${epoch},m,10.0.0.1,${master},${config}`;
  const NEW = 'd'.repeat(40);

  it('make a Sentinel known', () => {
    const driver = new SentinelDriver();
    driver.advance(1_000);
    driver.hello(1, hello(NEW, 13, 0, 1, 0));
    expect(driver.events.at(-1)).toBe(`+sentinel sentinel ${NEW} 10.0.0.2 13 @ m 10.0.0.1 1`);
    expect(driver.snapshots.at(-1)?.masters[0]?.sentinels).toContainEqual({ host: '10.0.0.2', port: 13, runId: NEW });
  });

  it('bring a newer configuration, which is followed', () => {
    const driver = new SentinelDriver({ clientReconfigScript: '/bin/reconfig' });
    driver.advance(1_000);
    driver.hello(1, hello(PEER_B, 11, 3, 2, 3));
    expect(driver.events).toContain(`+config-update-from sentinel ${PEER_B} 10.0.0.2 11 @ m 10.0.0.1 1`);
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
    expect(driver.scripts).toEqual([['/bin/reconfig', 'm', 'observer', 'start', '10.0.0.1', '1', '10.0.0.1', '2']]);
    expect(driver.group.configEpoch).toBe(3);
  });

  it('of an older or equal configuration change nothing', () => {
    const driver = new SentinelDriver({ configEpoch: 3 });
    driver.advance(1_000);
    driver.hello(1, hello(PEER_B, 11, 3, 2, 3));
    driver.hello(1, hello(PEER_B, 11, 3, 2, 2));
    expect(driver.group.master.link.address.port).toBe(1);
  });

  it('move a Sentinel that has a new address', () => {
    const driver = new SentinelDriver();
    driver.advance(1_000);
    driver.hello(1, hello(PEER_B, 15, 0, 1, 0));
    expect(driver.group.sentinels.size).toBe(2);
    expect(driver.group.sentinels.get(PEER_B)?.link.address.port).toBe(15);
    expect(driver.events.at(-1)).toContain('+sentinel-address-switch');
  });

  it('of nonsense are dropped', () => {
    const driver = new SentinelDriver();
    driver.advance(1_000);
    const before = driver.events.length;
    for (const text of ['', 'a,b', hello('x', 13, 0, 1, 0), hello(NEW, 99_999, 0, 1, 0), hello(MY_ID, 10, 9, 2, 9)]) {
      driver.hello(1, text);
    }
    expect(driver.events.length).toBe(before);
    expect(driver.group.master.link.address.port).toBe(1);
  });
});

describe('made-up messages', () => {
  it('of an epoch out of all proportion are not followed', () => {
    const driver = new SentinelDriver();
    driver.advance(1_000);
    driver.hello(1, `10.0.0.2,11,${PEER_B},999999999999999,m,10.0.0.1,2,999999999999999`);
    expect(ask(driver, 999_999_999_999_999, PEER_B)).toEqual(new ErrorReply('ERR The epoch is out of all proportion'));
    expect(driver.sentinel.currentEpoch).toBe(0);
    expect(driver.group.configEpoch).toBe(0);
    expect(driver.logs.at(-1)).toContain('out of all proportion');
  });

  it('cannot make us look up names without end', () => {
    const driver = new SentinelDriver();
    driver.sentinel.settings.resolveHostnames = true;
    driver.advance(1_000);
    for (let i = 0; i < 5_000; i++) driver.hello(1, `host-${i},11,${PEER_B},0,m,10.0.0.1,1,0`);
    driver.hello(1, `no host name at all,11,${PEER_B},0,m,10.0.0.1,1,0`);
    expect(driver.sentinel.names.size).toBeLessThanOrEqual(1_024);
  });
});
