/** Client libraries, unchanged, through the proxy; and a checker of every reply while servers are killed. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { beforeEach, describe, expect, it, type TestContext } from 'vitest';
import { cache } from '../../scripts/peers.mjs';
import { Prng } from '../../src/base/prng.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { leaveOut, needs } from '../support/needs.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { bulk, req, servers, startProxy, Talk, type TestProxy } from './proxy-support.js';

const cleanup = cleanupAfterEach();
const run = promisify(execFile);
let redises: RedisServer[];
let proxy: TestProxy;

beforeEach(async (context) => {
  needs(context, 'redis-server');
  redises = await Promise.all([1, 2].map(() => startRedis(cleanup)));
  const list = redises.map((redis, i) => `127.0.0.1:${redis.port}:1 s${i}`);
  proxy = await startProxy(cleanup, ['redis: true', 'hash: md5', 'hash_tag: "{}"', ...servers(...list)]);
});

/** Arguments for PHP's extensions, which are found by their paths: as installed, or in the cache. */
function phpExtensions(context: TestContext, names: readonly string[]): string[] {
  return names.flatMap((name) => {
    const inside = `usr/lib/php/20220829/${name}.so`;
    const path = ['/', join(cache.packages, `php8.2-${name}`)].map((root) => join(root, inside)).find(existsSync);
    if (path === undefined) leaveOut(context, `PHP has no extension ${name}; install Debian's php8.2-${name}`);
    return ['-n', '-d', `extension=${path}`];
  });
}

describe('through the proxy', () => {
  it('ioredis', async () => {
    const client = new Redis(proxy.port, '127.0.0.1');
    cleanup.add(() => client.disconnect());
    await client.mset('a', 1, 'b', 2, 'c', 3);
    expect(await client.mget('a', 'b', 'c', 'none')).toEqual(['1', '2', '3', null]);
    expect(await client.multi().incr('{n}x').incr('{n}x').exec()).toEqual([
      [null, 1],
      [null, 2],
    ]);
    const replies = await Promise.all(Array.from({ length: 500 }, (_, i) => client.set(`k${i}`, i)));
    expect(new Set(replies)).toEqual(new Set(['OK']));
    let found = 0;
    for await (const keys of client.scanStream({ match: 'k*', count: 50 })) found += keys.length;
    expect(found).toBe(500);
    await expect(client.call('FOO')).rejects.toThrow("unknown command 'foo'");
  });

  it('node-redis', async () => {
    const client = createClient({ url: `redis://127.0.0.1:${proxy.port}`, RESP: 2 });
    client.on('error', () => undefined);
    await client.connect();
    cleanup.add(() => client.destroy());
    await client.mSet({ a: '1', b: '2' });
    expect(await client.mGet(['a', 'b', 'none'])).toEqual(['1', '2', null]);
    expect(await client.multi().set('{n}x', '5').get('{n}x').exec()).toEqual(['OK', '5']);
    expect(await client.del(['a', 'b'])).toBe(2);
  });

  it('redis-py', async (context) => {
    const { path, args, env } = needs(context, 'python3-redis');
    const script = `
import redis
r = redis.Redis(port=${proxy.port})
r.mset({'a': 1, 'b': 2})
p = r.pipeline(transaction=False)
for i in range(100): p.set('p%d' % i, i)
p.execute()
with r.pipeline() as t:
    t.watch('{n}x'); t.multi(); t.incr('{n}x'); print(t.execute())
print(r.mget('a', 'b', 'none'), r.dbsize(), len(list(r.scan_iter(count=10))))
`;
    const { stdout } = await run(path, [...args, '-c', script], { env: { ...process.env, ...env } });
    expect(stdout).toBe("[1]\n[b'1', b'2', None] 103 103\n");
  });

  it('php-redis', async (context) => {
    const { path, args, env } = needs(context, 'php8.2');
    const script = `
$r = new Redis();
$r->connect('127.0.0.1', ${proxy.port});
$r->mset(['a' => 1, 'b' => 2]);
$p = $r->pipeline();
for ($i = 0; $i < 100; $i++) $p->set("p$i", $i);
$p->exec();
$r->watch('{n}x');
$t = $r->multi()->incr('{n}x')->incr('{n}x')->exec();
$r->setOption(Redis::OPT_SCAN, Redis::SCAN_RETRY);
$found = 0;
$it = null;
while ($keys = $r->scan($it, 'p*', 10)) $found += count($keys);
$r->hMSet('h', ['f' => 'v']);
echo json_encode([$t, $r->mget(['a', 'b', 'none']), $r->dbSize(), $found, $r->hGetAll('h'), $r->eval('return KEYS[1]', ['k'], 1)]);
`;
    const loads = phpExtensions(context, ['igbinary', 'redis']);
    const { stdout } = await run(path, [...loads, ...args, '-r', script], { env: { ...process.env, ...env } });
    expect(JSON.parse(stdout)).toEqual([[1, 2], ['1', '2', false], 104, 100, { f: 'v' }, 'k']);
  });

  it('redis-cli', async (context) => {
    const { path } = needs(context, 'redis-cli');
    const { stdout } = await run(path, ['-p', String(proxy.port), 'SET', 'a', 'x y']);
    expect(stdout).toBe('OK\n');
    const got = await run(path, ['-p', String(proxy.port), 'GET', 'a']);
    expect(got.stdout).toBe('x y\n');
  });
});

