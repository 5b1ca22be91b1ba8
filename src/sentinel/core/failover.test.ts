import { describe, expect, it } from 'vitest';
import { PEER_B, SentinelDriver } from '../../../test/support/sentinel-driver.js';
import { OK } from '../../redis/reply.js';

/** Events of a group's failover, without those of discovery. */
function story(driver: SentinelDriver): string[] {
  return driver
    .eventTypes()
    .filter((type) => !['+monitor', '+sentinel', '+role-change', '-role-change'].includes(type));
}

describe('failover of a dead master', () => {
  it('tells the events in the order that redis-sentinel tells them', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    expect(story(driver)).toEqual([]);
    driver.kill(1);
    driver.advance(3_000);
    expect(story(driver)).toEqual([
      '+sdown',
      '+odown',
      '+new-epoch',
      '+try-failover',
      '+vote-for-leader',
      '+elected-leader',
      '+failover-state-select-slave',
      '+selected-slave',
      '+failover-state-send-slaveof-noone',
      '+failover-state-wait-promotion',
      '+promoted-slave',
      '+failover-state-reconf-slaves',
      '+slave-reconf-sent',
      '+slave-reconf-inprog',
      '+slave-reconf-done',
      '+failover-end',
      '+switch-master',
      '+slave',
      '+slave',
      '+sdown',
    ]);
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
    expect(driver.group.master.link.address.port).toBe(2);
    expect(driver.fake(3).masterPort).toBe(2);
  });

  it('needs tens of milliseconds from SDOWN to the new master', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    driver.kill(1);
    while (!driver.eventTypes().includes('+sdown')) driver.advance(1);
    const downAt = driver.now;
    while (!driver.eventTypes().includes('+switch-master')) driver.advance(1);
    expect(driver.now - downAt).toBeLessThan(60);
  });

  it('takes the answer to its order for the promotion: INFO may come later', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    for (const port of [2, 3]) driver.fake(port).hidesInfo = true;
    driver.kill(1);
    driver.advance(2_000);
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
  });

  it('does not take it for one when the order was refused', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    for (const port of [2, 3]) driver.fake(port).staysWithMaster = true;
    driver.kill(1);
    driver.advance(2_000);
    expect(driver.eventTypes()).toContain('+failover-state-wait-promotion');
    expect(driver.eventTypes()).not.toContain('+promoted-slave');
  });

  it('turns the old master into a replica as soon as it is back', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    driver.kill(1);
    driver.advance(5_000);
    driver.fake(1).state = 'up';
    driver.advance(1_500);
    expect(driver.fake(1).role).toBe('slave');
    expect(driver.fake(1).asked.slice(-7)).toEqual([
      'MULTI',
      'SLAVEOF 10.0.0.1 2',
      'CONFIG REWRITE',
      'CLIENT KILL TYPE normal',
      'CLIENT KILL TYPE pubsub',
      'EXEC',
      // Whoever gives the order ends a pause that another Sentinel's planned failover may have begun.
      'CLIENT UNPAUSE',
    ]);
    expect(driver.eventTypes().slice(-3)).toEqual(['-sdown', '+convert-to-slave', '+role-change']);
  });

  it('chooses by fresh offsets and says why the others were not chosen', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    driver.fake(3).offset = 4_096;
    driver.kill(1);
    driver.advance(3_000);
    expect(driver.group.master.link.address.port).toBe(3);
    expect(driver.logs).toContain('Not chosen as master of m: 10.0.0.1:2: 3996 bytes behind 10.0.0.1:3');
  });

  it('says for each replica why none can be chosen, and tries again once one can', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.fake(2).priority = 0;
    driver.fake(3).priority = 0;
    driver.advance(5_000);
    driver.kill(1);
    driver.advance(3_000);
    expect(driver.eventTypes()).toContain('-failover-abort-no-good-slave');
    expect(driver.logs.join('\n')).toContain('10.0.0.1:2: replica-priority is 0; 10.0.0.1:3: replica-priority is 0');
    driver.fake(3).priority = 10;
    driver.advance(5_000);
    expect(driver.group.master.link.address.port).toBe(3);
  });

  it('does not start without the quorum', () => {
    const driver = new SentinelDriver();
    driver.advance(5_000);
    driver.kill(1);
    driver.advance(120_000);
    expect(story(driver)).toEqual(['+sdown']);
  });

  it('does not lead without a majority', () => {
    const driver = new SentinelDriver({ quorum: 1 });
    driver.advance(5_000);
    driver.kill(1);
    driver.advance(15_000);
    expect(story(driver)).toContain('-failover-abort-not-elected');
    expect(story(driver)).not.toContain('+elected-leader');
    expect(driver.fake(2).role).toBe('slave');
  });
});

describe('fast-down', () => {
  it('takes refused connections of a living host for down at once', () => {
    const driver = new SentinelDriver({ downAfter_ms: 30_000, fastDown: true });
    driver.peersAgree();
    driver.advance(5_000);
    driver.kill(1);
    driver.advance(200);
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
  });

  it('waits for down-after when the host is only silent', () => {
    const driver = new SentinelDriver({ downAfter_ms: 30_000, fastDown: true });
    driver.peersAgree();
    driver.advance(5_000);
    driver.fake(1).state = 'silent';
    driver.advance(29_000);
    expect(story(driver)).toEqual([]);
    driver.advance(3_000);
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
  });
});

