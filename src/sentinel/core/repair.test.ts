import { describe, expect, it } from 'vitest';
import { PEER_B, SentinelDriver } from '../../../test/support/sentinel-driver.js';

/** A group whose change from 1 to 2 another Sentinel has led: here it is only heard of. */
function observerOfSwitch(): SentinelDriver {
  const driver = new SentinelDriver();
  driver.advance(5_000);
  driver.kill(1);
  driver.fake(2).role = 'master';
  driver.fake(3).masterPort = 2;
  driver.advance(100);
  driver.hello(2, `10.0.0.2,11,${PEER_B},3,m,10.0.0.1,2,3`);
  driver.advance(5_000);
  expect(driver.group.master.link.address.port).toBe(2);
  return driver;
}

describe('the old master', () => {
  it('is demoted once a majority was heard since it is back', () => {
    const driver = observerOfSwitch();
    driver.fake(1).state = 'up';
    driver.advance(1_500);
    expect(driver.fake(1).role).toBe('master');
    driver.hello(2, `10.0.0.2,11,${PEER_B},3,m,10.0.0.1,2,3`);
    driver.advance(100);
    expect(driver.fake(1).role).toBe('slave');
    expect(driver.fake(1).masterPort).toBe(2);
  });

  it('is left alone by a Sentinel that has not heard from a majority since it is back', () => {
    const driver = observerOfSwitch();
    driver.fake(1).state = 'up';
    driver.advance(5_000);
    expect(driver.fake(1).role).toBe('master');
  });

  it('is left alone in maintenance, as always in a pair', () => {
    const driver = observerOfSwitch();
    driver.command('SENTINEL', 'PAUSE', 'm', 'on');
    driver.fake(1).state = 'up';
    driver.advance(20_000);
    expect(driver.fake(1).role).toBe('master');
    driver.command('SENTINEL', 'PAUSE', 'm', 'off');
    driver.advance(1_000);
    expect(driver.fake(1).role).toBe('slave');
  });

  it('is turned into a replica after eight seconds in any case, as redis-sentinel does', () => {
    const driver = observerOfSwitch();
    driver.fake(1).state = 'up';
    driver.advance(12_000);
    expect(driver.fake(1).role).toBe('slave');
  });

  it('is demoted at once by the leader of the change, but not by one that was cut off from the others since', () => {
    for (const cutOff of [false, true]) {
      const driver = new SentinelDriver();
      driver.peersAgree();
      driver.advance(5_000);
      driver.kill(1);
      driver.advance(3_000);
      expect(driver.group.master.link.address.port).toBe(2);
      if (cutOff) for (const port of [11, 12]) driver.peer(port).state = 'gone';
      driver.advance(1_500);
      Object.assign(driver.fake(1), { state: 'up', role: 'master' });
      driver.advance(2_000);
      expect(driver.fake(1).role).toBe(cutOff ? 'master' : 'slave');
    }
  });

  it('is left alone while the new master is not known to be one', () => {
    const driver = observerOfSwitch();
    driver.fake(2).role = 'slave';
    driver.fake(1).state = 'up';
    driver.advance(1_500);
    driver.hello(3, `10.0.0.2,11,${PEER_B},3,m,10.0.0.1,2,3`);
    driver.advance(1_500);
    expect(driver.fake(1).role).toBe('master');
  });
});

describe('a replica', () => {
  it('that follows somebody else is put right after failover-timeout', () => {
    const driver = new SentinelDriver({ failoverTimeout_ms: 20_000 });
    driver.advance(5_000);
    driver.fake(3).masterPort = 99;
    driver.advance(25_000);
    expect(driver.fake(3).masterPort).toBe(99);
    driver.advance(20_000);
    expect(driver.fake(3).masterPort).toBe(1);
    expect(driver.eventTypes()).toContain('+fix-slave-config');
  });
});

describe('TILT', () => {
  it('follows a stall of our own, and for half a minute nothing is done', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    driver.now += 10_000;
    driver.input({ on: 'tick' });
    expect(driver.eventTypes()).toContain('+tilt');
    driver.kill(1);
    driver.advance(25_000);
    expect(driver.eventTypes()).not.toContain('+sdown');
    driver.advance(10_000);
    expect(driver.eventTypes()).toContain('-tilt');
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
  });

  it('is short where the masters are leased', () => {
    const driver = new SentinelDriver({ leaseTtl_ms: 1_000 });
    driver.peersAgree();
    driver.advance(5_000);
    driver.now += 10_000;
    driver.input({ on: 'tick' });
    expect(driver.eventTypes()).toContain('+tilt');
    driver.kill(1);
    driver.advance(2_500);
    expect(driver.eventTypes()).not.toContain('-tilt');
    driver.advance(2_500);
    expect(driver.eventTypes()).toContain('-tilt');
    expect(driver.events).toContain('+switch-master m 10.0.0.1 1 10.0.0.1 2');
  });
});
