/** How the program starts and ends: files, the background, signals, exit codes. */
import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from '../support/child.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePort } from '../support/free-port.js';
import { startSentinel } from '../support/redis-sentinel.js';
import { request } from '../support/resp.js';
import { tanistPath, tanistSentinel } from '../support/tanist.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();

interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `tanist sentinel …` until it ends. */
function run(args: readonly string[], cwd?: string): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(tanistPath, ['sentinel', ...args], { cwd, timeout: 20_000 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

function conf(text: string): string {
  const path = join(tempDir(cleanup), 'sentinel.conf');
  writeFileSync(path, text);
  return path;
}

const pings = async (port: number) => (await request({ port, deadline_ms: 1_000 }, 'PING')) === 'PONG';

it('refuses to start without a file, with one that is missing, or that is no file', async () => {
  const missing = join(tempDir(cleanup), 'none.conf');
  const [nothing, none, directory] = await Promise.all([run([]), run([missing]), run([tempDir(cleanup)])]);
  expect([nothing.code, none.code, directory.code]).toEqual([1, 1, 1]);
  expect(nothing.err).toMatch(/^tanist: a Sentinel keeps its state in its configuration file: name one\n$/);
  expect(none.err).toContain(`${missing} must exist and be writable`);
});

it('names file, line and column of every fault, and has changed nothing', async () => {
  const path = conf('port 0x5\nsentinel monitor m 127.0.0.1 6379 0\nsentinel down-after-millis m 5\n');
  const { code, err } = await run([path]);
  expect(code).toBe(1);
  expect(err).toContain(`${path}:1:6: `);
  expect(err).toContain(`${path}:2:35: `);
  expect(err).toContain(`${path}:3:10: `);
  expect(readFileSync(path, 'utf8')).toBe(
    'port 0x5\nsentinel monitor m 127.0.0.1 6379 0\nsentinel down-after-millis m 5\n',
  );
});

it('says that its port is taken', async () => {
  const first = await startSentinel(cleanup, { program: tanistSentinel, config: '' });
  const { code, err } = await run([conf(`port ${first.port}\nbind 127.0.0.1\n`)]);
  expect(code).toBe(1);
  expect(err).toBe(`tanist: cannot listen on 127.0.0.1 port ${first.port}: the address is already in use\n`);
});

it('lets the command line win over the file, and does not write that into it', async () => {
  const port = await freePort();
  const path = conf('port 1\nbind 127.0.0.1\n# a remark\nsentinel monitor m 127.0.0.1 1 2\n');
  const args = ['sentinel', path, '--port', String(port), '--sentinel', 'announce-port', '7', '--loglevel', 'verbose'];
  const child = startChild({ command: tanistPath, args }, cleanup);
  await child.untilOutput(/\+monitor master m 127\.0\.0\.1 1 quorum 2/);
  expect(await pings(port)).toBe(true);
  const written = readFileSync(path, 'utf8');
  expect(written).toMatch(/^port 1\nbind 127\.0\.0\.1\n# a remark\nsentinel monitor m 127\.0\.0\.1 1 2\n/);
  expect(written).toMatch(/^sentinel myid [0-9a-f]{40}$/m);
  expect(written).not.toContain(String(port));
});

it.each(['SIGTERM', 'SIGINT'] as const)('ends on %s: state saved, pidfile removed, exit code 0', async (signal) => {
  const sentinel = await startSentinel(cleanup, { program: tanistSentinel, config: 'pidfile sentinel.pid' });
  const pidfile = join(sentinel.configPath, '..', 'sentinel.pid');
  expect(readFileSync(pidfile, 'utf8')).toBe(`${sentinel.child.pid}\n`);
  sentinel.child.kill('SIGHUP');
  await sentinel.child.untilOutput(/SIGHUP was received/);
  // Node's debugger must stay closed.
  sentinel.child.kill('SIGUSR1');
  await sentinel.child.untilOutput(/SIGUSR1 was received/);
  expect(sentinel.log).not.toContain('Debugger listening');
  sentinel.child.kill(signal);
  expect(await sentinel.child.exited).toEqual({ code: 0, signal: null });
  expect(sentinel.log).toContain(`${signal} was received: saving the state and ending`);
  expect(existsSync(pidfile)).toBe(false);
});

it('ends on SHUTDOWN', async () => {
  const sentinel = await startSentinel(cleanup, { program: tanistSentinel, config: '' });
  await expect(sentinel.cli('SHUTDOWN', 'SAVE', 'NOSAVE')).rejects.toThrow('ERR syntax error');
  await sentinel.cli('SHUTDOWN').catch(() => undefined);
  expect(await sentinel.child.exited).toEqual({ code: 0, signal: null });
});

it('goes into the background as a published configuration has it, and its log may be rotated', async () => {
  const dir = tempDir(cleanup);
  const port = await freePort();
  // The published file, with only the paths and the port of this test.
  const published = readFileSync(new URL('../fixtures/seeds/002-sentinel.conf', import.meta.url), 'utf8');
  const path = join(dir, 'sentinel.conf');
  writeFileSync(path, published.replaceAll('/data/nosql/sentinel', dir).replace('port 26379', `port ${port}`));
  const { code, out, err } = await run([path]);
  expect({ code, out, err }).toEqual({ code: 0, out: '', err: '' });
  // It listens as soon as the command has ended.
  const pid = Number(readFileSync(join(dir, 'sentinel.pid'), 'utf8'));
  cleanup.add(() => {
    if (existsSync(join(dir, 'sentinel.pid'))) process.kill(pid, 'SIGKILL');
  });
  expect(await pings(port)).toBe(true);
  const log = join(dir, 'sentinel.log');
  expect(readFileSync(log, 'utf8')).toContain('+monitor master redis_14555_g2_4501 192.168.16.22 4501 quorum 2');
  renameSync(log, `${log}.1`);
  await until(() => existsSync(log), { what: 'a new log', deadline_ms: 20_000 });
  const rewritten = readFileSync(path, 'utf8');
  expect(rewritten).toContain('sentinel会向master发送心跳PING来确认master是否存活');
  expect(rewritten).toMatch(/^sentinel myid [0-9a-f]{40}$/m);
  process.kill(pid, 'SIGTERM');
  await until(() => !existsSync(join(dir, 'sentinel.pid')), { what: 'its end' });
});

it('tells the terminal why the background did not come up', async () => {
  const first = await startSentinel(cleanup, { program: tanistSentinel, config: '' });
  const { code, err } = await run([conf(`port ${first.port}\nbind 127.0.0.1\ndaemonize yes\n`)]);
  expect(code).toBe(1);
  expect(err).toContain(`cannot listen on 127.0.0.1 port ${first.port}: the address is already in use`);
});

it('resolves the name of a published configuration once, or says that it cannot', async () => {
  const published = readFileSync(new URL('../fixtures/seeds/004-sentinel.conf', import.meta.url), 'utf8');
  const port = await freePort();
  const unknown = conf(published.replace('26379', String(port)).replace(' master ', ' no-such-host.invalid '));
  const { code, err } = await run([unknown]);
  expect(code).toBe(1);
  expect(err).toContain('the host name no-such-host.invalid has no address');

  const path = conf(published.replace('26379', String(port)).replace(' master ', ' localhost '));
  const child = startChild({ command: tanistPath, args: ['sentinel', path] }, cleanup);
  await child.untilOutput(/\+monitor master redis-ha (127\.0\.0\.1|::1) 6379 quorum 2/);
  expect(readFileSync(path, 'utf8')).toMatch(/^sentinel monitor redis-ha (127\.0\.0\.1|::1) 6379 2$/m);
});

it('holds its vote back while the file cannot be written, and gives it when it can', async () => {
  const sentinel = await startSentinel(cleanup, {
    program: tanistSentinel,
    config: 'sentinel monitor m 127.0.0.1 1 1',
  });
  const dir = join(sentinel.configPath, '..');
  // Not a matter of rights, which root would pass by: a directory stands where the file is to be renamed to.
  renameSync(sentinel.configPath, join(dir, 'kept'));
  mkdirSync(sentinel.configPath);
  chmodSync(sentinel.configPath, 0o500);
  const ask = () => sentinel.cli('SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', '127.0.0.1', 1, 9, 'f'.repeat(40));
  await expect(ask()).rejects.toThrow('ERR the state could not be written to the configuration file');
  expect(sentinel.log).toContain('The state is not on disk');
  expect(await sentinel.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'm')).toEqual(['127.0.0.1', '1']);
  // Still not: the second time nothing new is to be written, and the first vote is still not on disk.
  await expect(ask()).rejects.toThrow('ERR the state could not be written');

  chmodSync(sentinel.configPath, 0o700);
  renameSync(sentinel.configPath, join(dir, 'away'));
  renameSync(join(dir, 'kept'), sentinel.configPath);
  await sentinel.child.untilOutput(/The state is on disk again/);
  expect(await ask()).toEqual([0, 'f'.repeat(40), 9]);
  expect(sentinel.config).toMatch(/^sentinel leader-epoch m 9$/m);
});