describe('a planned failover', () => {
  it('pauses writes, and promotes only when the offsets are equal', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    driver.fake(1).offset = 200;
    expect(driver.command('SENTINEL', 'FAILOVER', 'm')).toEqual(OK);
    driver.advance(200);
    expect(driver.fake(1).asked).toEqual(['CLIENT PAUSE 500 WRITE']);
    expect(driver.fake(2).role).toBe('slave');
    driver.fake(2).offset = 200;
    driver.advance(1_000);
    expect(driver.fake(2).role).toBe('master');
    expect(driver.fake(1).role).toBe('slave');
    expect(driver.fake(1).masterPort).toBe(2);
    // Its clients are disconnected, so that they look for the new master, and none is left waiting.
    expect(driver.fake(1).asked).toContain('CLIENT KILL TYPE normal');
    expect(driver.fake(1).asked.at(-1)).toBe('CLIENT UNPAUSE');
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
  });

  it('says nothing to the paused master that would stand before its orders', () => {
    const driver = new SentinelDriver({ downAfter_ms: 30_000 });
    driver.peersAgree();
    driver.advance(5_000);
    driver.fake(1).offset = 200;
    driver.command('SENTINEL', 'FAILOVER', 'm');
    const before = driver.fake(1).hellos;
    driver.advance(2_900);
    expect(driver.group.failover?.phase).toBe('coordinate');
    expect(driver.fake(1).hellos).toBe(before);
  });

  it('waits for what the master says of itself: it may have been a replica when it was last heard', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.fake(1).role = 'slave';
    driver.advance(10_100);
    Object.assign(driver.fake(1), { role: 'master', state: 'silent' });
    driver.command('SENTINEL', 'FAILOVER', 'm');
    driver.advance(100);
    expect(driver.group.failover?.phase).toBe('select');
    // Not for ever: what it could have helped with is lost then.
    driver.advance(300);
    expect(driver.fake(2).asked).toContain('SLAVEOF NO ONE');
  });

  it('lets Redis hand over by its own FAILOVER where the pause is refused, and promotes nobody itself', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.fake(1).refusesPause = true;
    driver.advance(5_000);
    driver.command('SENTINEL', 'FAILOVER', 'm');
    driver.advance(500);
    expect(driver.fake(1).asked.slice(0, 2)).toEqual(['CLIENT PAUSE 500 WRITE', 'FAILOVER TO 10.0.0.1 2 TIMEOUT 500']);
    expect(driver.fake(2).asked).not.toContain('SLAVEOF NO ONE');
    expect(driver.fake(2).asked).toContain('CONFIG REWRITE');
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
  });

  it('changes nothing when the master knows a reason against it, such as a target that does not follow it yet', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.fake(1).refusesPause = true;
    driver.fake(1).refusesFailover = 'ERR FAILOVER target HOST and PORT is not a replica.';
    driver.advance(5_000);
    driver.command('SENTINEL', 'FAILOVER', 'm');
    driver.advance(2_000);
    expect(driver.fake(2).role).toBe('slave');
    expect(driver.eventTypes()).toContain('-failover-abort-slave-timeout');
    expect(driver.logs.join('\n')).toContain('is not a replica');
  });

  it('goes on as redis-sentinel does, with a warning, where the master knows neither command', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.fake(1).refusesPause = true;
    driver.fake(1).refusesFailover = "ERR unknown command 'FAILOVER'";
    driver.advance(5_000);
    driver.command('SENTINEL', 'FAILOVER', 'm');
    driver.advance(2_000);
    expect(driver.fake(2).role).toBe('master');
    expect(driver.logs.join('\n')).toContain('writes may be lost in this failover');
  });

  it('does not take an offset of another history for having caught up', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    for (const port of [2, 3]) Object.assign(driver.fake(port), { linkUp: false, offset: 5_000 });
    driver.advance(5_000);
    driver.command('SENTINEL', 'FAILOVER', 'm');
    driver.advance(2_000);
    expect(driver.fake(2).role).toBe('slave');
    // The pause ends by itself: another Sentinel may rely on it.
    expect(driver.fake(1).asked).toEqual(['CLIENT PAUSE 500 WRITE']);
  });

  it('gives up, and lets writes go on, when the target does not catch up', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    driver.fake(1).offset = 200;
    driver.command('SENTINEL', 'FAILOVER', 'm');
    driver.advance(10_000);
    // The pause ends by itself: another Sentinel may rely on it.
    expect(driver.fake(1).asked).toEqual(['CLIENT PAUSE 500 WRITE']);
    expect(driver.fake(2).role).toBe('slave');
    expect(driver.eventTypes()).toContain('-failover-abort-slave-timeout');
    // The next death of the master is not made to wait for it.
    driver.kill(1);
    driver.advance(3_000);
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
  });

  it('gives way to another Sentinel that our vote went to in a later epoch', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    driver.fake(1).offset = 200;
    driver.command('SENTINEL', 'FAILOVER', 'm');
    driver.advance(100);
    expect(driver.group.failover?.phase).toBe('coordinate');
    driver.command('SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', '10.0.0.1', '1', '9', PEER_B);
    expect(driver.group.failover).toBeNull();
    driver.fake(2).offset = 200;
    driver.advance(2_000);
    expect(driver.fake(2).role).toBe('slave');
    expect(driver.fake(1).asked).toEqual(['CLIENT PAUSE 500 WRITE']);
  });
});
