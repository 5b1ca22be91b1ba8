import { describe, expect, it } from 'vitest';
import { PEER_B, SentinelDriver } from '../../../test/support/sentinel-driver.js';
import { currentMasterAddress } from './names.js';
import { SENTINELS_MAX } from './timing.js';

describe('a newer configuration that comes during a failover of ours', () => {
  it('voids it when it keeps the old master: one config epoch never has two masters', () => {
    const driver = new SentinelDriver();
    driver.peersAgree();
    driver.advance(5_000);
    // A replica that does not synchronise keeps the failover in its last phase.
    driver.fake(3).linkUp = false;
    driver.kill(1);
    while (driver.group.failover?.phase !== 'reconf') driver.advance(1);
    expect(driver.group.configEpoch).toBe(1);
    expect(currentMasterAddress(driver.group).port).toBe(2);
    driver.hello(3, `10.0.0.2,11,${PEER_B},2,m,10.0.0.1,1,2`);
    expect(driver.group.failover).toBeNull();
    expect(driver.group.configEpoch).toBe(2);
    expect(currentMasterAddress(driver.group).port).toBe(1);
    expect(driver.snapshots.at(-1)?.masters[0]).toMatchObject({ port: 1, configEpoch: 2 });
  });

  it('leaves one alone that is newer still', () => {
    const driver = new SentinelDriver();
    driver.advance(5_000);
    driver.sentinel.currentEpoch = 5;
    driver.peersAgree();
    for (const peer of driver.peers.values()) peer.answer = (_, candidate) => (candidate === '*' ? [1, '*', 0] : null);
    driver.kill(1);
    while (driver.group.failover === null) driver.advance(1);
    expect(driver.group.failover.epoch).toBe(6);
    driver.hello(3, `10.0.0.2,11,${PEER_B},5,m,10.0.0.1,1,3`);
    expect(driver.group.failover?.epoch).toBe(6);
    expect(driver.group.configEpoch).toBe(3);
  });
});

it('takes no more Sentinels than a group may have: whoever may publish could invent them', () => {
  const driver = new SentinelDriver();
  driver.advance(5_000);
  for (let index = 0; index < 2 * SENTINELS_MAX; index++) {
    const runId = index.toString(16).padStart(40, '0');
    driver.hello(3, `10.0.9.${index % 250},${20_000 + index},${runId},0,m,10.0.0.1,1,0`);
  }
  expect(driver.group.sentinels.size).toBe(SENTINELS_MAX);
  expect(driver.group.sentinels.has(PEER_B)).toBe(true);
});
