/** The demo as a user runs it, without a terminal. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { type Child, startChild } from '../support/child.js';
import type { Cleanup } from '../support/cleanup.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { requirePeer } from '../support/peers.js';
import { request } from '../support/resp.js';
import { tanistPath } from '../support/tanist.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();

const DEADLINE_MS = 180_000;

/** In a folder of its own below `tmp`, which all of its processes then work in or are named by. */
function startDemo(clean: Cleanup, tmp: string, ...args: string[]): Child {
  const all = ['demo', '--redis-server', requirePeer('redis-server').path, ...args];
  return startChild({ command: tanistPath, args: all, env: { TMPDIR: tmp } }, clean);
}

/** Processes that have anything to do with the folder: by their command line, environment or working directory. */
function processesIn(folder: string, ...except: readonly number[]): string[] {
  const look = (read: () => string): string => {
    try {
      return read();
    } catch {
      return '';
    }
  };
  return readdirSync('/proc')
    .filter((pid) => /^\d+$/.test(pid) && !except.includes(Number(pid)))
    .map((pid) => {
      const command = look(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
      const environment = look(() => readFileSync(`/proc/${pid}/environ`, 'utf8'));
      const directory = look(() => readlinkSync(`/proc/${pid}/cwd`));
      return { pid, command, known: `${command}\n${environment}\n${directory}` };
    })
    .filter(({ known }) => known.includes(folder))
    .map(({ pid, command }) => `${pid} ${command}`);
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/** Those of tanist.yml, on each host, and the plain address. */
function portsOf(tmp: string, output: string): { readonly host: string; readonly port: number }[] {
  const [folder = ''] = readdirSync(tmp);
  const yaml = readFileSync(`${tmp}/${folder}/tanist.yml`, 'utf8');
  const ports = [...yaml.matchAll(/(?:port|listen): (\d+)/g)].map((match) => Number(match[1]));
  expect(ports).toHaveLength(3);
  const plain = { host: '127.0.0.1', port: Number(/redis-cli -p (\d+)/.exec(output)?.[1]) };
  return [plain, ...ports.flatMap((port) => [1, 2, 3].map((last) => ({ host: `127.0.0.${last}`, port })))];
}

async function expectNothingLeft(tmp: string, places: readonly { readonly host: string; readonly port: number }[]) {
  expect(readdirSync(tmp)).toEqual([]);
  expect(processesIn(tmp)).toEqual([]);
  for (const { host, port } of places) expect([host, port, await isFree(host, port)]).toEqual([host, port, true]);
}

it('causes the faults of a script, says how each ended, and leaves nothing behind', {
  timeout: DEADLINE_MS,
}, async () => {
  const tmp = tempDir(cleanup);
  const child = startDemo(cleanup, tmp, '--script', 'k,s,a,r', '--exit');
  await child.untilOutput(/logs .*c\.log/s, { deadline_ms: 60_000 });
  const places = portsOf(tmp, child.output);
  expect(await child.exited).toEqual({ code: 0, signal: null });
  const lines = child.output.split('\n').filter((line) => /^[ksar] {2}/.test(line));
  expect(lines.map((line) => line[0])).toEqual(['k', 's', 'a', 'r']);
  const read = lines.map((line) => Number(/, lost \d+ of ([\d,]+)$/.exec(line)?.[1]?.replace(',', '')));
  read.forEach((count, index) => {
    expect(count).toBeGreaterThanOrEqual(500 * (index + 1));
  });
  expect(lines[1]).toMatch(/, lost 0 of /);
  await expectNothingLeft(tmp, places);
});

it('serves others at its plain address, tells its status, and goes with everything when it is killed', {
  timeout: DEADLINE_MS,
}, async () => {
  const tmp = tempDir(cleanup);
  const child = startDemo(cleanup, tmp, '--durability', 'replicated');
  await child.untilOutput(/logs .*c\.log/s, { deadline_ms: 60_000 });
  const places = portsOf(tmp, child.output);
  const [plain = { host: '', port: 0 }] = places;
  expect(await request(plain, 'SET', 'from', 'outside')).toBe('OK');
  const [, file = ''] = /status -f (\S+)/.exec(child.output) ?? [];
  const status = startChild({ command: tanistPath, args: ['status', '-f', file] }, cleanup);
  expect(await status.exited).toEqual({ code: 0, signal: null });
  expect(status.output).toMatch(/^a +127\.0\.0\.1:\d+ +(master|replica) /m);
  expect(processesIn(tmp).length).toBeGreaterThanOrEqual(8);
  expect(await child.kill9()).toEqual({ code: null, signal: 'SIGKILL' });
  await until(() => readdirSync(tmp).length === 0 && processesIn(tmp).length === 0, {
    what: 'the processes and the folder of a killed demo to go',
  });
  await expectNothingLeft(tmp, places);
});

it('ends on SIGINT while it starts', async () => {
  const tmp = tempDir(cleanup);
  const child = startDemo(cleanup, tmp);
  await child.untilOutput(/starting three agents/);
  child.kill('SIGINT');
  expect(await child.exited).toEqual({ code: 130, signal: null });
  await expectNothingLeft(tmp, []);
});

it('says in a sentence that there is no Redis', async () => {
  const ended = await new Promise<{ code: unknown; err: string }>((resolve) => {
    const args = ['demo', '--redis-server', '/no/such/redis', '--script', 'k', '--exit'];
    execFile(tanistPath, args, (error, _out, err) => resolve({ code: error?.code, err }));
  });
  expect(ended.code).toBe(1);
  expect(ended.err).toMatch(/tanist demo: \/no\/such\/redis cannot be run: there is no such program\n {2}fix: .*\n$/);
});
