import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { tempDir } from '../../../test/support/temp-dir.js';
import { until } from '../../../test/support/until.js';
import type { Command, TrackProcess, VrrpScript } from '../../config/keepalived/model.js';
import { CheckScripts, RiseAndFall } from './check-scripts.js';
import { CommandRunner, commandFault } from './commands.js';
import { LineCutter } from './messages.js';
import { Notifier } from './notifier.js';
import { resolveUser } from './users.js';
import { matches, Watchers } from './watchers.js';

const cleanup = cleanupAfterEach();
const place = { file: 't', line: 1, column: 1 };
const command = (...argv: string[]): Command => ({ argv, user: null, place });
const policy = { user: null, security: false };
const silent = (): void => undefined;

describe('rise and fall', () => {
  const play = (rise: number, fall: number, results: string, initFail = false): string => {
    const count = new RiseAndFall(rise, fall, initFail);
    return [...results].map((r) => (count.count(r === '+') ? (count.status === 'up' ? 'U' : 'D') : '.')).join('');
  };

  it('takes the first result at once, then needs rise and fall in a row', () => {
    expect(play(2, 3, '+--+---++-++')).toBe('U.....D.U...');
    expect(play(2, 3, '-+-++')).toBe('D...U');
  });

  it('needs rise successes from the start with init_fail', () => {
    expect(play(2, 1, '+-++', true)).toBe('...U');
  });
});

describe('running scripts', () => {
  const script = (text: string, mode = 0o755): string => {
    const path = join(tempDir(cleanup), 'script.sh');
    writeFileSync(path, text, { mode });
    chmodSync(path, mode);
    return path;
  };

  it('tells exits, signals, time-outs and what cannot start apart', async () => {
    const runner = new CommandRunner(policy);
    expect(await runner.run(command('/bin/sh', '-c', 'exit 3'), [], 5000)).toMatchObject({ why: 'exit', code: 3 });
    expect(await runner.run(command('/bin/sh', '-c', 'kill -9 $$'), [], 5000)).toMatchObject({
      why: 'signal',
      code: null,
    });
    expect(await runner.run(command('/bin/sleep', '60'), [], 50)).toMatchObject({ why: 'timeout' });
    expect(await runner.run(command('/nonexistent'), [], 50)).toMatchObject({ why: 'not started' });
  });

  it('gives arguments as they are, without a shell', async () => {
    const out = join(tempDir(cleanup), 'out');
    const path = script(`#!/bin/sh\nfor a in "$@"; do echo "[$a]" >> ${out}; done\n`);
    await new CommandRunner(policy).run(command(path, 'a b', '$HOME', '; rm'), ['*'], 5000);
    expect(readFileSync(out, 'utf8')).toBe('[a b]\n[$HOME]\n[; rm]\n[*]\n');
  });

  it('names a script that is not executable, or that others could change while it runs as root', () => {
    expect(commandFault(command(script('#!/bin/sh\n', 0o644)), policy)).toMatch(/not executable/);
    expect(commandFault(command('/bin/true'), { user: { user: 'root', group: null }, security: true })).toBeNull();
    if (process.getuid?.() !== 0) return;
    const open = join(tempDir(cleanup), 'open');
    mkdirSync(open, { mode: 0o777 });
    chmodSync(open, 0o777);
    const path = join(open, 's.sh');
    writeFileSync(path, '#!/bin/sh\n', { mode: 0o755 });
    expect(commandFault(command(path), { user: null, security: true })).toMatch(/others than root can change/);
    expect(commandFault(command(path), { user: { user: 'nobody', group: null }, security: true })).toBeNull();
  });

  it('finds users and groups, or says which is missing', () => {
    expect(resolveUser({ user: 'root', group: null })).toEqual({ uid: 0, gid: 0 });
    expect(resolveUser({ user: 'no-such-user', group: null })).toBe('there is no user no-such-user');
    expect(resolveUser({ user: 'root', group: 'no-such-group' })).toBe('there is no group no-such-group');
  });

  it('notifies one instance in order and to the end, another one meanwhile', async () => {
    const out = join(tempDir(cleanup), 'out');
    const slow = script(`#!/bin/sh\necho "start $*" >> ${out}\nsleep 0.2\necho "end $*" >> ${out}\n`);
    const notifier = new Notifier(new CommandRunner(policy), silent, { timeout_ms: 5000, grace_ms: 5000 });
    notifier.enqueue('A', { command: command(slow), args: ['A1'], event: 'MASTER', round: 1 });
    notifier.enqueue('A', { command: command(slow), args: ['A2'], event: 'BACKUP', round: 2 });
    notifier.enqueue('B', { command: command(slow), args: ['B1'], event: 'MASTER', round: 3 });
    await notifier.idle();
    const lines = readFileSync(out, 'utf8').trim().split('\n');
    expect(lines.filter((l) => l.includes('A'))).toEqual(['start A1', 'end A1', 'start A2', 'end A2']);
    expect(lines.indexOf('start B1')).toBeLessThan(lines.indexOf('end A1'));
  });

  it('ends a script of a past state once its grace is over, not one of the same state', async () => {
    const out = join(tempDir(cleanup), 'out');
    const slow = script(`#!/bin/sh\necho "start $*" >> ${out}\nsleep $2\necho "end $*" >> ${out}\n`);
    const notifier = new Notifier(new CommandRunner(policy), silent, { timeout_ms: 60_000, grace_ms: 100 });
    notifier.enqueue('A', { command: command(slow), args: ['past', '60'], event: 'BACKUP', round: 1 });
    notifier.enqueue('A', { command: command(slow), args: ['own', '0.3'], event: 'MASTER', round: 2 });
    notifier.enqueue('A', { command: command(slow), args: ['any', '0'], event: 'MASTER', round: 2 });
    await notifier.idle();
    const lines = readFileSync(out, 'utf8').trim().split('\n');
    expect(lines).toEqual(['start past 60', 'start own 0.3', 'end own 0.3', 'start any 0', 'end any 0']);
  });

  it('a check that hangs fails, and the next one runs', async () => {
    const flag = join(tempDir(cleanup), 'hang');
    writeFileSync(flag, '');
    const path = script(`#!/bin/sh\n[ -e ${flag} ] && exec sleep 60\nexit 0\n`);
    const check: VrrpScript & { command: Command } = {
      name: 'c',
      command: command(path),
      interval_ms: 50,
      timeout_ms: 100,
      weight: 0,
      reverse: false,
      rise: 1,
      fall: 1,
      initFail: false,
      place,
    };
    const heard: string[] = [];
    const checks = new CheckScripts(new CommandRunner(policy), (id, status) => heard.push(`${id} ${status}`));
    cleanup.add(() => checks.stop());
    checks.set([check]);
    await until(() => heard.length === 1, { what: 'the time-out' });
    rmSync(flag);
    await until(() => heard.length === 2, { what: 'the recovery' });
    expect(heard).toEqual(['script:c down', 'script:c up']);
  });
});

