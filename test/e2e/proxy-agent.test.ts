/** The proxy as an agent runs it: a process of its own that is told where the masters are. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseNutcracker } from '../../src/config/nutcracker.js';
import type { NutcrackerConfig } from '../../src/config/nutcracker-types.js';
import { type AgentProxy, type AgentProxyOptions, startAgentProxy } from '../../src/proxy/agent/agent-proxy.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePort } from '../support/free-port.js';
import { needs } from '../support/needs.js';
import { type RedisServer, startRedis, startReplicated } from '../support/redis-server.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';
import { bulk, req, Talk } from './proxy-support.js';

const cleanup = cleanupAfterEach();
const program = fileURLToPath(new URL('../../dist/proxy/agent/proxy-process.js', import.meta.url));

/** A pool of groups, otherwise as nutcracker's file has it. */
function poolOf(port: number, groups: readonly string[], lines: readonly string[] = []): NutcrackerConfig {
  const servers = groups.map((group) => `  - 127.0.0.1:1:1 ${group}`);
  const keys = [`listen: 127.0.0.1:${port}`, 'redis: true', ...lines, 'servers:', ...servers].join('\n  ');
  const config = parseNutcracker(`pool:\n  ${keys}\n`, 'test');
  const pools = config.pools.map((pool) => ({
    ...pool,
    servers: pool.servers.map((server) => ({
      ...server,
      target: { kind: 'group' as const, group: server.label },
    })),
  }));
  return { ...config, pools };
}

interface Started {
  readonly proxy: AgentProxy;
  readonly port: number;
  readonly doubts: string[];
  readonly lines: string[];
}

async function start(options: Partial<AgentProxyOptions> = {}): Promise<Started> {
  const port = await freePort();
  const doubts: string[] = [];
  const lines: string[] = [];
  const proxy = await startAgentProxy({
    config: poolOf(port, ['one']),
    workers: 1,
    stats: null,
    directory: tempDir(cleanup),
    alone: null,
    log: (level, text) => lines.push(`${level}: ${text}`),
    doubted: (group, reason) => doubts.push(`${group}: ${reason}`),
    program,
    ...options,
  });
  cleanup.add(() => proxy.stop(0));
  return { proxy, port, doubts, lines };
}

/** The proxy's program, of which so many starts as are said fail at once. */
function failingProgram() {
  const directory = tempDir(cleanup);
  const path = join(directory, 'program.mjs');
  const toFail = join(directory, 'to-fail');
  const started = join(directory, 'started');
  const failNext = (starts: number): void => writeFileSync(toFail, String(starts));
  failNext(0);
  const lines = [
    `import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';`,
    `const left = Number(readFileSync('${toFail}', 'utf8'));`,
    `appendFileSync('${started}', '.');`,
    `if (left > 0) { writeFileSync('${toFail}', String(left - 1)); process.exit(3); }`,
    `await import('${pathToFileURL(program)}');`,
  ];
  writeFileSync(path, lines.join('\n'));
  return { path, failNext, starts: () => readFileSync(started, 'utf8').length };
}

