/** The memcached side of the proxy with real memcached servers behind it. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { startChild } from '../support/child.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePorts } from '../support/free-port.js';
import { needs } from '../support/needs.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';
import { servers, startProxy, Talk, type TestProxy } from './proxy-support.js';

const cleanup = cleanupAfterEach();
const run = promisify(execFile);
let ports: number[];
let proxy: TestProxy;

beforeEach(async (context) => {
  const memcached = needs(context, 'memcached');
  ports = await freePorts(3);
  for (const port of ports) {
    const user = process.getuid?.() === 0 ? ['-u', 'root'] : [];
    const args = ['-l', '127.0.0.1', '-p', String(port), ...user];
    const child = startChild({ command: memcached.path, args }, cleanup);
    // It takes a second to end when it is asked to.
    cleanup.add(() => child.kill9());
  }
  for (const port of ports) await until(() => version(port), { what: 'memcached' });
  proxy = await startProxy(cleanup, ['hash: md5', ...servers(...ports.map((port) => `127.0.0.1:${port}:1`))]);
});

async function version(port: number): Promise<boolean> {
  const talk = new Talk(port, cleanup);
  talk.send('version\r\n');
  return (await talk.line(1_000)).startsWith('VERSION');
}

/** How many items a server has. */
async function items(port: number): Promise<number> {
  const talk = new Talk(port, cleanup);
  talk.send('stats\r\n');
  for (;;) {
    const [, count] = /^STAT curr_items (\d+)$/.exec(await talk.line()) ?? [];
    if (count !== undefined) return Number(count);
  }
}

