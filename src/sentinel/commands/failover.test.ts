import { describe, expect, it } from 'vitest';
import { PEER_B, SentinelDriver } from '../../../test/support/sentinel-driver.js';
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';

function settled(): SentinelDriver {
  const driver = new SentinelDriver();
  driver.peersAgree();
  driver.advance(5_000);
  return driver;
}

function message(reply: Reply): string {
  return reply instanceof ErrorReply ? reply.message : '';
}

describe('SENTINEL FAILOVER', () => {
  it('says for each replica why it cannot be promoted', () => {
    const driver = settled();
    driver.fake(2).priority = 0;
    driver.kill(3);
    driver.advance(12_000);
    const refused = message(driver.command('SENTINEL', 'FAILOVER', 'm'));
    expect(refused).toMatch(/^NOGOODSLAVE No suitable replica to promote: /);
    expect(refused).toContain('10.0.0.1:2: replica-priority is 0');
    expect(refused).toMatch(/10\.0\.0\.1:3: down \(/);
    expect(driver.group.failover).toBeNull();
  });

  it('says that none is known', () => {
    const driver = new SentinelDriver({ replicas: [] });
    expect(message(driver.command('SENTINEL', 'FAILOVER', 'm'))).toContain('no replica is known');
  });

  it('is refused in TILT, since it would begin long after it was asked for', () => {
    const driver = settled();
    driver.sentinel.tiltSince = driver.now - 1_000;
    expect(message(driver.command('SENTINEL', 'FAILOVER', 'm'))).toBe(
      'ERR This Sentinel is in TILT mode and does not act for 30 s: ask another one',
    );
    expect(driver.group.failover).toBeNull();
  });

  it('runs one at a time', () => {
    const driver = settled();
    driver.fake(1).state = 'silent';
    expect(driver.command('SENTINEL', 'FAILOVER', 'm')).toBe(OK);
    expect(driver.command('SENTINEL', 'FAILOVER', 'm')).toEqual(new ErrorReply('INPROG Failover already in progress'));
  });

  it.each([
    [[], true],
    [['COORDINATED'], true],
    [['coordinated'], true],
    [['FORCE'], false],
  ])('%j asks the master to hand over: %s', (how, asks) => {
    const driver = settled();
    expect(driver.command('SENTINEL', 'FAILOVER', 'm', ...how)).toBe(OK);
    driver.advance(2_000);
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
    expect(driver.fake(1).asked.some((words) => /^(FAILOVER TO|CLIENT PAUSE) /.test(words))).toBe(asks);
  });

  it('gives a coordinated one up when the master will not help, with its words', () => {
    const driver = settled();
    Object.assign(driver.fake(1), { refusesPause: true, refusesHandOver: true });
    expect(driver.command('SENTINEL', 'FAILOVER', 'm', 'COORDINATED')).toBe(OK);
    driver.advance(2_000);
    expect(driver.group.failover).toBeNull();
    expect(driver.logs.join('\n')).toMatch(/given up .*: the master will not help: NOPERM .* to hand over/);
    expect(driver.fake(1).asked).not.toContain('CLIENT UNPAUSE');
  });

  it('refuses to coordinate with a master that cannot take part, and says why', () => {
    const driver = settled();
    driver.peers.forEach((peer) => {
      peer.answer = () => [0, '*', 0];
    });
    driver.kill(1);
    expect(message(driver.command('SENTINEL', 'FAILOVER', 'm', 'COORDINATED'))).toContain('it is not connected');
    driver.advance(1_500);
    expect(message(driver.command('SENTINEL', 'FAILOVER', 'm', 'COORDINATED'))).toContain('it is down (');
    expect(driver.command('SENTINEL', 'FAILOVER', 'm', 'FORCE')).toBe(OK);
  });

  it('knows no other manner', () => {
    expect(message(settled().command('SENTINEL', 'FAILOVER', 'm', 'gently'))).toContain("'gently'");
    expect(message(settled().command('SENTINEL', 'FAILOVER', 'm', ''))).toContain("''");
  });

  it('crashes where SIMULATE-FAILURE asked for it, also when asked for by hand', () => {
    const driver = settled();
    driver.command('SENTINEL', 'SIMULATE-FAILURE', 'crash-after-election');
    driver.command('SENTINEL', 'FAILOVER', 'm');
    driver.advance(100);
    expect(driver.logs).toContain('crash');
  });
});

describe('SENTINEL CKQUORUM', () => {
  it('names those that are missing', () => {
    const driver = settled();
    driver.peers.forEach((peer) => {
      peer.state = 'gone';
    });
    driver.advance(5_000);
    const refused = message(driver.command('SENTINEL', 'CKQUORUM', 'm'));
    expect(refused).toMatch(/^NOQUORUM 1 usable Sentinels\. Not enough .* quorum .*\. Not enough .* majority/);
    expect(refused).toContain(`Down: sentinel ${PEER_B} 10.0.0.2 11 @ m 10.0.0.1 1, sentinel`);
  });

  it('says how few are known when none is missing', () => {
    const driver = settled();
    driver.command('SENTINEL', 'SET', 'm', 'quorum', '7');
    expect(message(driver.command('SENTINEL', 'CKQUORUM', 'm'))).toMatch(/\. Only 3 Sentinels are known$/);
  });

  it('is content with a majority', () => {
    const driver = settled();
    driver.peers.forEach((peer, port) => {
      if (port === 11) peer.state = 'gone';
    });
    driver.advance(5_000);
    expect(driver.command('SENTINEL', 'CKQUORUM', 'm')).toMatchObject({ text: expect.stringMatching(/^OK 2 usable/) });
  });
});

describe('SENTINEL IS-MASTER-DOWN-BY-ADDR', () => {
  const ask = (driver: SentinelDriver, ...args: string[]) =>
    driver.command('SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', ...args);

  it('gives a vote, keeps it before it is told, and gives it once', () => {
    const driver = settled();
    expect(ask(driver, '10.0.0.1', '1', '5', PEER_B)).toEqual([0, PEER_B, 5]);
    expect(driver.snapshots.at(-1)).toMatchObject({ currentEpoch: 5, masters: [{ leaderEpoch: 5 }] });
    expect(ask(driver, '10.0.0.1', '1', '5', 'd'.repeat(40))).toEqual([0, PEER_B, 5]);
  });

  it.each([
    ['a port beyond 65535', ['10.0.0.1', '65536', '0', '*']],
    ['a negative port', ['10.0.0.1', '-1', '0', '*']],
    ['a negative epoch', ['10.0.0.1', '1', '-1', '*']],
    ['an epoch that cannot be told to others', ['10.0.0.1', '1', '1000000000000000', PEER_B]],
    ['a fraction', ['10.0.0.1', '1', '1.5', PEER_B]],
    ['leading zeros', ['10.0.0.1', '01', '1', PEER_B]],
    ['a short run id', ['10.0.0.1', '1', '1', 'abc']],
    ['a run id with a comma', ['10.0.0.1', '1', '1', `${'a'.repeat(39)},`]],
  ])('refuses %s, and no epoch is followed', (_what, args) => {
    const driver = settled();
    expect(ask(driver, ...args)).toBeInstanceOf(ErrorReply);
    expect(driver.sentinel.currentEpoch).toBe(0);
  });

  it('says whether the master is down, but not in TILT', () => {
    const driver = new SentinelDriver();
    driver.advance(5_000);
    driver.kill(1);
    driver.advance(1_500);
    expect(ask(driver, '10.0.0.1', '1', '0', '*')).toEqual([1, '*', 0]);
    driver.sentinel.tiltSince = driver.now;
    expect(ask(driver, '10.0.0.1', '1', '0', '*')).toEqual([0, '*', 0]);
  });
});
