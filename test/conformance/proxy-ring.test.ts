/** Keys written through the real nutcracker are found on the servers that our ring names. */
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.js';
import { parseNutcracker } from '../../src/config/nutcracker.js';
import { HASH_NAMES } from '../../src/config/nutcracker-types.js';
import { Ring } from '../../src/proxy/ring/ring.js';
import { startChild } from '../support/child.js';
import type { Cleanup } from '../support/cleanup.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePorts } from '../support/free-port.js';
import { needs } from '../support/needs.js';
import { startRedis } from '../support/redis-server.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();
const prng = new Prng(20_240_131);

function keys(): Buffer[] {
  const fixed = ['', '{}', '{', '}', '{}x', 'a{b}c', 'a{b', '{a}{b}', '}{a}', 'a{}b{c}', 'user:{u1}:x', 'user:{u1}:y'];
  const all = fixed.map((text) => Buffer.from(text));
  for (let length = 1; length <= 40; length++) {
    for (let i = 0; i < 4; i++) all.push(Buffer.from(Array.from({ length }, () => prng.below(256))));
    all.push(Buffer.from(`key:${prng.below(10_000_000)}`.padEnd(length, 'x')));
  }
  const unique = new Map(all.map((key) => [key.toString('latin1'), key]));
  return [...unique.values()];
}

/** Sends requests in one go and waits for as many bytes of reply as expected lines bring. */
function exchange(path: number | string, request: Buffer, done: (received: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = typeof path === 'number' ? connect(path, '127.0.0.1') : connect(path);
    let received = Buffer.alloc(0);
    socket.setTimeout(10_000, () => reject(new Error(`no reply from ${path}: ${received.toString('latin1')}`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`${path} closed: ${received.toString('latin1')}`)));
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (!done(received)) return;
      resolve(received);
      socket.destroy();
    });
    socket.write(request);
  });
}

function set(key: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`*3\r\n$3\r\nSET\r\n$${key.length}\r\n`), key, Buffer.from('\r\n$1\r\nv\r\n')]);
}

/** All keys of one database, as latin1 text. */
async function keysIn(port: number, db: number): Promise<string[]> {
  const got = await exchange(port, Buffer.from(`SELECT ${db}\r\nKEYS *\r\nPING\r\n`), (bytes) =>
    bytes.toString('latin1').endsWith('+PONG\r\n'),
  );
  const text = got.toString('latin1');
  const found: string[] = [];
  let at = text.indexOf('\r\n', text.indexOf('*')) + 2;
  for (; text[at] === '$'; ) {
    const line = text.indexOf('\r\n', at);
    const length = Number(text.slice(at + 1, line));
    found.push(text.slice(line + 2, line + 2 + length));
    at = line + 2 + length + 2;
  }
  return found;
}

/** Port 11211 counts differently; it is taken on a loopback address that nothing else uses. */
async function startAlias(targetPort: number, into: Cleanup): Promise<string> {
  const host = `127.${20 + prng.below(200)}.${prng.below(250)}.${(process.pid % 250) + 1}`;
  const server = createServer((from) => {
    const to = connect(targetPort, '127.0.0.1');
    from.pipe(to).pipe(from);
    for (const socket of [from, to]) socket.on('error', () => {});
    from.on('close', () => to.destroy());
    to.on('close', () => from.destroy());
  });
  await new Promise<void>((resolve) => server.listen(11211, host, resolve));
  into.add(() => new Promise((resolve) => server.close(resolve)));
  return host;
}

