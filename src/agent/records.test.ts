import { expect, it } from 'vitest';
import { PEER_B, SentinelDriver } from '../../test/support/sentinel-driver.js';
import { RecordWatch } from './records.js';

const TTL_MS = 1_000;

/** A Sentinel that votes, and who watches its record: once after every step, as the agent does. */
function watch() {
  const driver = new SentinelDriver({ leaseTtl_ms: TTL_MS });
  driver.advance(1_100);
  const records = new RecordWatch();
  const look = () => {
    const changes = records.look(driver.sentinel);
    records.handOvers(driver.sentinel);
    return changes.map(({ record, planned }) => ({ epoch: record.epoch, port: record.master.port, planned }));
  };
  look();
  return {
    look,
    /** The master at port 1 asks for its lease of epoch 0. */
    lease: (ttl_ms: number, ...more: string[]) => {
      driver.command('SENTINEL', 'LEASE', 'm', '10.0.0.1', '1', '0', String(ttl_ms), ...more);
      return look();
    },
    vote: (epoch: number) => {
      driver.command('SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', '10.0.0.1', '1', String(epoch), PEER_B);
      return look();
    },
    learn: (epoch: number, port: number) => {
      driver.hello(1, `10.0.0.2,11,${PEER_B},${epoch},m,10.0.0.1,${port},${epoch}`);
      return look();
    },
    wait: (ms: number) => driver.advance(ms),
  };
}

it('takes a change for planned when the master has consented to its election, also when the lease is back before the news', () => {
  for (const isBack of [false, true]) {
    const { lease, vote, learn } = watch();
    lease(TTL_MS, 'handover');
    vote(3);
    if (isBack) lease(0, 'it follows another now');
    expect(learn(3, 2)).toEqual([{ epoch: 3, port: 2, planned: true }]);
    expect(learn(4, 1)).toEqual([{ epoch: 4, port: 1, planned: false }]);
  }
});

it('takes no other change for planned', () => {
  const { lease, vote, learn, wait } = watch();
  lease(TTL_MS);
  wait(TTL_MS);
  vote(3);
  expect(learn(3, 2)).toEqual([{ epoch: 3, port: 2, planned: false }]);
});

it('does not take a failover for planned after a planned change that nobody was elected for', () => {
  const { lease, vote, learn, wait } = watch();
  lease(TTL_MS, 'handover');
  vote(3);
  lease(0, 'Redis ended');
  wait(TTL_MS);
  vote(4);
  expect(learn(4, 2)).toEqual([{ epoch: 4, port: 2, planned: false }]);
});
