/** The proxy of an agent outlives it: who finds it again, what it does meanwhile, and who ends it. */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseNutcracker } from '../../src/config/nutcracker.js';
import type { NutcrackerConfig } from '../../src/config/nutcracker-types.js';
import { bootId, isGone, readStat } from '../../src/net/proc.js';
import { type AgentProxy, type AgentProxyOptions, startAgentProxy } from '../../src/proxy/agent/agent-proxy.js';
import { endProxies } from '../../src/proxy/agent/end-proxies.js';
import type { AloneSettings } from '../../src/proxy/follow/alone.pure.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePort } from '../support/free-port.js';
import { needs } from '../support/needs.js';
import { startRedis, startReplicated } from '../support/redis-server.js';
import { startSentinelThatSays } from '../support/sentinel-that-says.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';
import { bulk, req, Talk } from './proxy-support.js';

const cleanup = cleanupAfterEach();
const program = fileURLToPath(new URL('../../dist/proxy/agent/proxy-process.js', import.meta.url));

function poolOf(port: number, lines: readonly string[] = [], host = '127.0.0.1'): NutcrackerConfig {
  const keys = [`listen: "${host}:${port}"`, 'redis: true', ...lines, 'servers:', '  - 127.0.0.1:1:1 one'];
  const { file, pools } = parseNutcracker(`pool:\n  ${keys.join('\n  ')}\n`, 'test');
  const target = { kind: 'group', group: 'one' } as const;
  return {
    file,
    pools: pools.map((pool) => ({ ...pool, servers: pool.servers.map((server) => ({ ...server, target })) })),
  };
}

/** One host's place for proxies; each `agent` is the next one on it. */
class Scene {
  readonly directory = join(tempDir(cleanup), 'proxy');
  readonly lines: string[] = [];

  private constructor(readonly port: number) {
    cleanup.add(() => endProxies(this.directory, 0));
  }

  static async create(): Promise<Scene> {
    return new Scene(await freePort());
  }

  agent(options: Partial<AgentProxyOptions> = {}): Promise<AgentProxy> {
    return startAgentProxy({
      config: poolOf(this.port),
      workers: 1,
      stats: null,
      directory: this.directory,
      alone: null,
      log: (level, text) => this.lines.push(`${level}: ${text}`),
      program,
      ...options,
    });
  }

  talk(): Talk {
    return new Talk(this.port, cleanup);
  }
}

function route(proxy: AgentProxy, epoch: number, redis: { readonly port: number }): void {
  proxy.route({ group: 'one', epoch, host: '127.0.0.1', port: redis.port });
}

async function says(talk: Talk, request: string, reply: string): Promise<void> {
  talk.send(request);
  await talk.gets(reply);
}

/** What the proxy itself says, without an agent. */
async function isHeld(stats: number): Promise<boolean> {
  const text = await (await fetch(`http://127.0.0.1:${stats}/metrics`)).text();
  return /^tanist_proxy_server_up\{[^}]*\} 0$/m.test(text);
}

function isAlive(pid: number): boolean {
  return !isGone(readStat(pid));
}

beforeEach((context) => {
  needs(context, 'redis-server');
});

