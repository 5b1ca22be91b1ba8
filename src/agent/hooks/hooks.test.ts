import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { clusterView, FakeControl, groupView, masterView, memberView } from '../../../test/support/fake-control.js';
import { tempDir } from '../../../test/support/temp-dir.js';
import { until } from '../../../test/support/until.js';
import type { HookConfig } from '../../config/tanist/model.js';
import type { MemberView } from '../view.js';
import { type HookFailure, Hooks } from './hooks.js';

const cleanup = cleanupAfterEach();
const rules = { attemptsMax: 3, pause_ms: 10, pauseMax_ms: 20 };

function start(...hooks: HookConfig[]) {
  const control = new FakeControl();
  const lines: string[] = [];
  const failures: HookFailure[] = [];
  const running = new Hooks({
    hooks,
    control,
    log: { write: (_level, line) => void lines.push(line) },
    failed: (failure) => failures.push(failure),
    seed: 1,
    rules,
  });
  cleanup.add(() => running.stop(0));
  /** This host is in this state from now on. */
  const become = (member: Partial<MemberView>) => {
    const own = member.state === 'replica' ? memberView({ ...member, host: 'a' }) : masterView(member);
    control.current = clusterView({ groups: [groupView({ members: [own, memberView()] })] });
    control.tell();
  };
  return { control, hooks: running, lines, failures, become };
}

function script(directory: string, body: string, changes: Partial<HookConfig> = {}): HookConfig {
  const path = join(directory, 'hook.sh');
  writeFileSync(path, `#!/bin/sh\ncd ${directory}\n${body}\n`, { mode: 0o755 });
  return { name: 'mine', on: ['role'], action: { kind: 'run', command: [path] }, timeout_ms: 30_000, ...changes };
}

function read(directory: string, file: string): string {
  try {
    return readFileSync(join(directory, file), 'utf8');
  } catch {
    return '';
  }
}

