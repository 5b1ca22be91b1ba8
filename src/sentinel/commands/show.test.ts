import { describe, expect, it } from 'vitest';
import { PEER_B, SentinelDriver } from '../../../test/support/sentinel-driver.js';
import { ErrorReply, MapReply, type Reply } from '../../redis/reply.js';
import { Turn } from '../core/turn.js';
import { onCommand } from './command.js';

/** An entry as an object. */
function fields(reply: Reply | undefined): Record<string, string> {
  if (!(reply instanceof MapReply)) throw new Error(`not a map: ${JSON.stringify(reply)}`);
  return Object.fromEntries(reply.entries.map(([name, value]) => [String(name), String(value)]));
}

function names(reply: Reply | undefined): string[] {
  return Object.keys(fields(reply));
}

function list(reply: Reply): readonly Reply[] {
  if (!Array.isArray(reply)) throw new Error(`not a list: ${JSON.stringify(reply)}`);
  return reply;
}

function replica(driver: SentinelDriver, name: string): Record<string, string> {
  const entries = list(driver.command('SENTINEL', 'REPLICAS', 'm')).map(fields);
  const found = entries.find((each) => each['name'] === name);
  if (found === undefined) throw new Error(`no replica ${name}`);
  return found;
}

const master = (driver: SentinelDriver) => fields(driver.command('SENTINEL', 'MASTER', 'm'));

function settled(options = {}): SentinelDriver {
  const driver = new SentinelDriver(options);
  driver.advance(5_000);
  return driver;
}

describe('SENTINEL MASTER', () => {
  it('has whole milliseconds as ages, also when the clock has fractions', () => {
    const driver = settled();
    driver.now += 0.75;
    const { 'info-refresh': info, 'last-ping-reply': ping, 'role-reported-time': role } = master(driver);
    for (const age of [info, ping, role]) expect(age).toMatch(/^\d+$/);
  });

  it('shows the scripts only when there are any', () => {
    const driver = settled({ notificationScript: '/bin/a', clientReconfigScript: '/bin/b' });
    const shown = names(driver.command('SENTINEL', 'MASTER', 'm'));
    expect(shown.slice(-3)).toEqual(['parallel-syncs', 'notification-script', 'client-reconfig-script']);
    expect(names(settled().command('SENTINEL', 'MASTER', 'm')).at(-1)).toBe('parallel-syncs');
  });

  it('shows the settings that only Tanist has after all others, those that are on', () => {
    const driver = settled({ leaseTtl_ms: 1_000, ackReplicas: 1, paused: true, candidateLagMax_bytes: 65_536 });
    expect(names(driver.command('SENTINEL', 'MASTER', 'm')).slice(-5)).toEqual([
      ...['parallel-syncs', 'lease-ttl', 'ack-replicas', 'candidate-lag-max', 'paused'],
    ]);
    expect(master(driver)).toMatchObject({ 'lease-ttl': '1000', paused: 'yes' });
  });

  it('tells since when it is down, in the places of redis-sentinel', () => {
    const driver = settled();
    driver.peers.forEach((peer) => {
      peer.answer = () => [1, '*', 0];
    });
    driver.group.failoverStartAt = driver.now;
    driver.kill(1);
    driver.advance(2_000);
    const shown = master(driver);
    expect(shown['flags']).toBe('s_down,o_down,master,disconnected');
    const order = Object.keys(shown);
    const at = order.indexOf('last-ping-reply');
    expect(order.slice(at, at + 4)).toEqual([
      'last-ping-reply',
      's-down-time',
      'o-down-time',
      'down-after-milliseconds',
    ]);
    expect(Number(shown['s-down-time'])).toBeGreaterThan(900);
    const peer = list(driver.command('SENTINEL', 'SENTINELS', 'm')).map(fields)[0];
    expect(peer?.['flags']).toBe('sentinel,master_down');
  });

  it('shows the phase of a failover after link-refcount', () => {
    const driver = settled();
    driver.command('SENTINEL', 'FAILOVER', 'm', 'FORCE');
    const shown = master(driver);
    expect(shown).toMatchObject({
      flags: 'master,failover_in_progress,force_failover',
      'failover-state': 'wait_start',
    });
    const order = Object.keys(shown);
    expect(order[order.indexOf('link-refcount') + 1]).toBe('failover-state');
  });

  it.each([
    ['select', 'select_slave'],
    ['send-slaveof-noone', 'send_slaveof_noone'],
    ['wait-promotion', 'wait_promotion'],
    ['reconf', 'reconf_slaves'],
  ] as const)('calls the phase %s %s', (phase, word) => {
    const driver = settled();
    const [target] = driver.group.replicas.values();
    if (target === undefined) throw new Error('no replica');
    const since = { epoch: 1, startedAt: driver.now, since: driver.now, manual: 'no', to: null } as const;
    const old = driver.group.master;
    driver.group.failover =
      phase === 'select'
        ? { ...since, phase, unaided: false, halted: null }
        : phase === 'reconf'
          ? { ...since, phase, target, old, switched: false, keeperUntil: null }
          : { ...since, phase, target, obeyed: false };
    target.reconf = { state: 'inprog', since: driver.now };
    expect(fields(look(driver, 'MASTER'))).toMatchObject({
      flags: 'master,failover_in_progress',
      'failover-state': word,
    });
    const shown = fields(list(look(driver, 'REPLICAS'))[0]);
    expect(shown['flags']).toBe(`slave,${phase === 'select' ? '' : 'promoted,'}reconf_inprog`);
  });
});

