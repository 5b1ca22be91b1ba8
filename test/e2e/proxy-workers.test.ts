/** `tanist proxy --workers`: several processes behind the same addresses. */
import { existsSync, linkSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
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

interface Page {
  readonly total_connections: number;
  readonly a: { readonly client_connections: number; readonly s: { readonly requests: number } };
}

async function page(port: number): Promise<Page> {
  const response = await fetch(`http://127.0.0.1:${port}/`);
  return (await response.json()) as Page;
}

function poolText(listen: string | number, redis: number): string {
  const where = typeof listen === 'number' ? `127.0.0.1:${listen}` : listen;
  return `a:\n  listen: ${where}\n  redis: true\n  servers:\n   - 127.0.0.1:${redis}:1 s\n`;
}

/** Which process serves this connection. */
async function servedBy(talk: Talk): Promise<number> {
  talk.send(req('INFO', 'server'));
  let pid = 0;
  const size = Number((await talk.line()).slice(1));
  for (let read = 0; read < size; ) {
    const line = await talk.line();
    read += line.length + 2;
    if (line.startsWith('process_id:')) pid = Number(line.slice(11));
  }
  await talk.gets('\r\n');
  return pid;
}

/** Connections until both workers have one, and who serves each; the kernel chooses. */
async function reachBoth(port: number): Promise<Map<Talk, number>> {
  const served = new Map<Talk, number>();
  return until(
    async () => {
      const talk = new Talk(port, cleanup);
      served.set(talk, await servedBy(talk));
      return new Set(served.values()).size === 2 ? served : null;
    },
    { what: 'both workers to serve', interval_ms: 1 },
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

interface Started {
  readonly proxy: Child;
  readonly port: number;
  readonly stats: number;
  readonly file: string;
  readonly log: () => string;
}

async function start(redis: number): Promise<Started> {
  const [port = 0, stats = 0] = await freePorts(2);
  const dir = tempDir(cleanup);
  const file = join(dir, 'p.yml');
  const path = join(dir, 'log');
  writeFileSync(file, poolText(port, redis));
  const flags = [file, '-w', '2', '-s', String(stats), '-a', '127.0.0.1', '-o', path];
  const proxy = startChild({ command: process.execPath, args: [tanistPath, 'proxy', ...flags] }, cleanup);
  const log = () => (existsSync(path) ? readFileSync(path, 'utf8') : '');
  await until(() => log().includes('tanist proxy started'), { what: 'the workers', deadline_ms: 20_000 });
  return { proxy, port, stats, file, log };
}

describe('workers', () => {
  it('share the clients, count together, and follow signals and the file', async (context) => {
    needs(context, 'redis-server');
    const [one, two] = await Promise.all([startRedis(cleanup), startRedis(cleanup)]);
    const { proxy, port, stats, file, log } = await start(one.port);
    const served = await reachBoth(port);
    const talks = [...served.keys()];
    const pids = [...served.values()];
    expect(pids).not.toContain(proxy.pid);
    for (const [i, talk] of talks.entries()) {
      talk.send(req('SET', `k${i}`, i) + req('GET', `k${i}`));
      await talk.gets(`+OK\r\n${bulk(String(i))}`);
    }
    expect((await page(stats)).a).toMatchObject({
      client_connections: talks.length,
      s: { requests: 2 * talks.length },
    });
    const metrics = await (await fetch(`http://127.0.0.1:${stats}/metrics`)).text();
    expect(metrics).toContain(`tanist_proxy_command_duration_seconds_count{pool="a",command="get"} ${talks.length}\n`);
    writeFileSync(file, `${poolText(port, two.port)}oops`);
    await until(() => log().includes('configuration unchanged'), { what: 'the complaint' });
    writeFileSync(file, poolText(port, two.port));
    await until(() => log().includes('is in effect'), { what: 'the other server' });
    for (const talk of talks) {
      talk.send(req('INCR', 'n'));
    }
    for (const talk of talks) expect(await talk.line()).toMatch(/^:\d+$/);
    expect(await two.cli('GET', 'n')).toBe(String(talks.length));
    proxy.kill('SIGTTIN');
    await until(() => log().includes('log level is 6'), { what: 'the level to rise' });
    expect(await proxy.stop()).toMatchObject({ code: 0 });
    for (const pid of new Set(pids)) await until(() => !isAlive(pid), { what: 'the workers to end' });
  });

  it('are started again when they die, and what they counted stays', async (context) => {
    needs(context, 'redis-server');
    const redis = await startRedis(cleanup);
    const { proxy, port, stats, file, log } = await start(redis.port);
    const served = [...(await reachBoth(port))];
    // The last to come is the only client of its worker.
    const [first, victim] = served.at(-1) ?? [];
    const [second, other] = served[0] ?? [];
    if (first === undefined || second === undefined || victim === undefined) throw new Error('two clients');
    first.send(req('SET', 'k', '1').repeat(5));
    await first.gets('+OK\r\n'.repeat(5));
    expect((await page(stats)).a.s.requests).toBe(5);
    // What counts is what is in effect, not what the file says by now.
    writeFileSync(file, 'oops');
    await until(() => log().includes('configuration unchanged'), { what: 'the complaint' });
    process.kill(victim, 'SIGKILL');
    await first.untilClosed();
    second.send(req('GET', 'k'));
    await second.gets(bulk('1'));
    await until(() => log().split('serves on pid').length === 4, { what: 'the next worker', deadline_ms: 20_000 });
    expect(log()).toMatch(/worker [12] \(pid \d+\) has ended: SIGKILL; the next one starts in \d+ ms/);
    const again = await reachBoth(port);
    expect([...again.values()]).toContain(other);
    expect([...again.values()]).not.toContain(victim);
    const clients = served.length - 1 + again.size;
    expect((await page(stats)).a).toMatchObject({ client_connections: clients, s: { requests: 6 } });
    // Workers do not outlive the process that was started.
    proxy.kill('SIGKILL');
    for (const pid of again.values()) await until(() => !isAlive(pid), { what: 'the workers to end' });
  });

  it('listen on a unix socket together, one left over included', async (context) => {
    needs(context, 'redis-server');
    const redis = await startRedis(cleanup);
    const { proxy, port, file, log } = await start(redis.port);
    const path = join(tempDir(cleanup), 'p.sock');
    // The name of a socket that nobody listens on any more.
    const left = createServer().listen(`${path}.left`);
    await until(() => left.listening, { what: 'a socket to leave over' });
    linkSync(`${path}.left`, path);
    await new Promise((resolve) => left.close(resolve));
    const tcp = new Talk(port, cleanup);
    await servedBy(tcp);
    writeFileSync(file, poolText(`${path} 0600`, redis.port));
    await until(() => log().includes('is in effect'), { what: 'the socket' });
    for (let i = 0; i < 4; i++) {
      const socket = connect(path);
      cleanup.add(() => socket.destroy());
      socket.write(req('PING'));
      const reply = await new Promise((resolve) => socket.once('data', resolve));
      expect(String(reply)).toBe('+PONG\r\n');
    }
    expect(await proxy.stop()).toMatchObject({ code: 0 });
  });

  it('do not start when an address is taken', async () => {
    const [stats = 0] = await freePorts(1);
    const taken = createServer().listen(0, '127.0.0.1');
    cleanup.add(() => taken.close());
    const address = await until(() => taken.address(), { what: 'a taken port' });
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const file = join(tempDir(cleanup), 'p.yml');
    writeFileSync(file, poolText(port, 1));
    const args = [tanistPath, 'proxy', file, '-w', '2', '-s', String(stats), '-a', '127.0.0.1'];
    const proxy = startChild({ command: process.execPath, args }, cleanup);
    expect(await proxy.exited).toMatchObject({ code: 1 });
    expect(proxy.output).toContain('EADDRINUSE');
  });
});
