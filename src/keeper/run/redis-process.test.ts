/** The kept process: started, found again, watched; with a real Redis. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../../test/support/certificates.js';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { freePort } from '../../../test/support/free-port.js';
import { endProcess, keep, killAfter } from '../../../test/support/keeper.js';
import { leaveOut, needs } from '../../../test/support/needs.js';
import { startRedis } from '../../../test/support/redis-server.js';
import { tempDir } from '../../../test/support/temp-dir.js';
import { until } from '../../../test/support/until.js';
import { isGone, readStat } from '../../net/proc.js';
import { NOWHERE } from '../core/io.js';

const cleanup = cleanupAfterEach();

beforeEach((context) => {
  needs(context, 'redis-server');
});

describe('starting', () => {
  it('starts a replica of nobody, which takes no write', async () => {
    const kept = await keep(cleanup);
    const pid = await kept.start();
    expect(kept.runner.pid).toBe(pid);
    // That it did not listen from the first moment on is no news.
    expect(kept.core.all('redis-down')).toEqual([]);
    const [, , , , group, session] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ');
    expect([group, session]).toEqual([String(pid), String(pid)]);
    expect(await kept.ask('ROLE')).toEqual(['slave', NOWHERE.host, NOWHERE.port, 'connect', -1]);
    await expect(kept.cli('SET', 'a', 'b')).rejects.toThrow(/^READONLY/);
    expect(readFileSync(join(kept.directory, 'redis.log'), 'utf8')).toContain('Ready to accept connections');
  });

  it('does as told: promote, write, INFO as it came', async () => {
    const kept = await keep(cleanup);
    await kept.start();
    expect(await kept.ask('REPLICAOF', 'NO', 'ONE')).toBe('OK');
    expect(await kept.cli('SET', 'a', 'b')).toBe('OK');
    expect(await kept.ask('INFO', 'replication')).toMatch(/role:master/);
  });

  it('refuses a CONFIG REWRITE, since nobody would read what it writes', async () => {
    const kept = await keep(cleanup);
    await kept.start();
    await expect(kept.cli('CONFIG', 'REWRITE')).rejects.toThrow('without a config file');
  });

  it('reads redis.conf, and says of what it does not follow why', async () => {
    const folder = tempDir(cleanup);
    const config = join(folder, 'redis.conf');
    const text = [
      'maxmemory 50mb',
      'replicaof 10.0.0.1 6379',
      'daemonize yes',
      'replica-read-only no',
      'dir /nowhere',
      'appendonly yes',
    ];
    writeFileSync(config, text.join('\n'));
    const kept = await keep(cleanup, { settings: { config } });
    await kept.start();
    expect(await kept.ask('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', String(50 * 1024 * 1024)]);
    expect(await kept.ask('CONFIG', 'GET', 'appendonly')).toEqual(['appendonly', 'yes']);
    expect(await kept.ask('CONFIG', 'GET', 'dir')).toEqual(['dir', kept.directory]);
    await expect(kept.cli('SET', 'a', 'b')).rejects.toThrow(/^READONLY/);
    expect(kept.logs).toEqual(
      expect.arrayContaining([
        `main: ${config}:2: replicaof is not followed: the leader record says whom it follows`,
        `main: ${config}:3: daemonize is not followed: it runs beside the agent and is watched by it`,
      ]),
    );
    expect(readFileSync(config, 'utf8')).toBe(text.join('\n'));
  });

  it('goes by its own word where an included file says otherwise, and reads those too', async () => {
    const folder = tempDir(cleanup);
    const config = join(folder, 'redis.conf');
    writeFileSync(config, `include ${folder}/more-*.conf\n`);
    writeFileSync(join(folder, 'more-1.conf'), 'replica-read-only no\nreplicaof 10.0.0.1 6379\nmaxmemory 50mb\n');
    const kept = await keep(cleanup, { settings: { config } });
    await kept.start();
    expect(await kept.ask('CONFIG', 'GET', 'maxmemory')).toEqual(['maxmemory', String(50 * 1024 * 1024)]);
    expect(await kept.ask('ROLE')).toMatchObject({ 1: NOWHERE.host });
    await expect(kept.cli('SET', 'a', 'b')).rejects.toThrow(/^READONLY/);
    writeFileSync(join(folder, 'more-2.conf'), 'rename-command CONFIG ""\n');
    const other = await keep(cleanup, { settings: { config } });
    other.say({ do: 'start-redis' });
    expect((await other.input('process-failed')).why).toMatch(/more-2\.conf:1: CONFIG must keep its name/);
  });

  it('says why a redis.conf cannot be used', async () => {
    const config = join(tempDir(cleanup), 'redis.conf');
    writeFileSync(config, 'port 1\ncluster-enabled yes\n');
    const kept = await keep(cleanup, { settings: { config } });
    kept.say({ do: 'start-redis' });
    expect((await kept.input('process-failed')).why).toMatch(/redis\.conf:2: cluster-enabled yes: .*remove the line/);
  });

  it('tells the last lines of the log when the process ends at once', async () => {
    const config = join(tempDir(cleanup), 'redis.conf');
    writeFileSync(config, 'maxmemory 1mb\nnonsense 1\n');
    const kept = await keep(cleanup, { settings: { config } });
    kept.say({ do: 'start-redis' });
    expect((await kept.input('process-failed')).why).toMatch(/ended at once with exit code 1: .*line 2.*nonsense/);
    expect(kept.core.all('process-ended')).toEqual([]);
  });

  it('says that a program is missing', async () => {
    const kept = await keep(cleanup, { settings: { program: 'no-such-redis' } });
    kept.say({ do: 'start-redis' });
    expect((await kept.input('process-failed')).why).toMatch('there is no program no-such-redis');
  });

  it('goes on where its pid cannot be written down, and is found again all the same', async () => {
    const kept = await keep(cleanup);
    mkdirSync(join(kept.stateDirectory, 'main.redis.json'));
    const pid = await kept.start();
    cleanup.add(() => endProcess(pid));
    expect(kept.logs.filter((line) => line.includes('the pid of Redis is not written down'))).toHaveLength(1);
    const { port, directory, stateDirectory } = kept;
    const next = await keep(cleanup, { port, directory, stateDirectory });
    next.say({ do: 'look' });
    expect(await next.input('process-running')).toEqual({ on: 'process-running', pid, adopted: true });
  });

  it('leaves a process and its link alone when it is told to start it again', async () => {
    const kept = await keep(cleanup);
    const pid = await kept.start();
    kept.say({ do: 'start-redis' });
    expect(await kept.input('process-running', 2)).toEqual({ on: 'process-running', pid, adopted: false });
    expect(await kept.ask('PING')).toBe('PONG');
    expect(kept.core.all('redis-up')).toHaveLength(1);
  });

  it('says who has the port', async () => {
    const other = await startRedis(cleanup);
    const kept = await keep(cleanup, { port: other.port });
    kept.say({ do: 'start-redis' });
    const { why } = await kept.input('process-failed');
    expect(why).toContain(`port ${other.port} on 127.0.0.1 is held by process ${other.pid} (redis-server)`);
    expect(await other.cli('PING')).toBe('PONG');
  });

  it('keeps passwords out of the command line and of all files', async () => {
    const auth = { user: '', password: { value: 'a "secret" word', from: 'inline' } } as const;
    const kept = await keep(cleanup, { settings: { auth } });
    const pid = await kept.start();
    const seen = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    expect(seen).toContain('redis-server');
    expect(seen).not.toContain('secret');
    expect(readdirSync(kept.stateDirectory).sort()).toEqual(['main.redis.json', 'main.redis.pid']);
    await expect(kept.cli('PING')).rejects.toThrow(/^NOAUTH/);
    expect(await kept.ask('CONFIG', 'GET', 'masterauth')).toEqual(['masterauth', auth.password.value]);
  });

  it('lets nobody in but the named user', async () => {
    const auth = { user: 'app', password: { value: 'word', from: 'inline' } } as const;
    const kept = await keep(cleanup, { settings: { auth } });
    await kept.start();
    expect(await kept.ask('ACL', 'WHOAMI')).toBe('app');
    await expect(kept.cli('PING')).rejects.toThrow(/^NOAUTH/);
  });
});

it('speaks TLS alone where tanist.yml has certificates', async (context) => {
  const made = await makeCertificates(cleanup);
  if (made === null) leaveOut(context, 'there is no openssl to make certificates with');
  const { ca, cert, key } = made;
  const tls = { ca, cert, key, servername: null, anyName: true, insecure: false };
  const kept = await keep(cleanup, { settings: { tls }, runner: { tls: { ca, cert, key } } });
  kept.say({ do: 'start-redis' });
  const running = await until(() => kept.core.all('redis-up')[0] ?? kept.core.all('process-failed')[0], {
    what: 'news',
  });
  if (running.on === 'process-failed' && /tls-port|Bad directive/.test(running.why)) {
    leaveOut(context, 'this redis-server is built without TLS');
  }
  expect(await kept.ask('CONFIG', 'GET', 'tls-replication')).toEqual(['tls-replication', 'yes']);
  expect(await kept.ask('CONFIG', 'GET', 'port')).toEqual(['port', '0']);
  await expect(kept.cli('PING')).rejects.toThrow();
});

describe('the end of the process', () => {
  it('is noticed at once, and it starts anew with its data', async () => {
    const kept = await keep(cleanup);
    const pid = await kept.start();
    await kept.ask('REPLICAOF', 'NO', 'ONE');
    await kept.cli('SET', 'a', 'b');
    await kept.cli('SAVE');
    process.kill(pid, 'SIGKILL');
    expect((await kept.input('process-ended')).how).toBe('signal SIGKILL');
    await kept.start();
    expect(await kept.cli('GET', 'a')).toBe('b');
    expect(kept.runner.pid).not.toBe(pid);
  });

  it('is the end of its children too, who would put an old dump in place', async () => {
    const kept = await keep(cleanup);
    const pid = await kept.start();
    await kept.ask('REPLICAOF', 'NO', 'ONE');
    await kept.cli('SET', 'a', 'b');
    await kept.cli('CONFIG', 'SET', 'rdb-key-save-delay', 100_000_000);
    await kept.cli('BGSAVE');
    const child = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
    expect(isGone(readStat(child))).toBe(false);
    process.kill(pid, 'SIGKILL');
    await kept.input('process-ended');
    await until(() => isGone(readStat(child)), { what: 'its child to be gone' });
  });

  it('is told with its last words when it lived and then failed', async () => {
    const kept = await keep(cleanup);
    await kept.start();
    await kept.ask('PING');
    await kept.cli('SHUTDOWN', 'NOSAVE').catch(() => {});
    expect((await kept.input('process-ended')).how).toMatch(/^exit code 0: .*bye bye/);
  });

  it('comes when it is ordered, even of a stopped process', async () => {
    const kept = await keep(cleanup);
    const pid = await kept.start();
    process.kill(pid, 'SIGSTOP');
    kept.say({ do: 'kill-redis', reason: 'a test' });
    expect((await kept.input('process-ended')).how).toBe('signal SIGKILL');
  });
});

describe('a Redis outlives its agent', () => {
  /** A runner in a process of its own, which starts Redis, gives it a key, and waits to be killed. */
  async function startElsewhere(): Promise<{ parent: ChildProcess; options: Parameters<typeof keep>[1]; pid: number }> {
    const stateDirectory = tempDir(cleanup, 'tanist-state-');
    const directory = tempDir(cleanup, 'tanist-kept-');
    killAfter(cleanup, stateDirectory);
    const script = fileURLToPath(new URL('../../../test/support/keep-and-wait.ts', import.meta.url));
    const args = ['--import', 'tsx', script, stateDirectory, directory];
    const parent = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    cleanup.add(() => parent.kill('SIGKILL'));
    const line = await new Promise<string>((resolve) => parent.stdout.once('data', (bytes) => resolve(String(bytes))));
    const { port, pid } = JSON.parse(line) as { port: number; pid: number };
    return { parent, options: { port, stateDirectory, directory }, pid };
  }

  it('is adopted with its data, and its end is noticed', async () => {
    const { parent, options, pid } = await startElsewhere();
    parent.kill('SIGKILL');
    await until(() => readStat(parent.pid ?? 0)?.startTicks === undefined, { what: 'the starter to be gone' });
    const kept = await keep(cleanup, options);
    kept.say({ do: 'look' });
    await kept.input('looked');
    const order = kept.core.inputs.filter((input) => input.on === 'process-running' || input.on === 'looked');
    expect(order).toMatchObject([
      { on: 'process-running', pid, adopted: true },
      { on: 'looked', look: { state: 'running' } },
    ]);
    await kept.input('redis-up');
    expect(await kept.cli('GET', 'key')).toBe('kept');
    expect(await kept.ask('ROLE')).toEqual(['master', 0, []]);
    process.kill(pid, 'SIGKILL');
    expect((await kept.input('process-ended')).how).toBe(`process ${pid} is gone`);
    kept.say({ do: 'start-redis' });
    expect(await kept.input('process-running', 2)).toMatchObject({ adopted: false });
  });

  it('is found by its port when the record is lost', async () => {
    const { parent, options, pid } = await startElsewhere();
    const record = join(options?.stateDirectory ?? '', 'main.redis.json');
    parent.kill('SIGKILL');
    writeFileSync(record, '{"pid":');
    cleanup.add(() => endProcess(pid));
    const kept = await keep(cleanup, options);
    kept.say({ do: 'start-redis' });
    expect(await kept.input('process-running')).toMatchObject({ pid, adopted: true });
    expect(JSON.parse(readFileSync(record, 'utf8'))).toMatchObject({ pid });
  });

  it('is in the way when tanist.yml has given it another port since', async () => {
    const { parent, options, pid } = await startElsewhere();
    parent.kill('SIGKILL');
    const kept = await keep(cleanup, { ...options, port: await freePort() });
    kept.say({ do: 'start-redis' });
    expect((await kept.input('process-failed')).why).toMatch(
      new RegExp(
        `^process ${pid} is this group's Redis, started on port ${options?.port} .* now says port ${kept.port} `,
      ),
    );
  });

  it('is not taken for another process that was given its pid', async () => {
    const kept = await keep(cleanup);
    const record = { pid: process.pid, startTicks: 1, bootId: 'x', port: kept.port, directory: kept.directory };
    const path = join(kept.stateDirectory, 'main.redis.json');
    writeFileSync(path, JSON.stringify(record));
    kept.say({ do: 'start-redis' });
    expect(await kept.input('process-running')).toMatchObject({ adopted: false });
  });

  it('stays when the runner stops', async () => {
    const kept = await keep(cleanup);
    const pid = await kept.start();
    await kept.runner.stop();
    expect(kept.core.inputs.at(-1)).toEqual({ on: 'stop' });
    expect(await kept.cli('PING')).toBe('PONG');
    expect(kept.runner.pid).toBeNull();
    process.kill(pid, 0);
  });
});

