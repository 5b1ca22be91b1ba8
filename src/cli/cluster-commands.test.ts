/** The commands that ask an agent: against its real HTTP API, with an agent behind it that only pretends. */
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { clusterView, FakeControl, groupView, masterView, memberView } from '../../test/support/fake-control.js';
import { FakeTerminal } from '../../test/support/fake-terminal.js';
import { freePort } from '../../test/support/free-port.js';
import { tempDir } from '../../test/support/temp-dir.js';
import { until } from '../../test/support/until.js';
import { ApiServer } from '../agent/api/server.js';
import { ClusterClient } from './cluster-client.js';
import { clusterClient, settle } from './cluster-options.js';
import { runExplain } from './explain.js';
import { runFailover } from './failover.js';
import { runHistory } from './history.js';
import { giveOrder } from './order.js';
import { runStatus } from './status.js';
import { runSwitchover } from './switchover.js';
import type { Terminal } from './terminal.js';

const cleanup = cleanupAfterEach();

async function agent(options: { token?: string; port?: number } = {}) {
  const control = new FakeControl();
  const metrics = { contentType: 'text/plain', text: async () => '' };
  const server = new ApiServer({ control, metrics, token: options.token ?? null, log: { write: () => {} } });
  const port = await server.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  cleanup.add(() => server.close());
  const url = `http://127.0.0.1:${port}`;
  return { control, server, url, port, client: new ClusterClient({ urls: [url], token: null }) };
}

/** Runs a command's action as the program would. */
async function run(act: (terminal: Terminal) => Promise<number>, terminal = new FakeTerminal()) {
  const code = await settle(act, terminal);
  return { code, out: terminal.printed, err: terminal.complaints, questions: terminal.questions };
}

const table = { output: 'table' } as const;

