import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { clusterView, FakeControl, groupView, masterView, memberView } from '../../../test/support/fake-control.js';
import { until } from '../../../test/support/until.js';
import { type ApiOptions, ApiServer } from './server.js';

const cleanup = cleanupAfterEach();

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly json: unknown;
}

async function start(options: Partial<ApiOptions> = {}) {
  const control = new FakeControl();
  const lines: string[] = [];
  const metrics = { contentType: 'text/plain; version=0.0.4', text: async () => 'tanist_epoch 3\n' };
  const log = { write: (_level: string, line: string) => void lines.push(line) };
  const server = new ApiServer({ control, metrics, token: null, log, ...options });
  const port = await server.listen({ host: '127.0.0.1', port: 0 });
  cleanup.add(() => server.close());
  const ask = (method: string, path: string, more: { body?: string; headers?: Record<string, string> } = {}) =>
    new Promise<Answer>((resolve, reject) => {
      const headers = { connection: 'close', ...more.headers };
      const sent: ClientRequest = request({ host: '127.0.0.1', port, method, path, headers }, (response) => {
        text(response).then((body) => {
          const isJson = response.headers['content-type']?.startsWith('application/json') === true && body !== '';
          const json: unknown = isJson ? JSON.parse(body) : null;
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: body, json });
        }, reject);
      });
      sent.on('error', reject);
      sent.end(more.body);
    });
  const order = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    ask('POST', path, {
      body: typeof body === 'string' ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    });
  return { control, server, port, ask, order, lines };
}

/** Sends bytes as they are and gives all that comes back. */
function raw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let got = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      got += part;
    });
    socket.on('error', reject).on('close', () => resolve(got));
  });
}