describe('the next agent', () => {
  it.each([1, 2])(
    'goes on with the proxy that is there, and its clients notice nothing, with %i workers',
    async (workers) => {
      const [redis, scene] = await Promise.all([startRedis(cleanup), Scene.create()]);
      const first = await scene.agent({ workers });
      route(first, 7, redis);
      const client = scene.talk();
      await says(client, req('INCR', 'n'), ':1\r\n');
      const { pid } = first;
      await first.letGo();
      await says(client, req('INCR', 'n'), ':2\r\n');
      const second = await scene.agent({ workers });
      expect(second.pid).toBe(pid);
      // Without a route of its own yet: those of the first hold.
      await says(client, req('INCR', 'n'), ':3\r\n');
      await says(scene.talk(), req('INCR', 'n'), ':4\r\n');
      const [socket = ''] = readdirSync(scene.directory).filter((name) => name.endsWith('.sock'));
      expect(statSync(scene.directory).mode & 0o777).toBe(0o700);
      expect(statSync(join(scene.directory, socket)).mode & 0o777).toBe(0o600);
      await second.stop(0);
      expect(isAlive(pid ?? 0)).toBe(false);
      expect(existsSync(join(scene.directory, socket))).toBe(false);
    },
  );

  it('puts another configuration into effect without dropping a client', async () => {
    const [redis, scene, port] = await Promise.all([startRedis(cleanup), Scene.create(), freePort()]);
    const first = await scene.agent();
    route(first, 1, redis);
    const client = scene.talk();
    await says(client, req('SET', 'k', 'v'), '+OK\r\n');
    await first.letGo();
    const { pools } = poolOf(port);
    const config = {
      file: 'test',
      pools: [...poolOf(scene.port, ['hash: md5']).pools, ...pools.map((p) => ({ ...p, name: 'two' }))],
    };
    const second = await scene.agent({ config });
    expect(second.pid).toBe(first.pid);
    await says(client, req('GET', 'k'), bulk('v'));
    await says(new Talk(port, cleanup), req('GET', 'k'), bulk('v'));
  });

  it.each([1, 2])('replaces one of another build without refusing a connection, with %i workers', async (workers) => {
    const [redis, scene] = await Promise.all([startRedis(cleanup), Scene.create()]);
    const first = await scene.agent({ workers });
    route(first, 1, redis);
    const old = scene.talk();
    await says(old, req('SET', 'k', 'v'), '+OK\r\n');
    const waiting = scene.talk();
    waiting.send(req('BLPOP', 'list', '100'));
    await until(async () => String(await redis.cli('CLIENT', 'LIST')).includes('cmd=blpop'), { what: 'it to block' });
    await first.letGo();
    const problems: string[] = [];
    let answered = 0;
    let over = false;
    const comers = (async () => {
      while (!over) {
        const talk = scene.talk();
        talk.socket.on('error', (error) => problems.push(error.message));
        await says(talk, req('GET', 'k'), bulk('v')).catch((error: Error) => problems.push(error.message));
        talk.socket.destroy();
        answered++;
      }
    })();
    const second = await scene.agent({ workers, build: 'another' });
    route(second, 1, redis);
    expect(second.pid).not.toBe(first.pid);
    // What is under way is answered by the old one before it goes.
    await redis.cli('RPUSH', 'list', 'x');
    await waiting.gets(`*2\r\n${bulk('list')}${bulk('x')}`);
    await old.untilClosed();
    const after = answered;
    await until(() => answered > after + 10, { what: 'clients of the new one' });
    over = true;
    await comers;
    expect(problems).toEqual([]);
    await waiting.untilClosed();
    await until(() => !isAlive(first.pid ?? 0), { what: 'the old one to end' });
    expect(scene.lines.some((line) => line.includes('is replaced: it is of another build'))).toBe(true);
  });

  it.each([1, 2])('opens the doors anew when they cannot be passed on, with %i workers', async (workers) => {
    const [redis, scene] = await Promise.all([startRedis(cleanup), Scene.create()]);
    const first = await scene.agent({ workers });
    route(first, 1, redis);
    await says(scene.talk(), req('SET', 'k', 'v'), '+OK\r\n');
    await first.letGo();
    const unwilling = join(tempDir(cleanup), 'program.mjs');
    const heir = `process.on('message', ({ given }) => { if (given !== undefined) process.exit(3); }); process.send('ready');`;
    const other = `await import('${pathToFileURL(program)}');`;
    writeFileSync(unwilling, `if (process.env.TANIST_PROXY_HEIR === '1') { ${heir} } else { ${other} }`);
    const second = await scene.agent({ workers, program: unwilling, build: 'another' });
    route(second, 1, redis);
    await says(scene.talk(), req('GET', 'k'), bulk('v'));
    await until(() => !isAlive(first.pid ?? 0), { what: 'the old one to end' });
    expect(scene.lines.filter((line) => line.startsWith('warn'))).toEqual([
      expect.stringContaining('they cannot be passed on: Error: the next proxy has ended: exit code 3'),
    ]);
  });

  it('replaces one with another number of workers', async () => {
    const [redis, scene] = await Promise.all([startRedis(cleanup), Scene.create()]);
    const first = await scene.agent();
    route(first, 1, redis);
    await says(scene.talk(), req('SET', 'k', 'v'), '+OK\r\n');
    await first.letGo();
    const second = await scene.agent({ workers: 2 });
    route(second, 1, redis);
    await says(scene.talk(), req('GET', 'k'), bulk('v'));
    await until(() => !isAlive(first.pid ?? 0), { what: 'the old one to end' });
  });

  it('ends one that hangs, and starts another', async () => {
    const [redis, scene] = await Promise.all([startRedis(cleanup), Scene.create()]);
    const first = await scene.agent();
    await first.letGo();
    process.kill(first.pid ?? 0, 'SIGSTOP');
    const second = await scene.agent({ greeting_ms: 2_000 });
    route(second, 1, redis);
    expect(second.pid).not.toBe(first.pid);
    await says(scene.talk(), req('SET', 'k', 'v'), '+OK\r\n');
    expect(scene.lines.some((line) => line.includes('since it hangs'))).toBe(true);
  });

  it('is not in the way of sockets that dead ones have left, nor of a pid that was given anew, be it after a boot', async () => {
    const scene = await Scene.create();
    mkdirSync(scene.directory, { mode: 0o700 });
    const boot = bootId().slice(0, 8);
    const start = readStat(process.pid)?.startTicks;
    const names = [`99999999-1-${boot}`, `${process.pid}-1-${boot}`, `${process.pid}-${start}-00000000`];
    const left = names.map((name) => join(scene.directory, `${name}.sock`));
    for (const path of left) writeFileSync(path, '');
    await scene.agent();
    for (const path of left) expect(existsSync(path)).toBe(false);
  });

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '[::1]'],
  ])('is told who has its port on %s, and what to do about it', async (host, written) => {
    const scene = await Scene.create();
    const stranger = createServer();
    await new Promise<void>((resolve) => stranger.listen(scene.port, host, resolve));
    cleanup.add(() => void stranger.close());
    const config = poolOf(scene.port, [], written);
    const held = `${written}:${scene.port} is held by process ${process.pid}`;
    await expect(scene.agent({ config })).rejects.toThrow(held);
    await expect(scene.agent({ config })).rejects.toThrow(`end it (kill ${process.pid}), or choose another \`listen\``);
    expect(readdirSync(scene.directory).filter((name) => name.endsWith('.sock'))).toEqual([]);
  });

  it('may speak of a cluster that begins its epochs anew', async () => {
    const [old, next, scene] = await Promise.all([startRedis(cleanup), startRedis(cleanup), Scene.create()]);
    const first = await scene.agent();
    route(first, 9, old);
    await says(scene.talk(), req('SET', 'k', 'old'), '+OK\r\n');
    await first.letGo();
    const second = await scene.agent({ caughtUp_ms: 2_000 });
    const telling = setInterval(() => route(second, 1, next), 100);
    cleanup.add(() => clearInterval(telling));
    // Not at once: its Sentinel may only not have heard yet.
    await says(scene.talk(), req('GET', 'k'), bulk('old'));
    await until(
      async () => {
        const talk = scene.talk();
        talk.send(req('SET', 'k', 'new'));
        await talk.gets('+OK\r\n');
        return (await next.cli('GET', 'k')) === 'new';
      },
      { what: 'the other cluster', deadline_ms: 25_000 },
    );
  });
});

