/** Random and damaged bytes from clients: an error or the end of that connection, and nothing else happens to anybody. */
import { beforeEach, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.js';
import { startChild } from '../support/child.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePort } from '../support/free-port.js';
import { needs } from '../support/needs.js';
import { startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { bulk, req, servers, startProxy, Talk, type TestProxy } from './proxy-support.js';

const cleanup = cleanupAfterEach();
/** More with FUZZ_MS, e.g. 10000 for each protocol. */
const FUZZ_MS = Number(process.env['FUZZ_MS'] ?? 1_500);

beforeEach((context) => {
  needs(context, 'redis-server');
});

/** Valid requests with bytes changed, cut out or doubled; now and then nothing but noise. */
function damaged(prng: Prng, samples: readonly string[]): Buffer {
  if (prng.chance(0.2)) return Buffer.from(Array.from({ length: prng.between(1, 500) }, () => prng.below(256)));
  const bytes = Buffer.from(Array.from({ length: prng.between(1, 5) }, () => prng.pick(samples)).join(''));
  for (let left = prng.below(4); left > 0; left--) bytes[prng.below(bytes.length)] = prng.below(256);
  const from = prng.below(bytes.length);
  return prng.chance(0.3) ? bytes.subarray(0, from) : Buffer.concat([bytes, bytes.subarray(from)]);
}

/** @returns how many connections were made. */
async function fuzz(proxy: TestProxy, samples: readonly string[], sane: () => Promise<void>): Promise<number> {
  const prng = new Prng(42);
  const before = process.memoryUsage().rss;
  const end = performance.now() + FUZZ_MS;
  let connections = 0;
  while (performance.now() < end) {
    const talks = Array.from({ length: 10 }, () => new Talk(proxy.port, cleanup));
    connections += talks.length;
    for (const talk of talks) for (let i = prng.between(1, 4); i > 0; i--) talk.send(damaged(prng, samples));
    await sane();
    for (const talk of talks) talk.socket.destroy();
  }
  await until(() => proxy.pool.stats.client_connections === 1, { what: 'the others to be gone' });
  await sane();
  expect((process.memoryUsage().rss - before) / 1048576).toBeLessThan(200);
  return connections;
}

it('Redis', async () => {
  const redises = await Promise.all([startRedis(cleanup), startRedis(cleanup)]);
  const proxy = await startProxy(cleanup, ['redis: true', ...servers(...redises.map((r) => `127.0.0.1:${r.port}:1`))]);
  const client = new Talk(proxy.port, cleanup);
  const samples = [
    req('GET', 'a'),
    req('SET', 'a', 'x'.repeat(100)),
    req('MGET', 'a', 'b', 'c'),
    req('MSET', 'a', '1', 'b', '2'),
    req('MULTI') + req('INCR', 'n') + req('EXEC'),
    req('WATCH', 'a'),
    req('SCAN', '0'),
    req('EVAL', 'return 1', '1', 'a'),
    req('XREAD', 'STREAMS', 'a', '0'),
    req('SUBSCRIBE', 'a'),
    req('BLPOP', 'a', '0.01'),
    req('SELECT', '1'),
    'PING\r\n',
  ];
  let round = 0;
  const sane = async () => {
    const value = `v${round++}`;
    client.send(req('SET', 'sane', value) + req('GET', 'sane') + req('ECHO', value));
    await client.gets(`+OK\r\n${bulk(value)}${bulk(value)}`);
  };
  expect(await fuzz(proxy, samples, sane)).toBeGreaterThan(10);
}, 60_000);

it('memcached', async (context) => {
  const memcached = needs(context, 'memcached');
  const port = await freePort();
  const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
  const child = startChild(
    { command: memcached.path, args: ['-l', '127.0.0.1', '-p', String(port), ...user] },
    cleanup,
  );
  cleanup.add(() => child.kill9());
  const proxy = await startProxy(cleanup, servers(`127.0.0.1:${port}:1`));
  const client = new Talk(proxy.port, cleanup);
  await until(
    async () => {
      client.send('version\r\n');
      return (await client.line()).startsWith('VERSION');
    },
    { what: 'memcached' },
  );
  const samples = [
    'get a b c\r\n',
    'set a 0 0 3\r\nabc\r\n',
    'cas a 0 0 1 5\r\nx\r\n',
    'incr a 1\r\n',
    'delete a noreply\r\n',
  ];
  let round = 0;
  const sane = async () => {
    const value = `v${round++}`;
    client.send(`set sane 0 0 ${value.length}\r\n${value}\r\nget sane\r\n`);
    await client.gets(`STORED\r\nVALUE sane 0 ${value.length}\r\n${value}\r\nEND\r\n`);
  };
  expect(await fuzz(proxy, samples, sane)).toBeGreaterThan(10);
}, 60_000);