describe('the health endpoints', () => {
  const two = { 'content-type': 'application/json; charset=utf-8' };

  it.each([
    ['/', 200],
    ['/primary', 200],
    ['/leader', 200],
    ['/master', 200],
    ['/read-write', 200],
    ['/replica', 503],
    ['/read-only', 200],
    ['/health', 200],
    ['/readiness', 200],
    ['/liveness', 200],
  ])('%s of the master answers %i, to GET, HEAD and OPTIONS', async (path, status) => {
    const { ask } = await start();
    const [get, head, options] = await Promise.all(['GET', 'HEAD', 'OPTIONS'].map((method) => ask(method, path)));
    expect([get?.status, head?.status, options?.status]).toEqual([status, status, status]);
    expect(get?.headers).toMatchObject(two);
    expect(get?.json).toMatchObject({ cluster: 'tanist', host: 'a', why: expect.stringMatching(/./) });
    expect([head?.text, options?.text]).toEqual(['', '']);
    expect(Object.keys(options?.headers ?? {}).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('answer from what the host knows by itself, while nobody else answers', async () => {
    const { ask, control } = await start();
    control.gate = new Promise(() => {});
    expect((await ask('GET', '/primary')).status).toBe(200);
    expect(control.views).toBe(0);
  });

  it('take a lag in bytes, kB and MB', async () => {
    const { ask, control } = await start();
    const member = memberView({ host: 'a', lag_bytes: 2_000_000 });
    control.current = clusterView({ groups: [groupView({ members: [member] })] });
    const asked = ['/replica', '/replica?lag=2000000', '/replica?lag=1999kB', '/replica?lag=1MB', '/replica?lag=16MB'];
    const answers = await Promise.all(asked.map((path) => ask('GET', path)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 503, 200]);
    expect(answers[3]?.json).toMatchObject({ why: 'it lags 2000000 bytes, more than 1048576' });
    expect(await ask('GET', '/replica?lag=lots')).toMatchObject({
      status: 400,
      json: { error: 'lag "lots" is not a size', fix: expect.stringContaining('lag=16MB') },
    });
  });

  it('want a group named on a host of several', async () => {
    const { ask, control } = await start();
    control.current = clusterView({
      groups: [
        groupView(),
        groupView({ name: 'other', members: [masterView({ host: 'b' }), memberView({ host: 'a' })] }),
      ],
    });
    expect((await ask('GET', '/primary?group=mymaster')).status).toBe(200);
    expect((await ask('GET', '/primary?group=other')).status).toBe(503);
    expect((await ask('GET', '/replica?group=other')).status).toBe(200);
    expect((await ask('GET', '/health')).status).toBe(200);
    expect(await ask('GET', '/primary')).toMatchObject({
      status: 400,
      json: { fix: 'name one of them: mymaster, other' },
    });
    expect(await ask('GET', '/primary?group=none')).toMatchObject({
      status: 404,
      json: { error: 'there is no group "none"' },
    });
  });
});

describe('the HTTP API', () => {
  it('shows the cluster, and asks once for many readers', async () => {
    const { ask, control } = await start();
    let open = () => {};
    control.gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const asked = Array.from({ length: 20 }, () => ask('GET', '/cluster'));
    await until(() => control.views > 0, { what: 'the first view' });
    // All twenty are connected before the answer comes: the server has answered a later one already.
    await ask('GET', '/liveness');
    open();
    const answers = await Promise.all(asked);
    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    expect(answers[0]?.json).toEqual(control.current);
    expect(control.views).toBeLessThan(20);
  });

  it('shows history, explanation and metrics', async () => {
    const { ask, control } = await start();
    for (const what of ['role', 'vip', 'fence'] as const) control.tell({ what });
    expect((await ask('GET', '/history?limit=2')).json).toMatchObject([{ what: 'vip' }, { what: 'fence' }]);
    expect((await ask('GET', '/history?limit=0')).status).toBe(400);
    expect((await ask('GET', '/history?limit=1&limit=2')).json).toMatchObject({
      error: 'limit is given more than once',
    });
    expect((await ask('GET', '/explain')).json).toMatchObject({ group: 'mymaster', wouldWin: 'b' });
    expect((await ask('GET', '/explain?group=none')).status).toBe(404);
    expect(await ask('GET', '/metrics')).toMatchObject({
      text: 'tanist_epoch 3\n',
      headers: { 'content-type': 'text/plain; version=0.0.4' },
    });
  });

  it('says what there is when a path is unknown, and how to ask when the method is wrong', async () => {
    const { ask } = await start();
    expect(await ask('GET', '/clusters')).toMatchObject({ status: 404, json: { error: 'there is no /clusters' } });
    expect(await ask('GET', '/pause')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(await ask('POST', '/cluster')).toMatchObject({ status: 405, json: { fix: 'use GET' } });
  });

  it('says what to change when its port is taken', async () => {
    const { port, control } = await start();
    const metrics = { contentType: 'text/plain', text: async () => '' };
    const second = new ApiServer({ control, metrics, token: null, log: { write: () => {} } });
    cleanup.add(() => second.close());
    await expect(second.listen({ host: '127.0.0.1', port })).rejects.toThrow(/EADDRINUSE.*\n {2}fix: set api\.listen/);
  });

  it('closes in the middle of everything', async () => {
    const { server, control, ask } = await start();
    control.gate = new Promise(() => {});
    const waiting = ask('GET', '/cluster').catch((error: Error) => error);
    await until(() => control.views > 0, { what: 'the view' });
    await server.close();
    expect(await waiting).toBeInstanceOf(Error);
    expect(control.listeners).toBe(0);
  });
});

describe('an order', () => {
  it('is carried out, logged, and answered', async () => {
    const { order, ask, control, lines } = await start();
    expect(await order('/switchover', { to: 'b' })).toMatchObject({ status: 200, json: { ok: true, text: 'done' } });
    expect((await order('/failover', { group: 'mymaster', force: true })).status).toBe(200);
    expect((await ask('POST', '/pause')).status).toBe(200);
    expect((await order('/resume', { group: 'mymaster' })).status).toBe(200);
    expect(control.orders).toEqual(['switchover mymaster b', 'failover mymaster *', 'pause *', 'resume mymaster']);
    expect(lines[0]).toBe('order from 127.0.0.1: switchover to b');
  });

  it('that cannot be carried out says why and what to do', async () => {
    const { order, control } = await start();
    control.outcome = { ok: false, status: 409, text: 'b lags 40 MB' };
    expect(await order('/switchover', {})).toMatchObject({
      status: 409,
      json: { error: 'b lags 40 MB', fix: expect.stringContaining('tanist explain') },
    });
  });

  it.each([
    ['/failover', {}, 400, /may lose acknowledged writes/],
    ['/failover', { force: 'true' }, 400, /neither true nor false/],
    ['/switchover', { two: 'b' }, 400, /"two" is not known/],
    ['/switchover', { to: 3 }, 400, /to is not a name/],
    ['/switchover', [], 400, /not a JSON object/],
    ['/switchover', '{"to": ', 400, /./],
    ['/switchover', { group: 'none' }, 404, /there is no group "none"/],
    ['/pause', { to: 'b' }, 400, /"to" is not known/],
    ['/pause', { group: 'x'.repeat(5_000) }, 413, /large/],
  ])('to %s is refused (%#)', async (path, body, status, error) => {
    const { order, control } = await start();
    const answer = await order(path, body);
    expect(answer).toMatchObject({
      status,
      json: { error: expect.stringMatching(error), fix: expect.stringMatching(/./) },
    });
    expect(control.orders).toEqual([]);
  });

  it('of a web page is refused: by its type, and by its origin', async () => {
    const { order, ask, control } = await start();
    const plain = await ask('POST', '/switchover', { body: '{}', headers: { 'content-type': 'text/plain' } });
    expect(plain).toMatchObject({ status: 415, json: { fix: expect.stringContaining('application/json') } });
    expect((await order('/pause', {}, { origin: 'http://evil.example' })).status).toBe(403);
    expect((await ask('POST', '/pause', { headers: { origin: 'null' } })).status).toBe(403);
    expect(control.orders).toEqual([]);
  });

  it('needs the token when one is set; looking does not', async () => {
    const { order, ask, control } = await start({ token: 'a-long-secret' });
    const none = await order('/pause', {});
    expect(none).toMatchObject({ status: 401, json: { fix: expect.stringContaining('--token-file') } });
    expect(none.headers['www-authenticate']).toBe('Bearer realm="tanist"');
    const wrong = ['Bearer wrong', 'Bearer a-long-secret2', 'Bearer ', 'Basic a-long-secret', 'a-long-secret'];
    for (const authorization of wrong) expect((await order('/pause', {}, { authorization })).status).toBe(401);
    expect(control.orders).toEqual([]);
    expect((await order('/pause', {}, { authorization: 'Bearer a-long-secret' })).status).toBe(200);
    expect((await ask('GET', '/cluster')).status).toBe(200);
  });
});

describe('a name that points at loopback', () => {
  it('is refused without a token, and taken with one', async () => {
    const { ask } = await start();
    const from = (host: string) => ask('GET', '/cluster', { headers: { host } });
    expect(await from('evil.example:8008')).toMatchObject({
      status: 403,
      json: { error: expect.stringContaining('evil') },
    });
    const fine = ['localhost:8008', '127.0.0.1', '[::1]:8008', 'a.localhost'];
    expect((await Promise.all(fine.map(from))).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const guarded = await start({ token: 'secret' });
    expect((await guarded.ask('GET', '/cluster', { headers: { host: 'tanist.example' } })).status).toBe(200);
  });
});

describe('what is no proper request', () => {
  it.each([
    ['garbage', 'hello\r\n\r\n', 'HTTP/1.1 400'],
    ['a RESP command', '*1\r\n$4\r\nPING\r\n', 'HTTP/1.1 400'],
    ['too many headers', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(9_000)}\r\n\r\n`, 'HTTP/1.1 431'],
    [
      'two lengths',
      'POST /pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}',
      'HTTP/1.1 400',
    ],
    [
      'a length and chunks',
      'POST /pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}',
      'HTTP/1.1 400',
    ],
  ])('%s gets an answer that says so, and nothing happens', async (_what, bytes, start_of_answer) => {
    const { port, control, ask } = await start();
    const answer = await raw(port, bytes);
    expect(answer.slice(0, start_of_answer.length)).toBe(start_of_answer);
    expect(answer).toContain('"fix":');
    expect(control.orders).toEqual([]);
    expect((await ask('GET', '/liveness')).status).toBe(200);
  });
});