describe('watched files and processes', () => {
  it('reads numbers, takes a missing file for 0, and nothing else for a number', async () => {
    const dir = tempDir(cleanup);
    const path = join(dir, 'f');
    const heard: string[] = [];
    const watchers = new Watchers((id, status, value) => heard.push(`${id} ${status} ${value}`));
    cleanup.add(() => watchers.stop());
    watchers.set([{ name: 'f', path, weight: 1, reverse: false, init: { value: 7, overwrite: false }, place }], []);
    expect(heard).toEqual(['file:f up 7']);
    writeFileSync(path, 'seven');
    await until(() => heard.length === 2, { what: 'the change' });
    expect(heard[1]).toBe('file:f down 0');
  });

  it.each([
    [['redis-server'], 'exact', 'redis-server', ['redis-server', '*:6379'], true],
    [['redis'], 'exact', 'redis-server', ['redis-server'], false],
    [['a', 'x'], 'exact', 'a', ['a', 'x'], true],
    [['a', 'x'], 'exact', 'a', ['a', 'x', 'y'], false],
    [['a', 'x'], 'partial', 'a', ['a', 'x', 'y'], true],
    [['a', 'x'], 'initial', 'a', ['a', 'xyz'], true],
    [['a'], 'partial', 'a', ['a', 'x'], false],
  ] as const)('process %j, %s: %s %j is %s', (argv, match, name, actual, expected) => {
    const config: TrackProcess = {
      name: 'p',
      argv,
      match,
      weight: 0,
      reverse: false,
      quorum: 1,
      quorumMax: null,
      forkDelay_ms: 0,
      terminateDelay_ms: 0,
      fullCommand: false,
      place,
    };
    expect(matches(config, { name, argv: actual })).toBe(expected);
  });
});

describe('control messages', () => {
  it('are the same however the stream is split', () => {
    const bytes = new TextEncoder().encode('{"a":"ä"}\n{"b":2}\n\n{"c":3}\n');
    for (let at = 0; at <= bytes.length; at++) {
      const cutter = new LineCutter();
      expect([...cutter.push(bytes.subarray(0, at)), ...cutter.push(bytes.subarray(at))]).toEqual([
        '{"a":"ä"}',
        '{"b":2}',
        '{"c":3}',
      ]);
    }
  });
});