const isAlive = (pid: number): boolean => {
  try {
    // A zombie that nobody has buried yet is no more alive for it.
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

describe('a hook that runs a program', () => {
  it('is told the level at the start: by arguments, environment and JSON', async () => {
    const directory = tempDir(cleanup);
    const seen = 'echo "$1 $2 $3" > args; env | grep ^TANIST_ | sort > env; cat > stdin.tmp; mv stdin.tmp stdin';
    start(script(directory, seen));
    const stdin = await until(() => read(directory, 'stdin'), { what: 'the hook' });
    expect(read(directory, 'args')).toBe('role mymaster master\n');
    expect(read(directory, 'env').split('\n')).toEqual(
      expect.arrayContaining([
        'TANIST_EVENT=role',
        'TANIST_GROUP=mymaster',
        'TANIST_LEVEL=master',
        'TANIST_HOST=a',
        'TANIST_ROLE=master',
        'TANIST_LEADER=a',
        'TANIST_MASTER_HOST=10.0.0.1',
        'TANIST_MASTER_PORT=6379',
        'TANIST_VIPS=10.0.0.100',
        'TANIST_EPOCH=3',
      ]),
    );
    expect(JSON.parse(stdin)).toMatchObject({
      event: 'role',
      level: 'master',
      master: { host: '10.0.0.1', port: 6379 },
    });
  });

  it('does not get the secrets of our environment', async () => {
    const directory = tempDir(cleanup);
    process.env['REDIS_PASSWORD_OF_TEST'] = 'secret';
    cleanup.add(() => delete process.env['REDIS_PASSWORD_OF_TEST']);
    start(script(directory, 'env > env.tmp; mv env.tmp env'));
    const env = await until(() => read(directory, 'env'), { what: 'the hook' });
    expect(env).toContain('PATH=');
    expect(env).not.toContain('secret');
  });

  it('gets its words as they are: nothing is given to a shell', async () => {
    const directory = tempDir(cleanup);
    const { action } = script(directory, 'echo "$1" > arg.tmp; mv arg.tmp arg');
    const command = [...(action.kind === 'run' ? action.command : []), '$(touch broken); `id` & "'];
    start({ name: 'mine', on: ['role'], action: { kind: 'run', command }, timeout_ms: 30_000 });
    expect(await until(() => read(directory, 'arg'), { what: 'the hook' })).toBe('$(touch broken); `id` & "\n');
    expect(read(directory, 'broken')).toBe('');
  });

  it('is run once more for all that changed while it ran, and never beside itself', async () => {
    const directory = tempDir(cleanup);
    const body =
      'mkdir lock || echo BESIDE >> log\necho "$3" >> log\nwhile [ ! -e go ]; do sleep 0.01; done\nrmdir lock';
    const { become, hooks } = start(script(directory, body));
    await until(() => read(directory, 'log') === 'master\n', { what: 'the first run' });
    for (let n = 0; n < 20; n += 1) {
      become({ state: 'fenced' });
      hooks.look();
      become({ state: 'replica' });
      hooks.look();
    }
    writeFileSync(join(directory, 'go'), '');
    await until(() => hooks.counts()[0]?.ok === 2, { what: 'the second run' });
    hooks.look();
    expect(read(directory, 'log')).toBe('master\nreplica\n');
    expect(hooks.counts()).toEqual([
      { hook: 'mine', ok: 2, failed: 0, timedOut: 0, gaveUp: 0, coalesced: 39, waiting: 0 },
    ]);
  });

  it('that takes too long is ended with all that it started', async () => {
    const directory = tempDir(cleanup);
    const body = 'trap "" TERM\nsleep 300 & echo "$$ $!" > pids.tmp; mv pids.tmp pids\nwait\nsleep 300';
    const { failures, hooks, lines } = start(script(directory, body, { timeout_ms: 300 }));
    const pids = (await until(() => read(directory, 'pids'), { what: 'the hook' })).trim().split(' ').map(Number);
    await until(() => failures.length === 1, { what: 'the hook to be given up' });
    expect(pids).toHaveLength(2);
    await until(() => !pids.some(isAlive), { what: 'its processes to be gone' });
    expect(hooks.counts()[0]).toMatchObject({ ok: 0, timedOut: 3, gaveUp: 1, waiting: 0 });
    expect(lines[0]).toContain('took longer than 300 ms; it will be repeated');
    expect(failures[0]).toMatchObject({
      hook: 'mine',
      level: { level: 'master' },
      text: expect.stringContaining('in 3'),
    });
  });

  it('is repeated until it succeeds, and not thereafter', async () => {
    const directory = tempDir(cleanup);
    const body = 'echo again >> log; echo "not yet"; [ "$(wc -l < log)" -ge 3 ]';
    const { hooks, failures, lines } = start(script(directory, body));
    await until(() => hooks.counts()[0]?.ok === 1, { what: 'the success' });
    expect(hooks.counts()[0]).toMatchObject({ ok: 1, failed: 2, gaveUp: 0, waiting: 0 });
    expect(failures).toEqual([]);
    expect(lines[0]).toMatch(/attempt 1: exit code 1; it will be repeated; it said: not yet$/);
  });

  it('that is not there is given up, and told of', async () => {
    const directory = tempDir(cleanup);
    const action = { kind: 'run', command: [join(directory, 'none')] } as const;
    const { failures } = start({ name: 'mine', on: ['role'], action, timeout_ms: 1_000 });
    await until(() => failures.length === 1, { what: 'the failure' });
    expect(failures[0]?.text).toMatch(/hook mine was not told role master in 3 attempts: cannot be started: .*ENOENT/);
  });

  it('that says a lot, or leaves something behind that holds its output open, harms nobody', async () => {
    const directory = tempDir(cleanup);
    const body = 'head -c 3000000 /dev/zero | tr "\\0" x; echo END\nsleep 300 & echo $! > pid';
    const { hooks, lines } = start(script(directory, body));
    await until(() => hooks.counts()[0]?.ok === 1, { what: 'the end' });
    process.kill(Number(read(directory, 'pid')));
    expect(lines[0]).toMatch(/xEND$/);
    expect(lines[0]?.length).toBeLessThan(2_500);
  });

  it('is told of a fence only when there is one, and of its end', async () => {
    const directory = tempDir(cleanup);
    const { become, hooks } = start(script(directory, 'echo "$1 $3" >> log', { on: ['fence', 'vip'] }));
    await until(() => hooks.counts()[0]?.ok === 1, { what: 'the first run' });
    become({ state: 'fenced', vips: [] });
    await until(() => hooks.counts()[0]?.ok === 3, { what: 'fence and address' });
    become({ state: 'master' });
    await until(() => hooks.counts()[0]?.ok === 5, { what: 'the end of the fence' });
    const told = read(directory, 'log').trim().split('\n');
    expect(told[0]).toBe('vip 10.0.0.100');
    expect(told.slice(1, 3).sort()).toEqual(['fence fenced', 'vip none']);
    expect(told.slice(3).sort()).toEqual(['fence clear', 'vip 10.0.0.100']);
  });

  it('is ended when the agent ends and it does not', async () => {
    const directory = tempDir(cleanup);
    const { hooks } = start(script(directory, 'echo $$ > pid.tmp; mv pid.tmp pid; sleep 300'));
    const pid = Number(await until(() => read(directory, 'pid'), { what: 'the hook' }));
    await hooks.stop(10);
    await until(() => !isAlive(pid), { what: 'the hook to be gone' });
  });

  it('is told the last level before the agent ends', async () => {
    const directory = tempDir(cleanup);
    const { control, hooks } = start(script(directory, 'echo "$3" >> log'));
    control.current = clusterView({ groups: [groupView({ members: [masterView({ state: 'stopped' })] })] });
    await hooks.stop(20_000);
    expect(read(directory, 'log')).toBe('master\nstopped\n');
  });
});

describe('a webhook', () => {
  async function receiver(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void) {
    const got: { readonly headers: IncomingMessage['headers']; readonly body: string }[] = [];
    const server = createServer((request, response) => {
      text(request).then((body) => {
        got.push({ headers: request.headers, body });
        answer(request, response, got.length);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    cleanup.add(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const hook = (userinfo = '', timeout_ms = 20_000): HookConfig => {
      const url = `http://${userinfo}127.0.0.1:${port}/hook?key=secret`;
      return { name: 'chat', on: ['leader'], action: { kind: 'post', url }, timeout_ms };
    };
    return { got, hook };
  }

  it('is posted the level as JSON', async () => {
    const { got, hook } = await receiver((_request, response) => response.writeHead(204).end());
    const { hooks } = start(hook('me:pa%20ss@'));
    await until(() => hooks.counts()[0]?.ok === 1, { what: 'the success' });
    expect(got).toHaveLength(1);
    expect(got[0]?.headers).toMatchObject({
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from('me:pa ss').toString('base64')}`,
    });
    expect(JSON.parse(got[0]?.body ?? '')).toMatchObject({ event: 'leader', level: 'a', epoch: 3 });
  });

  it('is repeated after an error, and does not follow a redirect', async () => {
    const { got, hook } = await receiver((_request, response, count) => {
      if (count === 1) response.writeHead(500).end('overloaded');
      else if (count === 2) response.writeHead(302, { location: '/elsewhere' }).end();
      else response.end('x'.repeat(100_000));
    });
    const { hooks, lines } = start(hook());
    await until(() => hooks.counts()[0]?.ok === 1, { what: 'the success' });
    expect(got).toHaveLength(3);
    expect(lines[0]).toContain('answered 500; it will be repeated; it said: overloaded');
    expect(lines[1]).toContain('answered 302 (redirects are not followed)');
    expect(lines[2]?.length).toBeLessThan(2_000);
  });

  it('that does not answer is given up, without its key in the log', async () => {
    const { hook } = await receiver(() => {});
    const { failures, lines } = start(hook('', 20));
    await until(() => failures.length === 1, { what: 'the failure' });
    expect(failures[0]?.text).toContain('took longer than 20 ms');
    expect(lines.join()).not.toContain('secret');
  });

  it('where nobody listens says so', async () => {
    const url = 'http://127.0.0.1:1/';
    const { failures } = start({ name: 'chat', on: ['role'], action: { kind: 'post', url }, timeout_ms: 5_000 });
    await until(() => failures.length === 1, { what: 'the failure' });
    expect(failures[0]?.text).toMatch(/ECONNREFUSED|bad port/);
  });
});