/** Asks without letting the core go on with anything: what is shown is what was set by hand. */
function look(driver: SentinelDriver, subcommand: string): Reply {
  const turn = new Turn(driver.sentinel, driver.now);
  onCommand(turn, 1, ['SENTINEL', subcommand, 'm']);
  const [answer] = turn.effects;
  return answer?.act === 'answer' ? answer.reply : null;
}

describe('SENTINEL REPLICAS', () => {
  it('shows one that has not been heard of as redis-sentinel does', () => {
    const driver = new SentinelDriver({ replicas: [{ host: '10.0.0.9', port: 99 }] });
    expect(replica(driver, '10.0.0.9:99')).toMatchObject({
      runid: '',
      flags: 'slave,disconnected',
      'info-refresh': '0',
      'master-link-status': 'err',
      'master-host': '?',
      'master-port': '0',
      'slave-priority': '100',
    });
  });

  it('leaves out those that do not want to be announced', () => {
    const driver = settled();
    const [first] = driver.group.replicas.values();
    if (first === undefined) throw new Error('no replica');
    first.announced = false;
    expect(list(driver.command('SENTINEL', 'REPLICAS', 'm'))).toHaveLength(1);
    expect(master(driver)['num-slaves']).toBe('2');
  });

  it('writes an IPv6 address with brackets in the name', () => {
    const driver = new SentinelDriver({ replicas: [{ host: '::1', port: 7 }] });
    expect(replica(driver, '[::1]:7')['ip']).toBe('::1');
  });
});

describe('SENTINEL SENTINELS', () => {
  it('shows the vote of a peer', () => {
    const driver = settled();
    const peer = driver.group.sentinels.get(PEER_B);
    if (peer === undefined) throw new Error('no peer');
    peer.leader = PEER_B;
    peer.leaderEpoch = 3;
    const [entry] = list(driver.command('SENTINEL', 'SENTINELS', 'm')).map(fields);
    expect(entry).toMatchObject({ 'voted-leader': PEER_B, 'voted-leader-epoch': '3' });
  });
});

describe('synonyms', () => {
  it.each([
    [
      ['PRIMARY', 'm'],
      ['MASTER', 'm'],
    ],
    [['PRIMARIES'], ['MASTERS']],
    [
      ['GET-PRIMARY-ADDR-BY-NAME', 'm'],
      ['GET-MASTER-ADDR-BY-NAME', 'm'],
    ],
    [
      ['IS-PRIMARY-DOWN-BY-ADDR', '10.0.0.1', '1', '0', '*'],
      ['IS-MASTER-DOWN-BY-ADDR', '10.0.0.1', '1', '0', '*'],
    ],
    [
      ['SLAVES', 'm'],
      ['REPLICAS', 'm'],
    ],
  ])('%j is %j', (synonym, known) => {
    const driver = settled();
    expect(driver.command('SENTINEL', ...synonym)).toEqual(driver.command('SENTINEL', ...known));
  });

  it('names the word that was used when the arguments are wrong', () => {
    const wrong = settled().command('SENTINEL', 'Primary');
    expect(wrong).toEqual(new ErrorReply("ERR wrong number of arguments for 'sentinel|primary' command"));
  });
});

describe('SENTINEL INFO-CACHE', () => {
  it('has the master first and an age for each, and passes over unknown names', () => {
    const driver = settled();
    const [name, cached, ...more] = list(driver.command('SENTINEL', 'INFO-CACHE', 'nosuch', 'm'));
    expect([name, more]).toEqual(['m', []]);
    const entries = list(cached ?? []).map((entry) => list(entry));
    expect(entries).toHaveLength(3);
    expect(entries[0]?.[1]).toContain('role:master');
    expect(entries.every(([age]) => Number.isInteger(age))).toBe(true);
  });
});

describe('the other commands', () => {
  it('are refused', () => {
    expect(settled().command('GET', 'x')).toEqual(new ErrorReply("ERR unknown command 'GET'"));
  });
});
