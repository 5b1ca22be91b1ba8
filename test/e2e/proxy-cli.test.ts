/** `tanist proxy` as a process: flags, signals, statistics, a reload under traffic. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Child, startChild } from '../support/child.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePorts } from '../support/free-port.js';
import { needs } from '../support/needs.js';
import { startRedis } from '../support/redis-server.js';
import { tanistPath } from '../support/tanist.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';
import { bulk, req, Talk } from './proxy-support.js';

const cleanup = cleanupAfterEach();

function tanist(...args: string[]): Child {
  return startChild({ command: process.execPath, args: [tanistPath, 'proxy', ...args] }, cleanup);
}

function page(port: number): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    let text = '';
    connect(port, '127.0.0.1')
      .setEncoding('utf8')
      .on('data', (part: string) => {
        text += part;
      })
      .on('error', reject)
      .on('end', () => resolve(JSON.parse(text)));
  });
}

/** The shape of a statistics page: names, nested, in any order. */
function shape(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, shape(part)]));
}

function poolText(name: string, port: number, servers: readonly string[]): string {
  const lines = [`${name}:`, `  listen: 127.0.0.1:${port}`, '  redis: true', '  hash: md5', '  servers:'];
  return `${[...lines, ...servers.map((server) => `   - ${server}`)].join('\n')}\n`;
}