describe('tanist status', () => {
  it('shows the cluster in a pipe, in a wide and in a narrow terminal', async () => {
    const { client, control } = await agent();
    const lagging = memberView({ lag_bytes: 17_300_000 });
    const lost = memberView({
      host: 'c',
      address: '10.0.0.3',
      state: 'failed',
      lag_bytes: null,
      reason: 'redis ended',
    });
    control.current = clusterView({
      groups: [groupView({ members: [masterView({ lag_bytes: 0 }), lagging, lost] })],
      warnings: ['one more that fails ends the majority, which is worth a sentence'],
    });
    const pipe = await run((terminal) => runStatus(client, table, terminal));
    expect(pipe).toMatchObject({ code: 0, err: '' });
    const [head, ...rest] = pipe.out.split('\n');
    expect(head).toMatch(/^Cluster tanist \(quorum\), told by a at \d\d:\d\d:05 \(tanist 0\.1\.0\)$/);
    expect(rest).toEqual([
      '',
      'Member  Host           Role     State    Epoch      Lag   Lease  VIP         Reason',
      'a       10.0.0.1:6379  master   master       3        -  812 ms  10.0.0.100  it holds the lease',
      'b       10.0.0.2:6379  replica  replica      3  16.5 MB       -  -           it follows a',
      'c       10.0.0.3:6379  replica  failed       3        ?       -  -           redis ended',
      '',
      'Voters: 3 of 3 answer: a, b, w (witness)',
      'Warning: one more that fails ends the majority, which is worth a sentence',
      '',
    ]);
    const narrow = await run((terminal) => runStatus(client, table, terminal), new FakeTerminal({ width: 80 }));
    expect(narrow.out).toContain('10.0.0.100\n    it holds the lease\nb ');
    expect(narrow.out.split('\n').every((line) => line.length <= 80)).toBe(true);
    const colour = await run((terminal) => runStatus(client, table, terminal), new FakeTerminal({ colour: true }));
    expect(colour.out).toContain('\u001b[31mfailed\u001b[39m ');
    expect(narrow.out + pipe.out).not.toContain('\u001b');
  });

  it('names the group when there are several, and exits with 5 when one has no leased master', async () => {
    const { client, control } = await agent();
    const fenced = masterView({ state: 'fenced', lease_ms: null });
    const other = groupView({ name: 'other', failover: 'waiting for votes', members: [fenced, memberView()] });
    control.current = clusterView({ groups: [groupView(), other] });
    const { code, out } = await run((terminal) => runStatus(client, table, terminal));
    expect(code).toBe(5);
    expect(out).toMatch(/^mymaster\/a .*\nmymaster\/b .*\nother\/a .* fenced .*\nother\/b /m);
    expect(out).toContain('other: a change is under way: waiting for votes\n');
  });

  it('is read by programs', async () => {
    const { client, control } = await agent();
    const output = async (format: 'json' | 'yaml' | 'tsv') =>
      (await run((terminal) => runStatus(client, { output: format }, terminal))).out;
    expect(JSON.parse(await output('json'))).toEqual(control.current);
    expect(parse(await output('yaml'))).toEqual(control.current);
    expect((await output('tsv')).split('\n')).toEqual([
      'group\tmember\thost\trole\tstate\tepoch\tlag_bytes\tlease_ms\tvips\treason',
      'mymaster\ta\t10.0.0.1:6379\tmaster\tmaster\t3\t0\t812\t10.0.0.100\tit holds the lease',
      'mymaster\tb\t10.0.0.2:6379\treplica\treplica\t3\t0\t\t\tit follows a',
      '',
    ]);
  });

  it('lets nobody steer the terminal', async () => {
    const { client, control } = await agent();
    const evil = memberView({ reason: 'fine\u001b[2J\r\nb  master', version: '\u0007' });
    control.current = clusterView({
      groups: [groupView({ members: [masterView(), evil] })],
      warnings: ['\u001b]0;x\u0007'],
    });
    for (const output of ['table', 'tsv'] as const) {
      const { out } = await run((terminal) => runStatus(client, { output }, terminal));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      expect(out).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
      expect(out).not.toMatch(/^b {2}master/m);
    }
  });

  it('says so when no agent answers, or something else does', async () => {
    const dead = new ClusterClient({ urls: [`http://127.0.0.1:${await freePort()}`], token: null });
    expect(await run((terminal) => runStatus(dead, table, terminal))).toMatchObject({
      code: 4,
      out: '',
      err: expect.stringMatching(
        /^tanist: no agent answers at http:\S+ \(connection refused\)\n {2}fix: start it with /,
      ),
    });
    const server = createServer((socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));
    cleanup.add(() => server.close());
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const other = new ClusterClient({ urls: [`http://127.0.0.1:${port}`], token: null });
    expect(await run((terminal) => runStatus(other, table, terminal))).toMatchObject({
      code: 4,
      err: expect.stringContaining('is no agent of Tanist'),
    });
  });

  it('looks again and again, and shows when the agent is gone', async () => {
    const { client, control, server } = await agent();
    const ending = new AbortController();
    cleanup.add(() => ending.abort());
    const terminal = new FakeTerminal({ colour: true });
    const watching = runStatus(client, { output: 'table', watch: 0.01 }, terminal, ending.signal);
    await until(() => control.views > 1, { what: 'a second look' });
    await server.close();
    await until(() => terminal.printed.includes('no agent answers'), { what: 'the complaint' });
    ending.abort();
    expect(await watching).toBe(0);
    expect(terminal.printed.split('\u001b[2J')).toHaveLength(2);
    expect(terminal.printed).toContain('\u001b[K\n\u001b[J\u001b[HCluster');
  });

  it('asks the next host when the first is not there', async () => {
    const { url } = await agent();
    const client = new ClusterClient({ urls: [`http://127.0.0.1:${await freePort()}`, url], token: null });
    expect((await run((terminal) => runStatus(client, table, terminal))).code).toBe(0);
    expect(client.url).toBe(url);
  });
});

