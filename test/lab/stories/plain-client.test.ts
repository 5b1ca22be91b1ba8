/** The plain client against a real Redis: what it counts is what happened. */
import { beforeEach, describe, expect, it } from 'vitest';
import { startChild } from '../../support/child.js';
import { cleanupAfterEach } from '../../support/cleanup-after-each.js';
import { needs } from '../../support/needs.js';
import { type RedisServer, startRedis, startReplicated } from '../../support/redis-server.js';
import { until } from '../../support/until.js';
import { type ClientBooks, PlainClient, untilFlowing } from './plain-client.js';
import type { Door } from './system.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => void needs(context, 'redis-server'));

const here = {
  start: (command: string, args: readonly string[]) => startChild({ command, args }, cleanup),
};
const vip = (redis: RedisServer): Door => ({ kind: 'vip', host: '127.0.0.1', port: redis.port });

/** Lets writes flow, has something happen, lets them flow again, and closes the books. */
async function during(door: Door, event: () => Promise<void>): Promise<ClientBooks> {
  const client = new PlainClient(here, door, { deadline_ms: 300 });
  await untilFlowing([client], { for_ms: 300 });
  await event();
  await untilFlowing([client], { for_ms: 300 });
  return client.end();
}

const longest_ms = ({ gaps }: ClientBooks): number => Math.max(0, ...gaps.map(({ from, to }) => to - from));

describe('the plain client', () => {
  it('finds every write that was acknowledged', async () => {
    const redis = await startRedis(cleanup);
    const books = await during(vip(redis), async () => {});
    expect(books).toMatchObject({
      errors: {},
      late: 0,
      connectionsLost: 0,
      refused: 0,
      lost: 0,
      lostAt: null,
      unread: 0,
    });
    expect(books.acknowledged).toBeGreaterThan(50);
    expect(await redis.cli('DBSIZE')).toBeGreaterThanOrEqual(books.acknowledged);
  });

  it('counts a connection lost, the pause, and the writes that a Redis came back without', async () => {
    const redis = await startRedis(cleanup);
    let before = 0;
    const books = await during(vip(redis), async () => {
      before = Number(await redis.cli('DBSIZE'));
      await redis.kill9();
      await redis.start();
    });
    // A second one may be made in the very moment in which Redis dies.
    expect([1, 2]).toContain(books.connectionsLost);
    expect(books.late).toBe(0);
    expect(books.lost).toBeGreaterThanOrEqual(before);
    expect(books.lost).toBeLessThan(books.acknowledged);
    expect(books.lostAt?.from).toBeLessThan(books.lostAt?.to ?? 0);
    expect(longest_ms(books)).toBeGreaterThan(10);
  });

  it('gives up a connection that does not answer in time, and repeats the number', async () => {
    const redis = await startRedis(cleanup);
    const books = await during(vip(redis), async () => {
      redis.freeze();
      await until(() => new Promise((resolve) => setTimeout(() => resolve(true), 700)), { what: 'time' });
      redis.thaw();
    });
    expect(books.late).toBeGreaterThanOrEqual(1);
    expect(books).toMatchObject({ lost: 0, unread: 0, errors: {} });
    expect(longest_ms(books)).toBeGreaterThan(600);
  });

  it('counts refusals by their first word', async () => {
    const redis = await startRedis(cleanup);
    const books = await during(vip(redis), async () => {
      await redis.cli('CONFIG', 'SET', 'min-replicas-to-write', 1);
      await until(async () => /errorstat_NOREPLICAS:count=/.test(String(await redis.cli('INFO', 'errorstats'))), {
        what: 'a refused write',
      });
      await redis.cli('CONFIG', 'SET', 'min-replicas-to-write', 0);
    });
    expect(Object.keys(books.errors)).toEqual(['NOREPLICAS']);
    expect(books).toMatchObject({ lost: 0, connectionsLost: 0 });
  });

  it('says what it could not look up', async () => {
    const redis = await startRedis(cleanup);
    const client = new PlainClient(here, vip(redis), { lookUp_ms: 200 });
    await untilFlowing([client], { for_ms: 200 });
    await redis.kill9();
    const books = await client.end();
    expect(books.unread).toBe(books.acknowledged);
    expect(books.lost).toBe(0);
  });

  it('asks Sentinels for the master, and leaves one that is none any more', async (context) => {
    needs(context, 'redis-sentinel');
    const { startSentinel } = await import('../../support/redis-sentinel.js');
    const [master, replica] = await startReplicated(cleanup, { replicas: 1 });
    const config = `sentinel monitor mymaster 127.0.0.1 ${master.port} 1\nsentinel failover-timeout mymaster 5000`;
    const sentinel = await startSentinel(cleanup, { config });
    await until(async () => (await sentinel.fields('SENTINEL', 'MASTER', 'mymaster'))['num-slaves'] === '1', {
      what: 'the Sentinel to know the replica',
    });
    const door: Door = { kind: 'sentinel', sentinels: [{ host: '127.0.0.1', port: sentinel.port }], name: 'mymaster' };
    const books = await during(door, async () => {
      await sentinel.cli('SENTINEL', 'FAILOVER', 'mymaster');
      await until(async () => (await sentinel.masterPort('mymaster')) === replica.port, { what: 'the switch' });
      await master.kill9();
    });
    expect(books.connectionsLost).toBeGreaterThanOrEqual(1);
    expect(books.unread).toBe(0);
    const [left, right] = [books.acknowledged - books.lost, Number(await replica.cli('DBSIZE'))];
    expect(Math.abs(right - left)).toBeLessThanOrEqual(1);
  });
});