describe('memcached', () => {
  it('serves libmemcached’s tools', async (context) => {
    const { path, env } = needs(context, 'memcstat');
    const tool = (name: string, ...args: readonly string[]): Promise<{ stdout: string }> =>
      run(join(dirname(path), name), [`--servers=127.0.0.1:${proxy.port}`, ...args], {
        env: { ...process.env, ...env },
      });
    const dir = tempDir(cleanup);
    const names = Array.from({ length: 20 }, (_, i) => `file${i}`);
    for (const name of names) writeFileSync(join(dir, name), `content of ${name}\n`);
    await tool('memccp', ...names.map((name) => join(dir, name)));
    expect((await tool('memccat', ...names)).stdout).toBe(names.map((name) => `content of ${name}\n\n`).join(''));
    const held = await Promise.all(ports.map((port) => items(port)));
    expect(held.reduce((sum, n) => sum + n, 0)).toBe(20);
    expect(Math.min(...held)).toBeGreaterThan(0);
    await tool('memctouch', '--expire=100', 'file1');
    await tool('memcexist', 'file1');
    await tool('memcrm', 'file1');
    await expect(tool('memcexist', 'file1')).rejects.toThrow();
  });

  it('serves every command, in order, at every cut', async () => {
    const client = new Talk(proxy.port, cleanup);
    const text =
      'set a 5 0 5\r\nhello\r\nget a\r\nadd a 0 0 1\r\nx\r\nreplace a 0 0 1\r\ny\r\nappend a 0 0 1\r\nz\r\nprepend a 0 0 1\r\nx\r\n' +
      'get a\r\nset n 0 0 1\r\n1\r\nincr n 41\r\ndecr n 2\r\ntouch n 100\r\ntouch none 1\r\ndelete n\r\ndelete n\r\nget n\r\n' +
      'set s 0 0 2 noreply\r\nhi\r\nget s\r\ndelete s noreply\r\nget s\r\ncas none 0 0 1 5\r\nx\r\nbogus\r\nget a\r\n';
    const reply =
      'STORED\r\nVALUE a 5 5\r\nhello\r\nEND\r\nNOT_STORED\r\nSTORED\r\nSTORED\r\nSTORED\r\n' +
      'VALUE a 0 3\r\nxyz\r\nEND\r\nSTORED\r\n42\r\n40\r\nTOUCHED\r\nNOT_FOUND\r\nDELETED\r\nNOT_FOUND\r\nEND\r\n' +
      "VALUE s 0 2\r\nhi\r\nEND\r\nEND\r\nNOT_FOUND\r\nCLIENT_ERROR 'bogus' is not served by this proxy\r\nVALUE a 0 3\r\nxyz\r\nEND\r\n";
    for (const size of [text.length, 1, 5, 17]) {
      for (let at = 0; at < text.length; at += size) client.send(text.slice(at, at + size));
      await client.gets(reply);
    }
    client.send('version\r\n');
    expect(await client.line()).toMatch(/^VERSION \d/);
    client.send('get a\r\nquit\r\nget a\r\n');
    await client.gets('VALUE a 0 3\r\nxyz\r\nEND\r\n');
    await client.untilClosed();
  });

  it('splits a get of many keys and joins the values', async () => {
    const client = new Talk(proxy.port, cleanup);
    const keys = Array.from({ length: 50 }, (_, i) => `key${i}`);
    for (const key of keys) client.send(`set ${key} 1 0 ${key.length}\r\n${key}\r\n`);
    await client.gets('STORED\r\n'.repeat(keys.length));
    client.send(`gets ${keys.join(' ')} none\r\n`);
    const found = new Set<string>();
    for (let line = await client.line(); line !== 'END'; line = await client.line()) {
      expect(line).toMatch(/^VALUE key\d+ 1 \d+ \d+$/);
      const key = line.split(' ')[1] ?? '';
      expect(await client.line()).toBe(key);
      found.add(key);
    }
    expect([...found].sort()).toEqual([...keys].sort());
    expect(proxy.pool.shards.every((shard) => shard.stats.requests > 0)).toBe(true);
    expect(proxy.pool.stats.fragments).toBe(3);
  });

  it('carries values of a megabyte, and refuses what it cannot find the end of', async () => {
    const client = new Talk(proxy.port, cleanup);
    const value = 'x'.repeat(1_000_000);
    client.send(`set big 0 0 ${value.length}\r\n${value}\r\nget big\r\n`);
    await client.gets(`STORED\r\nVALUE big 0 ${value.length}\r\n${value}\r\nEND\r\n`);
    client.send(`get ${'k'.repeat(251)}\r\nset a 0 0 nonsense\r\n`);
    await client.gets('CLIENT_ERROR key is too long\r\nCLIENT_ERROR bad data chunk\r\n');
    await client.untilClosed();
  });

  it('passes nothing on that the server would not understand, so that replies cannot shift', async () => {
    const client = new Talk(proxy.port, cleanup);
    const bad = [
      'set a x 0 3\r\nabc\r\n',
      'set a 0 99999999999 3\r\nabc\r\n',
      'set a 0 0 3 nonsense\r\nabc\r\n',
      'cas a 0 0 3 -1\r\nabc\r\n',
      'incr a x noreply\r\n',
      'delete a 5 noreply\r\n',
      'touch a\r\n',
      ' get a\r\n',
      `set a${' '.repeat(3000)}0 0 1\r\nx\r\n`,
      `version${' '.repeat(3000)}\r\n`,
      'get a\x01b\r\n',
    ];
    client.send(`set a 0 0 1\r\n1\r\n${bad.join('')}get a noreply\r\n`);
    const refused = 'CLIENT_ERROR bad command line format\r\n'.repeat(bad.length);
    await client.gets(`STORED\r\n${refused}VALUE a 0 1\r\n1\r\nEND\r\n`);
    expect(proxy.pool.shards.reduce((sum, shard) => sum + shard.stats.server_err + shard.stats.server_eof, 0)).toBe(0);
  });

  it('gives nutcracker’s error for a server that is down', async () => {
    const { port } = await startProxy(cleanup, servers('127.0.0.1:1:1'));
    const client = new Talk(port, cleanup);
    client.send('get a\r\n');
    await client.gets('SERVER_ERROR Connection refused\r\n');
  });
});