describe('without an agent', () => {
  const alone = (
    sentinels: readonly { readonly port: number }[],
    settings: Partial<AloneSettings> = {},
  ): AloneSettings => ({
    self: '127.0.0.9',
    sentinels: sentinels.map(({ port }) => ({ host: '127.0.0.1', port })),
    login: null,
    tls: null,
    leaseTtl_ms: 500,
    groups: ['one'],
    ...settings,
  });

  it('it goes where the Sentinels of the other hosts say, and tells the next agent what it has seen', async () => {
    const [[master, replica], scene] = await Promise.all([startReplicated(cleanup, { replicas: 1 }), Scene.create()]);
    const sentinel = await startSentinelThatSays(cleanup, { port: master.port, epoch: 3 });
    const first = await scene.agent({ alone: alone([sentinel, { port: 1 }]) });
    route(first, 3, master);
    const client = scene.talk();
    await says(client, req('INCR', 'n'), ':1\r\n');
    await first.letGo();
    await until(async () => (await replica.cli('GET', 'n')) === '1', { what: 'the replica to have it' });
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    await replica.cli('SET', 'led', 'by the replica');
    sentinel.says = { port: replica.port, epoch: 4 };
    await until(
      async () => {
        const probe = scene.talk();
        probe.send(req('EXISTS', 'led'));
        return (await probe.line()) === ':1';
      },
      { what: 'the proxy to have heard' },
    );
    await says(client, req('INCR', 'n'), ':2\r\n');
    expect(await replica.cli('GET', 'n')).toBe('2');
    const second = await scene.agent({ alone: alone([sentinel]) });
    // What is older than what it has seen does not lead it back.
    route(second, 3, master);
    await says(client, req('INCR', 'n'), ':3\r\n');
    await until(() => scene.lines.some((line) => line.includes(`127.0.0.1:${replica.port} leads 'one'`)), {
      what: 'the lines from when nobody listened',
    });
    expect(client.closed).toBe(false);
  });

  it.each([
    ['a majority could have elected another unheard', null, '0 of 1 other Sentinels needed say who leads'],
    ['others may elect another than the master beside it', '127.0.0.1', 'and with it the lease of the master'],
  ] as const)('it holds requests while %s', async (_, self, reason) => {
    const [redis, scene, stats] = await Promise.all([startRedis(cleanup), Scene.create(), freePort()]);
    const sentinel = await startSentinelThatSays(cleanup, self === null ? null : { port: redis.port, epoch: 1 });
    const settings = alone([sentinel, { port: 1 }], self === null ? {} : { self, leaseTtl_ms: 2_000 });
    const options = { alone: settings, stats: { host: '127.0.0.1', port: stats } };
    const first = await scene.agent(options);
    route(first, 1, redis);
    const client = scene.talk();
    await says(client, req('INCR', 'n'), ':1\r\n');
    await first.letGo();
    await says(client, req('INCR', 'n'), ':2\r\n');
    await until(() => isHeld(stats), { what: 'the group to be held' });
    client.send(req('INCR', 'n'));
    const second = await scene.agent(options);
    route(second, 1, redis);
    await client.gets(':3\r\n');
    await until(() => scene.lines.some((line) => line.includes(`requests for 'one' wait`) && line.includes(reason)), {
      what: 'the reason',
    });
  });

  it('it goes on while nobody else can have been elected', async () => {
    const [redis, scene, stats] = await Promise.all([startRedis(cleanup), Scene.create(), freePort()]);
    const sentinel = await startSentinelThatSays(cleanup, null);
    const options = { alone: alone([sentinel, { port: 1 }]), stats: { host: '127.0.0.1', port: stats } };
    const first = await scene.agent(options);
    route(first, 1, redis);
    const client = scene.talk();
    await says(client, req('INCR', 'n'), ':1\r\n');
    await first.letGo();
    await until(() => isHeld(stats), { what: 'the group to be held' });
    client.send(req('INCR', 'n'));
    // One of two others is enough: without it, there is no majority but with this host's own vote.
    sentinel.says = { port: redis.port, epoch: 1 };
    await client.gets(':2\r\n');
  });

  it('it ends when it is told to by a signal, with its clients answered', async () => {
    const [redis, scene] = await Promise.all([startRedis(cleanup), Scene.create()]);
    const first = await scene.agent({ workers: 2 });
    route(first, 1, redis);
    const client = scene.talk();
    await says(client, req('SET', 'k', 'v'), '+OK\r\n');
    await first.letGo();
    process.kill(first.pid ?? 0, 'SIGTERM');
    await client.untilClosed();
    await until(() => !isAlive(first.pid ?? 0), { what: 'it to end' });
    expect(readdirSync(scene.directory).filter((name) => name.endsWith('.sock'))).toEqual([]);
  });

  it('it ends when nobody can find it any more', async () => {
    const scene = await Scene.create();
    const first = await scene.agent();
    await first.letGo();
    rmSync(scene.directory, { recursive: true });
    await until(() => !isAlive(first.pid ?? 0), { what: 'it to end' });
  });
});