it('agrees with nutcracker for every hash, distribution, weight, name and tag', async (context) => {
  const nutcracker = needs(context, 'nutcracker');
  needs(context, 'redis-server');
  const dir = tempDir(cleanup);
  const config = { databases: 512, unixsocket: './r.sock' };
  const redises = await Promise.all([0, 1, 2, 3].map(() => startRedis(cleanup, { config })));
  const [a, b, c, d] = redises;
  if (a === undefined || b === undefined || c === undefined || d === undefined) throw new Error('four servers');
  const alias = await startAlias(d.port, cleanup);
  const layouts: Record<string, string[]> = {
    plain: [`127.0.0.1:${a.port}:1`, `localhost:${b.port}:1`, `${c.dir}/r.sock:1`, `${alias}:11211:1`],
    weighted: [`127.0.0.1:${a.port}:3`, `localhost:${b.port}:1`, `${c.dir}/r.sock:7`, `${alias}:11211:2`],
    named: [`127.0.0.1:${a.port}:1 one`, `localhost:${b.port}:1 two`, `${c.dir}/r.sock:1 three`, `${alias}:11211:1 4`],
    both: [
      `127.0.0.1:${a.port}:100 one`,
      `localhost:${b.port}:33 two`,
      `${c.dir}/r.sock:1 three`,
      `${alias}:11211:9 4`,
    ],
  };
  const pools: { text: string; db: number; port: number }[] = [];
  const combinations = HASH_NAMES.flatMap((hash) =>
    ['ketama', 'modula'].flatMap((distribution) =>
      Object.values(layouts).flatMap((servers) =>
        [null, '{}', '$$'].map((tag) => ({ hash, distribution, servers, tag })),
      ),
    ),
  ).filter(({ tag, hash }) => tag !== '$$' || hash === 'md5');
  const ports = await freePorts(combinations.length + 1);
  for (const [i, { hash, distribution, servers, tag }] of combinations.entries()) {
    const port = ports[i] ?? 0;
    const lines = [`p${i}:`, `  listen: 127.0.0.1:${port}`, `  hash: ${hash}`, `  distribution: ${distribution}`];
    if (tag !== null) lines.push(`  hash_tag: "${tag}"`);
    lines.push('  redis: true', `  redis_db: ${i + 1}`, '  servers:', ...servers.map((server) => `   - ${server}`));
    pools.push({ text: `${lines.join('\n')}\n`, db: i + 1, port });
  }
  const text = pools.map((pool) => pool.text).join('');
  const file = join(dir, 'nutcracker.yml');
  writeFileSync(file, text);
  const args = ['-c', file, '-o', join(dir, 'log'), '-p', join(dir, 'pid'), '-a', '127.0.0.1'];
  const child = startChild(
    { command: nutcracker.path, args: [...args, '-s', String(ports.at(-1)), '-m', '2048'] },
    cleanup,
  );
  await until(() => exchange(pools.at(-1)?.port ?? 0, Buffer.from('*1\r\n$4\r\nPING\r\n'), (r) => r.length >= 7), {
    what: 'nutcracker to answer',
  });
  expect(child.exit).toBeNull();

  const read = parseNutcracker(text, file);
  const differing: unknown[] = [];
  const all = keys();
  const request = Buffer.concat(all.map(set));
  for (const [i, pool] of read.pools.entries()) {
    const { port = 0, db = 0 } = pools[i] ?? {};
    const replies = await exchange(
      port,
      request,
      (received) => received.toString('latin1').split('\r\n').length > all.length,
    );
    expect(replies.toString('latin1')).toBe('+OK\r\n'.repeat(all.length));
    const ring = new Ring({ ...pool, below: (limit) => prng.below(limit) });
    // nutcracker does not SELECT on a unix socket: there, the keys are in database 0.
    const found = await Promise.all(redises.map((redis) => keysIn(redis.port, redis === c ? 0 : db)));
    await c.cli('FLUSHALL');
    const at = new Map(found.flatMap((list, server) => list.map((key) => [key, server] as const)));
    const wrong = all.filter((key) => at.get(key.toString('latin1')) !== ring.pick(key, 0, key.length));
    const servers = pool.servers.map((server) => `${server.name}*${server.weight}`);
    if (wrong.length === 0) continue;
    const example = wrong.slice(0, 3).map((key) => key.toString('latin1'));
    differing.push([pool.hash, pool.distribution, pool.hashTag, servers, wrong.length, example]);
  }
  expect(differing).toEqual([]);
});
