/** Writes that are acknowledged only when a replica has them: `durability: replicated`. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { type RedisServer, startReplicated as startFollowed } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { bulk, type RoutedProxy, req, startRouted, Talk } from './proxy-support.js';

const cleanup = cleanupAfterEach();

function startScene(groups: readonly string[] = ['one'], hold_ms = 5_000): Promise<RoutedProxy> {
  return startRouted(cleanup, ['hash: md5', 'durability: replicated', `hold_timeout: ${hold_ms}`], groups);
}

/** A master and a replica that takes writes: a master sends the first once the replica has said that it is ready. */
async function startReplicated(): Promise<[RedisServer, RedisServer]> {
  const [master, replica] = await startFollowed(cleanup, { replicas: 1 });
  await master.cli('SET', 'first', '1');
  await until(async () => (await replica.cli('GET', 'first')) === '1', { what: 'the replica to have the first write' });
  return [master, replica];
}

beforeEach((context) => {
  needs(context, 'redis-server');
});

describe('a write', () => {
  it('is acknowledged when a replica has it; reads of others do not wait for that', async () => {
    const [master, replica] = await startReplicated();
    const { port, route } = await startScene();
    route(1, master);
    const writer = new Talk(port, cleanup);
    const reader = new Talk(port, cleanup);
    writer.send(req('SET', 'k', 'v'));
    await writer.gets('+OK\r\n');
    expect(await replica.cli('GET', 'k')).toBe('v');
    replica.freeze();
    writer.send(req('SET', 'k', 'w') + req('GET', 'k'));
    await until(async () => (await master.cli('GET', 'k')) === 'w', { what: 'the master to have it' });
    reader.send(req('GET', 'k') + req('PING'));
    await reader.gets(`${bulk('w')}+PONG\r\n`);
    replica.thaw();
    await writer.gets(`+OK\r\n${bulk('w')}`);
    expect(await replica.cli('GET', 'k')).toBe('w');
  });

  it('is refused honestly when no replica has it in time; errors of the master are its own', async () => {
    const [master, replica] = await startReplicated();
    const { port, route } = await startScene(['one'], 300);
    route(1, master);
    await replica.kill9();
    const client = new Talk(port, cleanup);
    client.send(req('SET', 'k', 'v') + req('LPUSH', 'k', 'v') + req('GET', 'k'));
    const refusal = 'NOREPLICAS the write is on the master, but no replica had it within 300 ms';
    await client.gets(`-${refusal}\r\n`);
    expect(await client.line()).toMatch(/^-WRONGTYPE/);
    await client.gets(bulk('v'));
  });

  it('waits while the replicas of a new master are on their way to it, and is refused when they do not come', async () => {
    const [master, replica] = await startReplicated();
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    await until(async () => /connected_slaves:0/.test(String(await master.cli('INFO', 'replication'))), {
      what: 'it to leave',
    });
    await master.cli('CONFIG', 'SET', 'min-replicas-to-write', '1');
    const { port, route } = await startScene();
    route(1, master);
    const client = new Talk(port, cleanup);
    client.send(req('SET', 'k', 'v'));
    await replica.cli('REPLICAOF', '127.0.0.1', String(master.port));
    await client.gets('+OK\r\n');
    await replica.kill9();
    client.send(req('SET', 'k', 'w'));
    expect(await client.line()).toMatch(/^-NOREPLICAS/);
  });

  it('of any kind waits', async () => {
    const [master, replica] = await startReplicated();
    const { port, route } = await startScene(['one'], 300);
    route(1, master);
    const client = new Talk(port, cleanup);
    client.send(req('MSET', 'a', '1', 'b', '2') + req('DEL', 'a', 'b'));
    await client.gets('+OK\r\n:2\r\n');
    client.send(req('WATCH', 'n') + req('MULTI') + req('INCR', 'n') + req('EXEC'));
    await client.gets('+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n:1\r\n');
    const large = 'x'.repeat(600_000);
    client.send(req('SET', 'large', large));
    await client.gets('+OK\r\n');
    expect(await replica.cli('STRLEN', 'large')).toBe(600_000);
    client.send(req('RPUSH', 'list', 'a', 'b'));
    await client.gets(':2\r\n');
    await replica.kill9();
    const kinds = [
      [req('MULTI') + req('INCR', 'n') + req('EXEC'), '+OK\r\n+QUEUED\r\n'],
      [req('EVAL', "return redis.call('incr', KEYS[1])", 1, 'n'), ''],
      [req('BLPOP', 'list', 1), ''],
      [req('SET', 'large', large), ''],
      [req('FLUSHALL'), ''],
    ] as const;
    for (const [request, before] of kinds) {
      client.send(request);
      await client.gets(before);
      expect(await client.line()).toMatch(/^-NOREPLICAS the write is on the master/);
    }
    expect(await master.cli('DBSIZE')).toBe(0);
    client.send(req('DBSIZE') + req('SCAN', 0) + req('PUBLISH', 'c', 'm'));
    await client.gets(`:0\r\n*2\r\n${bulk('0')}*0\r\n:0\r\n`);
  });

  it('keeps its place among the requests of its client, and others are not given its reply', async () => {
    const one = await startReplicated();
    const two = await startReplicated();
    const { port, route } = await startScene(['one', 'two']);
    route(1, one[0], 'one');
    route(1, two[0], 'two');
    const clients = Array.from({ length: 20 }, (_, id) => ({ id, prng: new Prng(id + 1), n: 0 }));
    await Promise.all(
      clients.map(async (each) => {
        const talk = new Talk(port, cleanup);
        const values = new Map<string, number>();
        for (let round = 0; round < 40; round++) {
          let wanted = '';
          for (let left = each.prng.between(1, 12); left > 0; left--) {
            const key = `c${each.id}:${each.prng.below(4)}`;
            const value = values.get(key);
            if (each.prng.below(2) === 0) {
              talk.send(req('GET', key));
              wanted += value === undefined ? '$-1\r\n' : bulk(String(value));
            } else if (each.prng.below(4) === 0) {
              talk.send(req('MGET', key, `${key}x`));
              wanted += `*2\r\n${value === undefined ? '$-1\r\n' : bulk(String(value))}$-1\r\n`;
            } else {
              each.n = (value ?? 0) + 1;
              values.set(key, each.n);
              talk.send(req('INCR', key));
              wanted += `:${each.n}\r\n`;
            }
          }
          await talk.gets(wanted);
          for (const [key, value] of values) {
            const held = await Promise.all([one[1], two[1]].map((replica) => replica.cli('GET', key)));
            expect(held).toContain(String(value));
          }
        }
      }),
    );
  });
});

describe('a failover', () => {
  it('gives an honest error to what waits for a replica, and sends on what had not been sent', async () => {
    const [master, replica] = await startReplicated();
    const { port, route, pool } = await startScene();
    route(1, master);
    const [first, second] = [new Talk(port, cleanup), new Talk(port, cleanup)];
    first.send(req('SET', 'ready', '1'));
    await first.gets('+OK\r\n');
    replica.freeze();
    first.send(req('SET', 'k', 'v'));
    await until(async () => (await master.cli('GET', 'k')) === 'v', { what: 'the master to have it' });
    await master.kill9();
    expect(await first.line()).toMatch(
      /^-NOREPLICAS the write was on the master, but the connection was lost before a replica had it/,
    );
    second.send(req('SET', 'l', 'v'));
    replica.thaw();
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    route(2, replica);
    // The new master has no replica yet.
    await until(() => pool.shards[0]?.open, { what: 'the next master' });
    await until(async () => (await replica.cli('GET', 'l')) === 'v', { what: 'the write to come there' });
  });
});