function route(proxy: AgentProxy, epoch: number, redis: RedisServer, group = 'one'): void {
  proxy.route({ group, epoch, host: '127.0.0.1', port: redis.port });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

beforeEach((context) => {
  needs(context, 'redis-server');
});

describe('routes', () => {
  it('let requests go that have waited for the first one, and move them when the master changes', async () => {
    const [master, replica] = await startReplicated(cleanup, { replicas: 1 });
    const { proxy, port, doubts } = await start();
    const client = new Talk(port, cleanup);
    client.send(req('SET', 'k', 'v') + req('PING'));
    route(proxy, 1, master);
    await client.gets('+OK\r\n+PONG\r\n');
    await until(async () => (await replica.cli('GET', 'k')) === 'v', { what: 'the key on the replica' });
    await master.kill9();
    await until(() => doubts.some((each) => each.startsWith('one: Connection')), { what: 'the agent to be told' });
    client.send(req('GET', 'k') + req('SET', 'k', 'w'));
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    route(proxy, 2, replica);
    await client.gets(`${bulk('v')}+OK\r\n`);
  });

  it('of an older epoch are ignored', async () => {
    const [old, next] = await Promise.all([startRedis(cleanup), startRedis(cleanup)]);
    const { proxy, port } = await start();
    route(proxy, 5, next);
    route(proxy, 4, old);
    const client = new Talk(port, cleanup);
    client.send(req('SET', 'k', 'v'));
    await client.gets('+OK\r\n');
    expect(await next.cli('GET', 'k')).toBe('v');
    expect(await old.cli('EXISTS', 'k')).toBe(0);
  });

  it('to a server that is no master are not used until it is one', async () => {
    const [master, replica] = await startReplicated(cleanup, { replicas: 1 });
    const { proxy, port, doubts } = await start();
    route(proxy, 1, replica);
    const client = new Talk(port, cleanup);
    client.send(req('SET', 'k', 'v'));
    await until(() => doubts.some((each) => each.endsWith('is no master')), { what: 'the agent to be told' });
    expect(await master.cli('DBSIZE')).toBe(0);
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    await client.gets('+OK\r\n');
    expect(await replica.cli('GET', 'k')).toBe('v');
  });

  it('are looked for again when the master refuses a write', async () => {
    const [master, replica] = await startReplicated(cleanup, { replicas: 1 });
    const { proxy, port, doubts } = await start();
    route(proxy, 1, master);
    const client = new Talk(port, cleanup);
    client.send(req('SET', 'k', 'v'));
    await client.gets('+OK\r\n');
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    await master.cli('REPLICAOF', '127.0.0.1', String(replica.port));
    client.send(req('SET', 'k', 'w'));
    await until(() => doubts.some((each) => each.includes('READONLY')), { what: 'the agent to be told' });
    route(proxy, 2, replica);
    await client.gets('+OK\r\n');
    expect(await replica.cli('GET', 'k')).toBe('w');
  });
});

describe('a planned change', () => {
  it('holds requests until the next master is named', async () => {
    const [master, replica] = await startReplicated(cleanup, { replicas: 1 });
    const { proxy, port } = await start();
    route(proxy, 1, master);
    const client = new Talk(port, cleanup);
    client.send(req('INCR', 'n'));
    await client.gets(':1\r\n');
    proxy.hold({ group: 'one', for_ms: 20_000, reason: 'a switchover' });
    // The same route, repeated, does not end it.
    route(proxy, 1, master);
    await until(
      async () => {
        const snapshot = await proxy.snapshot();
        return snapshot?.pools[0]?.servers[0]?.up === false;
      },
      { what: 'the shard to be held' },
    );
    client.send(req('INCR', 'n'));
    await until(async () => (await replica.cli('GET', 'n')) === '1', { what: 'the replica to have it' });
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    route(proxy, 2, replica);
    await client.gets(':2\r\n');
    expect(await master.cli('GET', 'n')).toBe('1');
  });

  it('goes back to the old master when none is named in time', async () => {
    const master = await startRedis(cleanup);
    const { proxy, port } = await start();
    route(proxy, 1, master);
    const client = new Talk(port, cleanup);
    client.send(req('SET', 'k', 'v'));
    await client.gets('+OK\r\n');
    proxy.hold({ group: 'one', for_ms: 300, reason: 'a switchover' });
    client.send(req('GET', 'k'));
    await client.gets(bulk('v'));
  });
});

describe('the process', () => {
  it.each([1, 2])('is started again when it dies, and knows its routes, with %i workers', async (workers) => {
    const redis = await startRedis(cleanup);
    const { proxy, port, lines } = await start({ workers });
    route(proxy, 1, redis);
    const client = new Talk(port, cleanup);
    client.send(req('SET', 'k', 'v'));
    await client.gets('+OK\r\n');
    const before = proxy.pid;
    process.kill(before ?? 0, 'SIGKILL');
    await until(() => proxy.pid !== null && proxy.pid !== before, { what: 'another process' });
    await until(
      async () => {
        const again = new Talk(port, cleanup);
        again.send(req('GET', 'k'));
        await again.gets(bulk('v'));
        return true;
      },
      { what: 'it to serve' },
    );
    expect(lines.some((line) => line.startsWith('error: the proxy (pid') && line.includes('SIGKILL'))).toBe(true);
    expect(lines.some((line) => line.startsWith('notice: pool: listening'))).toBe(true);
  });

  it('is tried again, ever later, when starting it again fails, and no second one comes beside it', async () => {
    const [redis, failing] = [await startRedis(cleanup), failingProgram()];
    const { proxy, port, lines } = await start({ program: failing.path, build: 'of a test' });
    route(proxy, 1, redis);
    failing.failNext(3);
    process.kill(proxy.pid ?? 0, 'SIGKILL');
    const serving = () => lines.filter((line) => line.startsWith('notice: the proxy serves on')).length;
    await until(() => serving() === 2, { what: 'another process' });
    const client = new Talk(port, cleanup);
    client.send(req('SET', 'k', 'v'));
    await client.gets('+OK\r\n');
    const failures = lines.filter((line) => line.startsWith('error: the proxy'));
    expect(failures).toEqual([
      expect.stringMatching(/has ended: SIGKILL; it is started again in \d+ ms$/),
      ...Array.from({ length: 3 }, () =>
        expect.stringMatching(/cannot serve: it has ended: exit code 3; it is started again in \d+ ms$/),
      ),
    ]);
    const waits_ms = failures.map((line) => Number(/(\d+) ms$/.exec(line)?.[1]));
    for (const [i, wait_ms] of waits_ms.entries()) {
      expect(wait_ms).toBeGreaterThanOrEqual(50 * 2 ** i);
      expect(wait_ms).toBeLessThanOrEqual(100 * 2 ** i);
    }
    expect(failing.starts()).toBe(1 + 3 + 1);
  });

  it('tells what it counts', async () => {
    const redis = await startRedis(cleanup);
    const stats = { host: '127.0.0.1', port: await freePort() };
    const { proxy, port } = await start({ stats });
    route(proxy, 1, redis);
    const client = new Talk(port, cleanup);
    client.send(req('SET', 'k', 'v'));
    await client.gets('+OK\r\n');
    const snapshot = await proxy.snapshot();
    expect(snapshot?.pools[0]?.servers[0]).toMatchObject({ label: 'one', up: true });
    expect(await proxy.metrics()).toContain('tanist_proxy_');
    expect(await (await fetch(`http://127.0.0.1:${stats.port}/metrics`)).text()).toContain('tanist_proxy_');
  });

  it('cannot start where somebody else listens, and says so', async () => {
    const redis = await startRedis(cleanup);
    await expect(start({ config: poolOf(redis.port, ['one']) })).rejects.toThrow(/EADDRINUSE/);
  });

  it('takes another configuration without dropping a client', async () => {
    const redis = await startRedis(cleanup);
    const { proxy, port } = await start();
    route(proxy, 1, redis);
    const client = new Talk(port, cleanup);
    client.send(req('SET', 'k', 'v'));
    await client.gets('+OK\r\n');
    await proxy.configure(poolOf(port, ['one'], ['hash: md5']));
    client.send(req('GET', 'k'));
    await client.gets(bulk('v'));
  });

  it('answers what is under way before it ends', async () => {
    const redis = await startRedis(cleanup);
    const { proxy, port } = await start();
    route(proxy, 1, redis);
    const idle = new Talk(port, cleanup);
    idle.send(req('PING'));
    await idle.gets('+PONG\r\n');
    const waiting = new Talk(port, cleanup);
    waiting.send(req('BLPOP', 'list', '20'));
    await until(async () => String(await redis.cli('CLIENT', 'LIST')).includes('cmd=blpop'), { what: 'it to block' });
    const { pid } = proxy;
    const stopped = proxy.stop(20_000);
    await idle.untilClosed();
    await redis.cli('RPUSH', 'list', 'v');
    await waiting.gets(`*2\r\n${bulk('list')}${bulk('v')}`);
    await waiting.untilClosed();
    await stopped;
    expect(isAlive(pid ?? 0)).toBe(false);
  });
});
