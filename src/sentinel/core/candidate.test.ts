import { describe, expect, it } from 'vitest';
import { SentinelDriver } from '../../../test/support/sentinel-driver.js';

describe('the choice of a candidate', () => {
  it('takes a Redis that is a master already when the master that we know follows it', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    // As a Sentinel leaves it that dies between a promotion and its +switch-master.
    Object.assign(driver.fake(2), { role: 'master' });
    Object.assign(driver.fake(1), { role: 'slave', masterPort: 2 });
    driver.fake(3).priority = 0;
    driver.advance(60_000);
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
    expect(driver.group.master.link.address.port).toBe(2);
  });

  it('takes a replica that was promoted when the Sentinel that did it died before it could tell', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    Object.assign(driver.fake(2), { role: 'master' });
    driver.fake(3).priority = 0;
    driver.kill(1);
    driver.advance(5_000);
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
  });

  it('rather takes one that is still a replica', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    Object.assign(driver.fake(2), { role: 'master', priority: 1, offset: 1_000 });
    driver.kill(1);
    driver.advance(5_000);
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 3');
    expect(driver.logs.join('\n')).toContain('Not chosen as master of m: 10.0.0.1:2: reports to be a master');
  });

  it('leaves a Redis alone that says it is a master and has not been a replica of ours', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    Object.assign(driver.fake(2), { role: 'master' });
    driver.fake(3).priority = 0;
    driver.advance(1_000);
    driver.kill(1);
    driver.advance(5_000);
    expect(driver.eventTypes()).toContain('-failover-abort-no-good-slave');
    expect(driver.logs.join('\n')).toContain('10.0.0.1:2: reports to be a master');
  });

  it('takes a replica that lost its link long ago when the master has come back as a replica', () => {
    const driver = new SentinelDriver({ downAfter_ms: 500, failoverTimeout_ms: 2_000 });
    driver.peersAgree();
    driver.advance(5_000);
    // As after a restart of the master with a configuration file from before the last failover: a ring of two.
    Object.assign(driver.fake(1), { role: 'slave', masterPort: 2 });
    for (const port of [2, 3]) Object.assign(driver.fake(port), { linkUp: false, linkDownSince_s: 60 });
    driver.advance(60_000);
    expect(driver.eventTypes()).toContain('+switch-master');
  });

  it('leaves the others their turn when it finds nobody: they may know or reach a replica that we do not', () => {
    const driver = new SentinelDriver({ failoverTimeout_ms: 2_000 });
    driver.peersAgree();
    for (const port of [2, 3]) driver.fake(port).priority = 0;
    driver.advance(15_000);
    driver.kill(1);
    const tries = (): number => driver.eventTypes().filter((type) => type === '+try-failover').length;
    while (!driver.eventTypes().includes('-failover-abort-no-good-slave')) driver.advance(10);
    expect(tries()).toBe(1);
    driver.advance(2 * 2_000 + 950);
    expect(tries()).toBe(1);
    driver.advance(150);
    expect(tries()).toBe(2);
  });
});
