/** Reads from replicas: `read_from: prefer_replica`. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePorts } from '../support/free-port.js';
import { needs } from '../support/needs.js';
import { startSentinel } from '../support/redis-sentinel.js';
import { type RedisServer, startReplicated } from '../support/redis-server.js';
import { until } from '../support/until.js';
import {
  bulk,
  type RoutedProxy,
  req,
  servers,
  startProxy,
  startRouted,
  Talk,
  type TestProxy,
} from './proxy-support.js';

const cleanup = cleanupAfterEach();

const PREFER = ['read_from: prefer_replica', 'replica_lag_max: 3000'];

/** GETs and INCRs that a server has carried out. */
async function calls(redis: RedisServer): Promise<{ readonly get: number; readonly incr: number }> {
  const info = await redis.info('commandstats');
  const of = (name: string): number => Number(/calls=(\d+)/.exec(info[`cmdstat_${name}`] ?? '')?.[1] ?? 0);
  return { get: of('get'), incr: of('incr') };
}

function untilReadable({ pool }: TestProxy, count: number): Promise<unknown> {
  const readable = () => pool.shards.every((shard) => shard.replicas?.fitCount(performance.now()) === count);
  return until(readable, { what: `${count} readable replicas` });
}

async function startScene(lines: readonly string[] = PREFER): Promise<{
  readonly master: RedisServer;
  readonly replicas: readonly [RedisServer, RedisServer];
  readonly proxy: RoutedProxy;
}> {
  const [master, one, two] = await startReplicated(cleanup, { replicas: 2 });
  const proxy = await startRouted(cleanup, lines);
  proxy.route(1, master);
  await untilReadable(proxy, 2);
  return { master, replicas: [one, two], proxy };
}

async function setKey(master: RedisServer, replicas: readonly RedisServer[]): Promise<void> {
  await master.cli('SET', 'k', 'v');
  for (const replica of replicas) {
    await until(async () => (await replica.cli('GET', 'k')) === 'v', { what: 'the replica to have the key' });
  }
}

async function ask(talk: Talk, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    talk.send(req('GET', 'k'));
    await talk.gets(bulk('v'));
  }
}

beforeEach((context) => {
  needs(context, 'redis-server');
});

describe('reads', () => {
  it('go to replicas, also in other databases and under RESP3; all else goes to the master', async () => {
    const { master, replicas, proxy } = await startScene();
    await setKey(master, replicas);
    const before = await Promise.all(replicas.map(calls));
    const clients = [0, 1, 2, 3].map(() => new Talk(proxy.port, cleanup));
    await Promise.all(clients.map((talk) => ask(talk, 25)));
    const after = await Promise.all(replicas.map(calls));
    const served = after.map(({ get }, i) => get - (before[i]?.get ?? 0));
    expect(served.reduce((sum, n) => sum + n, 0)).toBe(100);
    expect(Math.min(...served)).toBeGreaterThan(0);
    expect((await calls(master)).get).toBe(0);
    const talk = new Talk(proxy.port, cleanup);
    talk.send(req('SELECT', 3) + req('GET', 'k') + req('INCR', 'n'));
    await talk.gets('+OK\r\n$-1\r\n:1\r\n');
    talk.send(req('WATCH', 'k') + req('GET', 'k') + req('MULTI') + req('GET', 'k') + req('EXEC'));
    await talk.gets('+OK\r\n$-1\r\n+OK\r\n+QUEUED\r\n*1\r\n$-1\r\n');
    expect((await calls(master)).get).toBe(2);
  });

  it('find what the same client has written, in the order of its requests', async () => {
    const { master, replicas, proxy } = await startScene();
    await Promise.all(
      Array.from({ length: 10 }, async (_, id) => {
        const talk = new Talk(proxy.port, cleanup);
        const prng = new Prng(id + 1);
        let n = 0;
        for (let round = 0; round < 50; round++) {
          let wanted = '';
          for (let left = prng.between(1, 10); left > 0; left--) {
            const writes = prng.below(3) === 0;
            if (writes) n++;
            talk.send(writes ? req('INCR', `c${id}`) : req('GET', `c${id}`));
            if (writes) wanted += `:${n}\r\n`;
            else wanted += n === 0 ? '$-1\r\n' : bulk(String(n));
          }
          await talk.gets(wanted);
        }
      }),
    );
    expect((await calls(master)).incr).toBeGreaterThan(100);
    // Replicas that get nothing any more, of which the proxy will hear with its next look.
    for (const replica of replicas) await replica.cli('REPLICAOF', 'NO', 'ONE');
    const talk = new Talk(proxy.port, cleanup);
    talk.send(req('INCR', 'late'));
    await talk.gets(':1\r\n');
    talk.send(req('GET', 'late'));
    await talk.gets(bulk('1'));
  });

  it('go to the master when no replica is fit: none follows it, or they are silent', async () => {
    const { master, replicas, proxy } = await startScene();
    await setKey(master, replicas);
    const talk = new Talk(proxy.port, cleanup);
    await ask(talk, 1);
    await replicas[0].cli('REPLICAOF', 'NO', 'ONE');
    await replicas[0].cli('SET', 'k', 'another');
    replicas[1].freeze();
    // Under way at the silent one, it is asked elsewhere.
    const others = [0, 1, 2, 3].map(() => new Talk(proxy.port, cleanup));
    await untilReadable(proxy, 0);
    await Promise.all(others.map((other) => ask(other, 10)));
    expect((await calls(master)).get).toBeGreaterThanOrEqual(40);
  });

  it('under way at a replica that dies are asked elsewhere', async () => {
    const { master, replicas, proxy } = await startScene();
    await setKey(master, replicas);
    const clients = [0, 1, 2, 3].map(() => new Talk(proxy.port, cleanup));
    await Promise.all(clients.map((talk) => ask(talk, 5)));
    replicas[0].freeze();
    for (const talk of clients) talk.send(req('GET', 'k'));
    await Promise.all([replicas[0].kill9(), ...clients.map((talk) => talk.gets(bulk('v')))]);
    await replicas[1].kill9();
    await Promise.all(clients.map((talk) => ask(talk, 5)));
    expect((await calls(master)).get).toBeGreaterThan(0);
  });

  it('go on while there is no master', async () => {
    const { master, replicas, proxy } = await startScene(['read_from: prefer_replica', 'replica_lag_max: 60000']);
    await setKey(master, replicas);
    const [reader, writer] = [new Talk(proxy.port, cleanup), new Talk(proxy.port, cleanup)];
    await ask(reader, 1);
    await master.kill9();
    await until(() => proxy.pool.shards[0]?.open === false, { what: 'the master to be missed' });
    writer.send(req('INCR', 'n'));
    await ask(reader, 10);
    await replicas[0].cli('REPLICAOF', 'NO', 'ONE');
    proxy.route(2, replicas[0]);
    await writer.gets(':1\r\n');
  });

  it('follow the masters that sentinels name as well', async (context) => {
    needs(context, 'redis-sentinel');
    const [master, replica] = await startReplicated(cleanup, { replicas: 1 });
    const [port = 0] = await freePorts(1);
    await startSentinel(cleanup, { config: `sentinel monitor one 127.0.0.1 ${master.port} 1`, port });
    const lines = ['redis: true', `sentinels: [127.0.0.1:${port}]`, ...PREFER, ...servers('one:1')];
    const proxy = await startProxy(cleanup, lines);
    await untilReadable(proxy, 1);
    await setKey(master, [replica]);
    await ask(new Talk(proxy.port, cleanup), 10);
    expect((await calls(master)).get).toBe(0);
  });
});
