import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../../../test/support/until.js';
import { ScriptQueue } from './queue.js';
import { ScriptSpawner, type SpawnerHooks } from './spawner.js';

let dir = '';
let events: string[] = [];
let logs: string[] = [];
let spawner: ScriptSpawner;
const hooks: SpawnerHooks = {
  event: (_level, type, text) => events.push(`${type} ${text}`),
  log: (_level, text) => logs.push(text),
  wantsOutput: true,
};

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tanist-scripts-'));
  events = [];
  logs = [];
  spawner = new ScriptSpawner(hooks);
});
afterEach(() => {
  spawner.stop();
  rmSync(dir, { recursive: true, force: true });
});

function script(body: string): string {
  const path = join(dir, `script-${Math.abs(body.length)}.sh`);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

it('hands the arguments over as they are, without a shell', async () => {
  const out = join(dir, 'out');
  spawner.add(script(`printf '%s|' "$@" > ${out}.tmp; mv ${out}.tmp ${out}`), [
    '+sdown',
    'a b; $(touch /tmp/x) `y`',
    "'",
  ]);
  await until(() => existsSync(out), { what: 'the script' });
  expect(readFileSync(out, 'utf8')).toBe("+sdown|a b; $(touch /tmp/x) `y`|'|");
  await until(() => spawner.length === 0, { what: 'its end' });
  expect(events.filter((event) => event.startsWith('-script-error'))).toEqual([]);
});

it('tells of a script that failed for good, and keeps one that may be tried again', async () => {
  const final = script('exit 3 # no');
  const temporary = script('exit 1');
  spawner.add(final, []);
  spawner.add(temporary, []);
  await until(() => events.includes(`-script-error ${final} 0 3`), { what: '-script-error' });
  await until(() => spawner.running === 0, { what: 'their ends' });
  expect(spawner.view()).toMatchObject([{ argv: [temporary], running: false, attempts: 1 }]);
  expect(spawner.view()[0]?.time_ms).toBeGreaterThan(25_000);
});

it('takes one that cannot be started for failed', async () => {
  const missing = join(dir, 'missing');
  spawner.add(missing, ['x']);
  await until(() => events.includes(`-script-error ${missing} 0 2`), { what: '-script-error' });
  expect(spawner.length).toBe(0);
});

it('logs what it says, up to a bound', async () => {
  spawner.add(script('echo hello; yes | head -c 100000'), []);
  await until(() => spawner.length === 0, { what: 'its end' });
  await until(() => logs.join('').includes('hello'), { what: 'the output' });
  expect(logs.join('').length).toBeLessThan(3_000);
});

it('kills one that runs for too long, with its children, and tries it again later', async () => {
  spawner = new ScriptSpawner(hooks, new ScriptQueue(100));
  const pids = join(dir, 'pids');
  const path = script(`sleep 1000 & echo $$ $! > ${pids}; wait`);
  spawner.add(path, []);
  await until(() => events.some((event) => event.startsWith(`-script-timeout ${path} `)), { what: '-script-timeout' });
  await until(() => spawner.running === 0, { what: 'its end' });
  expect(spawner.view()).toMatchObject([{ running: false, attempts: 1 }]);
  const [shell = '', child = ''] = readFileSync(pids, 'utf8').trim().split(' ');
  const isGone = (pid: string) =>
    !existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  await until(() => isGone(shell) && isGone(child), { what: 'both to be gone' });
});
