import { spawn } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { Cleanup } from './cleanup.js';
import { cleanupAfterEach } from './cleanup-after-each.js';
import { freePorts } from './free-port.js';
import { summarise } from './left-out-reporter.js';
import { needs } from './needs.js';
import { startSentinel } from './redis-sentinel.js';
import { startRedis, startReplicated } from './redis-server.js';
import { RespError, request } from './resp.js';
import { tempDir } from './temp-dir.js';
import { until } from './until.js';

describe('until', () => {
  it('returns the first truthy value', async () => {
    let looks = 0;
    expect(await until(() => (++looks === 3 ? 'now' : null), { what: 'the third look' })).toBe('now');
  });

  it('gives up with what it saw last', async () => {
    const promise = until(() => Promise.reject(new RangeError('too far')), { what: 'the moon', deadline_ms: 30 });
    await expect(promise).rejects.toThrow(/waiting for the moon after \d+ ms; last seen: RangeError: too far/);
  });
});

describe('Cleanup', () => {
  it('runs the newest step first, and all of them whatever fails', async () => {
    const cleanup = new Cleanup();
    const ran: string[] = [];
    cleanup.add(() => ran.push('first'));
    cleanup.add(() => Promise.reject(new Error('stuck')));
    cleanup.add(() => ran.push('last'));
    await expect(cleanup.run()).rejects.toThrow('cleaning up failed: Error: stuck');
    expect(ran).toEqual(['last', 'first']);
  });

  it('removes a temporary folder', async () => {
    const cleanup = new Cleanup();
    const dir = tempDir(cleanup);
    expect(existsSync(dir)).toBe(true);
    await cleanup.run();
    expect(existsSync(dir)).toBe(false);
  });
});

it('tells the tests that were left out by their reason', () => {
  const test = (name: string, reason: string) => ({ file: 'a.test.ts', name, reason });
  expect(summarise([])).toBe('');
  expect(summarise([test('one', 'no root'), test('two', 'no keepalived'), test('three', 'no root')])).toBe(
    ` Left out: 3 tests
   skipped: no root
     a.test.ts > one
     a.test.ts > three
   skipped: no keepalived
     a.test.ts > two
`,
  );
});

it('finds distinct free ports', async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
});

describe('a real Redis', () => {
  const cleanup = cleanupAfterEach();
  beforeEach((context) => {
    needs(context, 'redis-server');
  });

  it('starts, answers, is killed and comes back on its port', async () => {
    const redis = await startRedis(cleanup, { config: { 'maxmemory-policy': 'noeviction' } });
    expect(await redis.cli('SET', 'key', 'value')).toBe('OK');
    expect(await redis.cli('CONFIG', 'GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
    await expect(redis.cli('NO-SUCH')).rejects.toThrow(RespError);
    expect(await redis.kill9()).toEqual({ code: null, signal: 'SIGKILL' });
    await expect(redis.cli('PING')).rejects.toThrow('ECONNREFUSED');
    await redis.restart();
    expect(await redis.cli('GET', 'key')).toBeNull();
  });

  it('is frozen and thawed', async () => {
    const redis = await startRedis(cleanup);
    redis.freeze();
    await expect(request({ port: redis.port, deadline_ms: 100 }, 'PING')).rejects.toThrow('no reply to PING');
    redis.thaw();
    expect(await redis.cli('PING')).toBe('PONG');
  });

  it('says why it did not start', async () => {
    await expect(startRedis(cleanup, { config: { 'maxmemory-policy': 'nonsense' } })).rejects.toThrow(
      /ended at once:[\s\S]*maxmemory-policy/,
    );
  });

  it('replicates, and a real Sentinel sees it', async (context) => {
    needs(context, 'redis-sentinel');
    const [master, replica] = await startReplicated(cleanup, { replicas: 1 });
    const sentinel = await startSentinel(cleanup, { config: `sentinel monitor mymaster 127.0.0.1 ${master.port} 1` });
    expect(await sentinel.masterPort('mymaster')).toBe(master.port);
    const replicas = async () => (await sentinel.fields('SENTINEL', 'MASTER', 'mymaster'))['num-slaves'] === '1';
    await until(replicas, { what: 'the Sentinel to find the replica' });
    expect(sentinel.config).toContain(`sentinel known-replica mymaster 127.0.0.1 ${replica.port}`);
  });

  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
    it(`dies with the process that started it, by ${signal}`, async () => {
      const script = fileURLToPath(new URL('start-and-wait.ts', import.meta.url));
      const parent = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
      cleanup.add(() => parent.kill('SIGKILL'));
      const line = await new Promise<string>((resolve) =>
        parent.stdout.once('data', (bytes) => resolve(String(bytes))),
      );
      const { port, dir } = JSON.parse(line) as { port: number; dir: string };
      cleanup.add(() => rmSync(dir, { recursive: true, force: true }));
      parent.kill(signal);
      const refused = () =>
        new Promise((resolve) =>
          connect({ port })
            .once('error', resolve)
            .once('connect', () => resolve(null)),
        );
      await until(refused, { what: 'the Redis to be gone' });
      if (signal === 'SIGKILL') return;
      await until(() => !existsSync(dir), { what: 'its folder to be gone' });
    });
  }
});