describe('tanist switchover', () => {
  it('asks first, and does nothing for a no', async () => {
    const { client, control } = await agent();
    const no = await run((t) => runSwitchover(client, null, { to: 'b' }, t), new FakeTerminal({ answer: false }));
    expect(no).toMatchObject({ code: 1, err: 'Nothing was done.\n' });
    expect(no.questions).toEqual(['Switch mymaster from a (10.0.0.1:6379) to b? [y/N] ']);
    expect(control.orders).toEqual([]);
    const yes = await run((t) => runSwitchover(client, null, {}, t), new FakeTerminal({ answer: true }));
    expect(yes).toMatchObject({ code: 0, out: 'done\n', err: '' });
    expect(control.orders).toEqual(['switchover mymaster *']);
  });

  it('does not ask when it is told not to, or when nobody is there', async () => {
    const { client, control } = await agent();
    await run((t) => runSwitchover(client, 'mymaster', { to: 'b', yes: true }, t), new FakeTerminal({ answer: false }));
    await run((t) => runSwitchover(client, 'mymaster', { to: 'b' }, t));
    expect(control.orders).toEqual(['switchover mymaster b', 'switchover mymaster b']);
  });

  it('prints why it was refused, and what to do', async () => {
    const { client, control } = await agent();
    control.outcome = { ok: false, status: 409, text: 'b lags 40 MB' };
    expect(await run((t) => runSwitchover(client, null, {}, t))).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/^tanist: b lags 40 MB\n {2}fix: `tanist explain`/),
    });
  });

  it('finds slips of the finger before anything is asked', async () => {
    const { client, control } = await agent();
    const slips = [
      await run((t) => runSwitchover(client, 'mymastr', {}, t)),
      await run((t) => runSwitchover(client, null, { to: 'z' }, t)),
    ];
    expect(slips.map(({ code, err }) => [code, err.split('\n')[1]])).toEqual([
      [2, '  fix: name one of: mymaster'],
      [2, '  fix: name one of: a, b'],
    ]);
    control.current = clusterView({ groups: [groupView(), groupView({ name: 'other' })] });
    expect((await run((t) => runSwitchover(client, null, {}, t))).err).toContain('name one of: mymaster, other');
    expect(control.orders).toEqual([]);
  });

  it('shows what goes on when it takes long', async () => {
    const { client, control } = await agent();
    let open = () => {};
    const terminal = new FakeTerminal();
    const order = { do: 'switchover', group: 'mymaster', to: null } as const;
    const given = run((t) => giveOrder(client, { order, question: null }, t), terminal);
    control.orderGate = new Promise<void>((resolve) => {
      open = resolve;
    });
    await until(() => control.orders.length === 1, { what: 'the order' });
    control.current = clusterView({ groups: [groupView({ failover: 'waiting for b to catch up' })] });
    await until(() => terminal.complaints.endsWith('\n'), { what: 'a word of it' });
    expect(terminal.complaints).toMatch(/^switchover, \d+ s: mymaster: waiting for b to catch up\n$/);
    expect(terminal.printed).toBe('');
    open();
    expect(await given).toMatchObject({ code: 0, out: 'done\n' });
  });
});

describe('tanist failover', () => {
  it('wants to be forced', async () => {
    const { client, control } = await agent();
    expect(await run((t) => runFailover(client, null, {}, t))).toMatchObject({
      code: 2,
      err: expect.stringContaining('--force'),
    });
    expect(control.orders).toEqual([]);
    const terminal = new FakeTerminal({ answer: true });
    expect((await run((t) => runFailover(client, null, { to: 'b', force: true }, t), terminal)).code).toBe(0);
    expect(terminal.questions[0]).toContain('Writes may be lost. [y/N]');
    expect(control.orders).toEqual(['failover mymaster b']);
  });
});

describe('tanist pause and resume', () => {
  it('pause all groups, or one', async () => {
    const { client, control } = await agent();
    await run((t) => giveOrder(client, { order: { do: 'pause', group: null }, question: null }, t));
    await run((t) => giveOrder(client, { order: { do: 'resume', group: 'mymaster' }, question: null }, t));
    expect(control.orders).toEqual(['pause *', 'resume mymaster']);
  });
});