describe('looking', () => {
  const look = async (kept: Awaited<ReturnType<typeof keep>>) => {
    const count = kept.core.all('looked').length;
    kept.say({ do: 'look' });
    return (await kept.input('looked', count + 1)).look;
  };

  it('tells idle, busy, stopped and gone', async () => {
    const kept = await keep(cleanup);
    const pid = await kept.start();
    expect(await look(kept)).toEqual({ state: 'running', cpuMoved: false });
    kept.cli('EVAL', 'while true do end', 0).catch(() => {});
    await until(
      async () => (await look(kept)).state === 'running' && JSON.stringify(await look(kept)).includes('true'),
      {
        what: 'a look at a busy Redis',
      },
    );
    process.kill(pid, 'SIGSTOP');
    await until(async () => (await look(kept)).state === 'stopped', { what: 'a look at a stopped Redis' });
    process.kill(pid, 'SIGKILL');
    await until(async () => (await look(kept)).state === 'gone', { what: 'a look at a killed Redis' });
  });

  it('does not take sleep for work', async () => {
    const config = join(tempDir(cleanup), 'redis.conf');
    writeFileSync(config, 'enable-debug-command yes\n');
    const kept = await keep(cleanup, { settings: { config } });
    await kept.start();
    kept.cli('DEBUG', 'SLEEP', 2).catch(() => {});
    await until(async () => (await look(kept)).state === 'running', { what: 'a look' });
    expect(await look(kept)).toEqual({ state: 'running', cpuMoved: false });
  });
});
