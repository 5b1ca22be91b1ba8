import { describe, expect, it } from 'vitest';
import { SentinelDriver } from '../../../test/support/sentinel-driver.js';
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';

function settled(): SentinelDriver {
  const driver = new SentinelDriver();
  driver.advance(5_000);
  return driver;
}

function set(driver: SentinelDriver, ...pairs: string[]): Reply {
  return driver.command('SENTINEL', 'SET', 'm', ...pairs);
}

describe('SENTINEL SET', () => {
  it.each([
    ['down-after-milliseconds', '1234', { downAfter_ms: 1234 }],
    ['failover-timeout', '1234', { failoverTimeout_ms: 1234 }],
    ['parallel-syncs', '4', { parallelSyncs: 4 }],
    ['quorum', '3', { quorum: 3 }],
    ['master-reboot-down-after-period', '0', { masterRebootDownAfter_ms: 0 }],
    ['primary-reboot-down-after-period', '5', { masterRebootDownAfter_ms: 5 }],
    ['auth-user', 'u', { authUser: 'u' }],
    ['auth-pass', 'p', { authPass: 'p' }],
    ['fast-down', 'yes', { fastDown: true }],
    ['FAST-DOWN', 'NO', { fastDown: false }],
    ['lease-ttl', '1000', { leaseTtl_ms: 1_000 }],
    ['ack-replicas', '1', { ackReplicas: 1 }],
    ['paused', 'yes', { paused: true }],
    ['candidate-lag-max', '65536', { candidateLagMax_bytes: 65_536 }],
  ])('%s %s takes effect, is told and kept', (option, value, changed) => {
    const driver = settled();
    driver.snapshots.length = 0;
    expect(set(driver, option, value)).toBe(OK);
    expect(driver.group).toMatchObject(changed);
    expect(driver.snapshots.at(0)?.masters[0]).toMatchObject(changed);
    const shown = option === 'auth-pass' ? '******' : value;
    expect(driver.events.at(-1)).toBe(`+set master m 10.0.0.1 1 ${option} ${shown}`);
  });

  it('changes nothing when any option is wrong, unlike redis-sentinel', () => {
    const driver = settled();
    const seen = driver.events.length;
    driver.snapshots.length = 0;
    expect(set(driver, 'quorum', '3', 'parallel-syncs', 'x')).toEqual(
      new ErrorReply("ERR Invalid argument 'x' for SENTINEL SET 'parallel-syncs'"),
    );
    expect(driver.group.quorum).toBe(2);
    expect(driver.events).toHaveLength(seen);
    expect(driver.snapshots).toEqual([]);
  });

  it('refuses counts that redis-sentinel lets overflow', () => {
    expect(set(settled(), 'parallel-syncs', '2147483648')).toBeInstanceOf(ErrorReply);
    expect(set(settled(), 'quorum', '2147483647')).toBe(OK);
  });

  it('renames commands and takes the renaming back', () => {
    const driver = settled();
    set(driver, 'rename-command', 'config', 'hidden');
    expect([...driver.group.renamedCommands]).toEqual([['CONFIG', 'hidden']]);
    set(driver, 'rename-command', 'CONFIG', 'config');
    expect([...driver.group.renamedCommands]).toEqual([]);
    expect(set(driver, 'rename-command', 'CONFIG', 'a b')).toBeInstanceOf(ErrorReply);
  });

  it('takes script paths only where the configuration allows it', () => {
    const driver = settled();
    expect(set(driver, 'notification-script', '')).toMatchObject({ code: 'ERR' });
    driver.sentinel.settings.denyScriptsReconfig = false;
    expect(set(driver, 'notification-script', '/bin/sh', 'client-reconfig-script', '/bin/sh')).toBe(OK);
    expect(driver.group).toMatchObject({ notificationScript: '/bin/sh', clientReconfigScript: '/bin/sh' });
  });

  it('opens the connections anew with new credentials, and does not forget a silence thereby', () => {
    const driver = settled();
    const before = [...driver.sentinel.conns.keys()];
    driver.fake(1).state = 'gone';
    driver.advance(700);
    set(driver, 'auth-pass', 'secret');
    const redisLinks = [driver.group.master, ...driver.group.replicas.values()].map(({ link }) => link);
    for (const { command } of redisLinks) expect(before).not.toContain(command.id);
    driver.advance(600);
    expect(driver.events).toContain('+sdown master m 10.0.0.1 1');
  });

  it('notices a silence by the new down-after', () => {
    const driver = settled();
    set(driver, 'down-after-milliseconds', '100');
    driver.fake(1).state = 'silent';
    driver.advance(250);
    expect(driver.events).toContain('+sdown master m 10.0.0.1 1');
  });

  it('judges by the new quorum at once', () => {
    const driver = settled();
    driver.kill(1);
    driver.advance(2_000);
    expect(driver.eventTypes()).not.toContain('+odown');
    set(driver, 'quorum', '1');
    expect(driver.events).toContain('+odown master m 10.0.0.1 1 #quorum 1/1');
  });
});