/** Values name their key, so a reply that went astray shows. */
class Checker {
  readonly answered = { right: 0, error: 0 };
  readonly #talk: Talk;
  readonly #prng: Prng;
  readonly #id: number;

  constructor(id: number, port: number) {
    this.#id = id;
    this.#talk = new Talk(port, cleanup);
    this.#prng = new Prng(id + 1);
  }

  async round(): Promise<void> {
    const asked: { key: string; kind: 'get' | 'set' | 'mget' | 'echo' }[] = [];
    let request = '';
    for (let left = this.#prng.between(1, 20); left > 0; left--) {
      const key = `c${this.#id}:${this.#prng.below(50)}`;
      const kind = this.#prng.pick(['get', 'set', 'mget', 'echo'] as const);
      asked.push({ key, kind });
      if (kind === 'get') request += req('GET', key);
      else if (kind === 'set') request += req('SET', key, `value of ${key}`);
      else if (kind === 'echo') request += req('ECHO', key);
      else request += req('MGET', key, `${key}x`);
    }
    this.#talk.send(request);
    for (const each of asked) await this.#check(each.kind, each.key);
  }

  async #check(kind: string, key: string): Promise<void> {
    const line = await this.#talk.line(20_000);
    if (line.startsWith('-ERR ') && kind !== 'echo') {
      this.answered.error++;
      return;
    }
    if (kind === 'set') expect(line).toBe('+OK');
    else if (kind === 'echo') await this.#value(line, key);
    else if (kind === 'get') await this.#value(line, `value of ${key}`);
    else {
      expect(line).toBe('*2');
      await this.#value(await this.#talk.line(), `value of ${key}`);
      expect(await this.#talk.line()).toBe('$-1');
    }
    this.answered.right++;
  }

  async #value(line: string, value: string): Promise<void> {
    if (line === '$-1') return;
    expect(`${line}\r\n${await this.#talk.line()}\r\n`).toBe(bulk(value));
  }
}

it('never gives a reply to the wrong request, with 200 clients and servers that are killed', async () => {
  const checkers = Array.from({ length: 200 }, (_, id) => new Checker(id, proxy.port));
  let stop = false;
  const work = checkers.map(async (checker) => {
    while (!stop) await checker.round();
  });
  const prng = new Prng(99);
  for (let round = 0; round < 6; round++) {
    const redis = prng.pick(redises);
    await redis.kill9();
    await redis.restart();
    const leaving = new Talk(proxy.port, cleanup);
    leaving.send(req('MGET', 'a', 'b', 'c').repeat(prng.between(1, 50)));
    leaving.socket.destroy();
  }
  stop = true;
  await Promise.all(work);
  const total = { right: 0, error: 0 };
  for (const { answered } of checkers) {
    total.right += answered.right;
    total.error += answered.error;
  }
  expect(total.right).toBeGreaterThan(1_000);
  expect(total.error).toBeGreaterThan(0);
  expect(proxy.pool.joins.size).toBe(0);
}, 60_000);