describe('tanist history', () => {
  it('shows what happened, oldest first', async () => {
    const { client, control } = await agent();
    control.tell({ what: 'failover', text: 'a ended' });
    control.tell({ what: 'pause', text: 'all groups paused', group: '' });
    const { out } = await run((t) => runHistory(client, null, { number: 20, output: 'table' }, t));
    expect(out.split('\n').map((line) => line.slice(23))).toEqual([
      '  failover    mymaster/a  epoch 3  a ended',
      '  pause       */a         epoch 3  all groups paused',
      '',
    ]);
    const json = await run((t) => runHistory(client, 'mymaster', { number: 1, output: 'json' }, t));
    expect(JSON.parse(json.out)).toEqual(control.entries[1]);
  });

  it('goes on as things happen, and over a restart of the agent without a gap', async () => {
    const first = await agent();
    first.control.tell({ text: 'one' });
    const terminal = new FakeTerminal();
    const ending = new AbortController();
    const options = { number: 20, follow: true, output: 'table' } as const;
    const following = runHistory(first.client, null, options, terminal, ending.signal);
    cleanup.add(() => ending.abort());
    await until(() => first.server.eventReaders.now === 1, { what: 'the reader' });
    first.control.tell({ text: 'two' });
    await until(() => terminal.printed.includes('two'), { what: 'the second' });
    await first.server.close();
    const second = await agent({ port: first.port });
    second.control.entries = [...first.control.entries];
    second.control.tell({ text: 'three' });
    await until(() => terminal.printed.includes('three'), { what: 'what was missed' });
    second.control.tell({ text: 'four' });
    await until(() => terminal.printed.includes('four'), { what: 'what is new' });
    expect(terminal.printed.split('\n').map((line) => line.split('  ').at(-1))).toEqual([
      'one',
      'two',
      'three',
      'four',
      '',
    ]);
    expect(terminal.complaints).toBe('The agent does not answer; waiting for it.\nThe agent answers again.\n');
    ending.abort();
    expect(await following).toBe(0);
  });
});

describe('tanist explain', () => {
  it('says who would win, why, and what would be lost', async () => {
    const { client, control } = await agent();
    control.explanation = {
      wouldWin: 'b',
      wouldLose_bytes: 2_048,
      candidates: [
        { host: 'b', fit: true, reason: '2048 bytes behind' },
        { host: 'c', fit: false, reason: 'it does not answer' },
      ],
      blockers: ['paused'],
    };
    const { code, out } = await run((t) => runExplain(client, null, { output: 'table' }, t));
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      'mymaster: b would take over now; 2.0 kB of writes would be lost.',
      '',
      'Candidate  Fit  Reason',
      'b          yes  2048 bytes behind',
      'c          no   it does not answer',
      '',
      'In the way: paused',
      '',
    ]);
    control.explanation = { wouldWin: null, wouldLose_bytes: null, candidates: [], blockers: [] };
    expect((await run((t) => runExplain(client, null, { output: 'table' }, t))).out).toBe(
      'mymaster: nobody could take over now.\n',
    );
  });
});

describe('the token', () => {
  it('comes from a file, and is sent', async () => {
    const { url, control } = await agent({ token: 'a-long-secret' });
    const directory = tempDir(cleanup);
    const order = { do: 'pause', group: null } as const;
    const pause = async (tokenFile?: string) =>
      run(async (t) => {
        const client = await clusterClient({ url, ...(tokenFile === undefined ? {} : { tokenFile }) });
        return giveOrder(client, { order, question: null }, t);
      });
    expect(await pause()).toMatchObject({ code: 1, err: expect.stringContaining('this needs the token') });
    expect(await pause(join(directory, 'none'))).toMatchObject({ code: 3, err: expect.stringContaining('ENOENT') });
    writeFileSync(join(directory, 'two'), 'one\ntwo\n');
    expect(await pause(join(directory, 'two'))).toMatchObject({ code: 3, err: expect.stringContaining('one token') });
    writeFileSync(join(directory, 'token'), 'a-long-secret\n');
    expect(await pause(join(directory, 'token'))).toMatchObject({ code: 0, out: 'done\n' });
    expect(control.orders).toEqual(['pause *']);
  });

  it('and the address come from a tanist.yml', async () => {
    const { port } = await agent({ token: 'a-long-secret' });
    const file = join(tempDir(cleanup), 'tanist.yml');
    const lines = ['hosts: {a: 10.0.0.1, b: 10.0.0.2, w: {address: 10.0.0.3, witness: true}}', 'redis: {port: 6379}'];
    writeFileSync(file, [...lines, `api: {listen: '127.0.0.1:${port}', token: a-long-secret}`, ''].join('\n'));
    const order = { do: 'pause', group: null } as const;
    const given = await run(async (t) => giveOrder(await clusterClient({ file }), { order, question: null }, t));
    expect(given).toMatchObject({ code: 0, out: 'done\n', err: '' });
    writeFileSync(file, 'hosts: 3\n');
    const refused = await run(async (t) => runStatus(await clusterClient({ file }), table, t));
    expect(refused).toMatchObject({ code: 3, out: '', err: expect.stringContaining('tanist.yml:1:') });
  });
});