describe('tanist proxy', () => {
  it('tests a configuration, and names the place of an error', async () => {
    const dir = tempDir(cleanup);
    const file = join(dir, 'a.yml');
    writeFileSync(file, poolText('a', 1234, ['127.0.0.1:6379:1']));
    const good = tanist('-t', '-c', file);
    expect(await good.exited).toMatchObject({ code: 0 });
    expect(good.output).toContain(`configuration file '${file}' syntax is ok`);
    writeFileSync(file, poolText('a', 1234, ['127.0.0.1:6379']));
    const bad = tanist(file);
    expect(await bad.exited).toMatchObject({ code: 1 });
    expect(bad.output).toContain(`${file}:6:6: server '127.0.0.1:6379' has no weight`);
    const missing = tanist('-t', join(dir, 'none.yml'));
    expect(await missing.exited).toMatchObject({ code: 1 });
    expect(missing.output).toContain('cannot read configuration file');
    const flags = tanist('-s', 'x');
    expect(await flags.exited).toMatchObject({ code: 2 });
    const described = tanist('-D');
    expect(await described.exited).toMatchObject({ code: 0 });
    expect(described.output).toContain('server_ejected_at   "timestamp when server was ejected');
  });

  it('gives nutcracker’s statistics, logs at its levels, and ends clean', async (context) => {
    const nutcracker = needs(context, 'nutcracker');
    needs(context, 'redis-server');
    const dir = tempDir(cleanup);
    const redis = await startRedis(cleanup);
    const [ours = 0, stats = 0, theirs = 0, theirStats = 0] = await freePorts(4);
    const servers = [`127.0.0.1:${redis.port}:1`, `localhost:${redis.port}:2 bee`];
    writeFileSync(join(dir, 'ours.yml'), poolText('a', ours, servers));
    writeFileSync(join(dir, 'theirs.yml'), poolText('a', theirs, servers));
    const log = join(dir, 'log');
    const pid = join(dir, 'pid');
    const proxy = tanist(join(dir, 'ours.yml'), '-s', String(stats), '-a', '127.0.0.1', '-o', log, '-p', pid);
    const common = ['-c', join(dir, 'theirs.yml'), '-a', '127.0.0.1', '-s', String(theirStats), '-i', '100'];
    const logs = ['-o', join(dir, 'their.log'), '-p', join(dir, 'their.pid')];
    startChild({ command: nutcracker.path, args: [...common, ...logs] }, cleanup);
    await until(() => existsSync(pid), { what: 'the pid file' });
    expect(Number(readFileSync(pid, 'utf8'))).toBe(proxy.pid);
    const requests = req('SET', 'a', '1') + req('MGET', 'a', 'b', 'c', 'd', 'e') + req('GET', 'a');
    for (const port of [ours, theirs]) {
      const client = await until(() => new Talk(port, cleanup), { what: 'a client' });
      client.send(requests);
      await client.gets(`+OK\r\n*5\r\n${bulk('1')}${'$-1\r\n'.repeat(4)}${bulk('1')}`);
    }
    const same = await until(
      async () => {
        const [a, b] = await Promise.all([page(stats), page(theirStats)]);
        const [x, y] = [a, b].map((each) => each['a'] as Record<string, Record<string, number>>);
        // nutcracker sums up now and then.
        return y?.['bee']?.['responses'] === x?.['bee']?.['responses'] ? { a, b } : null;
      },
      { what: 'nutcracker to count' },
    );
    expect(shape(same.a)).toEqual(shape(same.b));
    for (const name of ['bee', `127.0.0.1:${redis.port}`]) {
      const of = (side: Record<string, unknown>) => (side['a'] as Record<string, Record<string, number>>)[name];
      const { requests: sent, responses, request_bytes, response_bytes, out_queue } = of(same.b) ?? {};
      expect(of(same.a)).toMatchObject({ requests: sent, responses, request_bytes, response_bytes, out_queue });
    }
    proxy.kill('SIGTTIN');
    await until(() => readFileSync(log, 'utf8').includes('log level is 6'), { what: 'the level to rise' });
    proxy.kill('SIGTTOU');
    await until(() => readFileSync(log, 'utf8').includes('log level is 5'), { what: 'the level to fall' });
    renameSync(log, `${log}.1`);
    proxy.kill('SIGHUP');
    await until(() => existsSync(log) && readFileSync(log, 'utf8').includes('is in effect'), { what: 'a new log' });
    expect(await proxy.stop()).toMatchObject({ code: 0 });
    expect(existsSync(pid)).toBe(false);
  });

  it('reads its configuration again under traffic, and drops no client', async (context) => {
    needs(context, 'redis-server');
    const dir = tempDir(cleanup);
    const [one, two] = await Promise.all([startRedis(cleanup), startRedis(cleanup)]);
    const [a = 0, b = 0, c = 0] = await freePorts(3);
    const file = join(dir, 'p.yml');
    const log = join(dir, 'log');
    writeFileSync(
      file,
      poolText('a', a, [`127.0.0.1:${one.port}:1 s`]) + poolText('gone', b, [`127.0.0.1:${one.port}:1`]),
    );
    const proxy = tanist(file, '-s', '0', '-a', '127.0.0.1', '-o', log);
    const says = async (text: string) => {
      await until(() => existsSync(log) && readFileSync(log, 'utf8').includes(text), { what: `"${text}" in the log` });
    };
    await says('tanist proxy started');
    const client = new Talk(a, cleanup);
    const leaving = new Talk(b, cleanup);
    const pinned = new Talk(a, cleanup);
    leaving.send(req('PING'));
    await leaving.gets('+PONG\r\n');
    pinned.send(req('MULTI') + req('INCR', 'n'));
    await pinned.gets('+OK\r\n+QUEUED\r\n');
    writeFileSync(file, `${poolText('a', a, ['127.0.0.1:1'])}oops`);
    proxy.kill('SIGHUP');
    await says('configuration unchanged');
    const traffic = async (until_: Promise<void>) => {
      let stop = false;
      void until_.then(() => {
        stop = true;
      });
      for (let i = 0; !stop; i++) {
        client.send(req('SET', 'k', i).repeat(50) + req('GET', 'k'));
        await client.gets(`${'+OK\r\n'.repeat(50)}${bulk(String(i))}`);
      }
    };
    writeFileSync(
      file,
      poolText('a', a, [`127.0.0.1:${two.port}:1 s`]) + poolText('new', c, [`127.0.0.1:${two.port}:1`]),
    );
    proxy.kill('SIGHUP');
    await traffic(says('is in effect'));
    await leaving.untilClosed();
    client.send(req('SET', 'moved', '1'));
    await client.gets('+OK\r\n');
    expect(await two.cli('GET', 'moved')).toBe('1');
    expect(await one.cli('EXISTS', 'moved')).toBe(0);
    // A transaction that was open is finished where it began.
    pinned.send(req('EXEC') + req('GET', 'moved'));
    await pinned.gets(`*1\r\n:1\r\n${bulk('1')}`);
    expect(await one.cli('GET', 'n')).toBe('1');
    const fresh = new Talk(c, cleanup);
    fresh.send(req('GET', 'moved'));
    await fresh.gets(bulk('1'));
    // A changed file needs no signal.
    writeFileSync(file, poolText('a', a, [`127.0.0.1:${two.port}:1 s`]));
    await fresh.untilClosed();
    client.send(req('GET', 'moved'));
    await client.gets(bulk('1'));
    expect(client.closed).toBe(false);
  });
});
