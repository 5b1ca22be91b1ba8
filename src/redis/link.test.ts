import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { freePort } from '../../test/support/free-port.js';
import { type RawServer, startRawServer } from '../../test/support/raw-server.js';
import { until } from '../../test/support/until.js';
import { type LinkOptions, type LinkState, RedisLink } from './link.js';
import { LinkError } from './link-error.js';
import type { Reply } from './reply.js';

const cleanup = cleanupAfterEach();
const soon = { deadline_ms: 5_000 };

function open(port: number, options: Partial<LinkOptions> = {}): { link: RedisLink; states: LinkState[] } {
  const states: LinkState[] = [];
  const link = new RedisLink({
    to: { host: '127.0.0.1', port },
    connectTimeout_ms: 5_000,
    backoff: { base_ms: 5, max_ms: 20 },
    onState: (state) => states.push(state),
    ...options,
  });
  cleanup.add(() => link.close());
  return { link, states };
}

const failure = (promise: Promise<unknown>): Promise<LinkError> =>
  promise.then(
    (value) => expect.unreachable(`resolved: ${String(value)}`),
    (error: unknown) => {
      if (error instanceof LinkError) return error;
      throw error;
    },
  );

/** Answers PING with `+PONG`, any other request never. */
const pong = (socket: Socket, received: (on: (text: string) => void) => void): void =>
  received((text) => {
    for (let i = text.split('PING').length; i > 1; i--) socket.write('+PONG\r\n');
  });

const untilReceived = (server: RawServer, text: string): Promise<boolean> =>
  until(() => server.received().includes(text), { what: `${text} at the server` });

describe('RedisLink: requests', () => {
  it('makes requests wait for the first connection', async () => {
    const server = await startRawServer(cleanup, pong);
    const { link } = open(server.port);
    expect(link.up).toBe(false);
    expect(await Promise.all([1, 2, 3].map(() => link.request(['PING'], soon)))).toEqual(['PONG', 'PONG', 'PONG']);
  });

  it('rejects with the reason of the failed attempt, and fails fast until the next', async () => {
    const { link, states } = open(await freePort(), { backoff: { base_ms: 60_000, max_ms: 60_000 } });
    const waited = await failure(link.request(['PING'], soon));
    const failed = await failure(link.request(['PING'], soon));
    expect([waited.code, waited.sent, failed.code]).toEqual(['ERR_LINK_REFUSED', false, 'ERR_LINK_REFUSED']);
    expect(states).toMatchObject([{ is: 'down', why: 'refused' }]);
  });

  it('waits through failed attempts when told to, until the deadline', async () => {
    const port = await freePort();
    const { link, states } = open(port, { whileDown: 'wait' });
    const late = await failure(link.request(['PING'], { deadline_ms: 60 }));
    expect([late.code, late.sent]).toEqual(['ERR_LINK_TIMEOUT', false]);
    expect(late.message).toMatch(/the last attempt: .*ECONNREFUSED/);
    const patient = link.request(['PING'], soon);
    await until(() => states.length >= 3, { what: 'three failed attempts' });
    await startRawServer(cleanup, pong, port);
    expect(await patient).toBe('PONG');
  });

  it('gives up after so many attempts', async () => {
    const { link, states } = open(await freePort(), { whileDown: 'wait', backoff: { base_ms: 1, attempts_max: 3 } });
    expect((await failure(link.request(['PING'], soon))).code).toBe('ERR_LINK_REFUSED');
    expect(states.map((state) => state.is === 'down' && state.retryIn_ms === null)).toEqual([false, false, true]);
    expect((await failure(link.request(['PING'], soon))).code).toBe('ERR_LINK_REFUSED');
  });

  it('keeps the order when a reply comes after its deadline', async () => {
    const server = await startRawServer(cleanup, () => {});
    const { link } = open(server.port);
    const replies: Promise<Reply>[] = [];
    const late = failure(link.request(['GET', 'slow'], { deadline_ms: 50 }));
    replies.push(link.request(['GET', 'next'], soon));
    const error = await late;
    expect([error.code, error.sent]).toEqual(['ERR_LINK_TIMEOUT', true]);
    server.sockets[0]?.write('$4\r\nlate\r\n$4\r\nnext\r\n');
    expect(await Promise.all(replies)).toEqual(['next']);
  });

  it('drops the connection on a missed deadline when told to', async () => {
    const server = await startRawServer(cleanup, pong);
    const { link, states } = open(server.port, { closeOnTimeout: true });
    const other = failure(link.request(['GET', 'other'], soon));
    expect((await failure(link.request(['GET', 'slow'], { deadline_ms: 50 }))).code).toBe('ERR_LINK_TIMEOUT');
    expect((await other).code).toBe('ERR_LINK_TIMEOUT');
    await until(() => link.up, { what: 'a new connection' });
    expect(states.map((state) => state.is)).toEqual(['up', 'down', 'up']);
    expect(await link.request(['PING'], soon)).toBe('PONG');
  });

  it('drops a connection that has been silent for too long', async () => {
    const server = await startRawServer(cleanup, () => {});
    const { link, states } = open(server.port, { silence_ms: 30 });
    await until(() => link.up, { what: 'the link' });
    expect((await failure(link.request(['GET', 'k'], { deadline_ms: 60 }))).code).toBe('ERR_LINK_TIMEOUT');
    expect(states[1]).toMatchObject({ is: 'down', why: 'timeout' });
  });

  it('rejects what was in flight when the peer goes, and says that it may have been carried out', async () => {
    const server = await startRawServer(cleanup, () => {});
    const { link } = open(server.port);
    const request = failure(link.request(['INCR', 'k'], soon));
    await untilReceived(server, 'INCR');
    server.sockets[0]?.resetAndDestroy();
    expect([(await request).code, (await request).sent]).toEqual(['ERR_LINK_RESET', true]);
    await until(() => link.up, { what: 'a new connection' });
    expect(server.received().split('INCR')).toHaveLength(2);
  });

  it('bounds what waits and what is in flight', async () => {
    const server = await startRawServer(cleanup, () => {});
    const { link } = open(server.port, { pending_max: 2 });
    const settled = [1, 2, 3].map(() =>
      link.request(['GET', 'k'], { deadline_ms: 200 }).catch((e: LinkError) => e.code),
    );
    expect(await settled[2]).toBe('ERR_LINK_OVERLOADED');
    await until(() => link.up, { what: 'the link' });
    expect((await failure(link.request(['GET', 'k'], soon))).code).toBe('ERR_LINK_OVERLOADED');
    expect(await Promise.all(settled.slice(0, 2))).toEqual(['ERR_LINK_TIMEOUT', 'ERR_LINK_TIMEOUT']);
  });

  it('bounds what waits for a connection', async () => {
    const { link } = open(await freePort(), { pending_max: 2, whileDown: 'wait' });
    const settled = [1, 2, 3].map(() =>
      link.request(['GET', 'k'], { deadline_ms: 100 }).catch((e: LinkError) => e.code),
    );
    expect(await Promise.all(settled)).toEqual(['ERR_LINK_TIMEOUT', 'ERR_LINK_TIMEOUT', 'ERR_LINK_OVERLOADED']);
  });

  it('waits longer and longer for a server that throws it out, and begins again after a reply', async () => {
    const waits = (states: readonly LinkState[]): (number | null)[] =>
      states.flatMap((state) => (state.is === 'down' ? [state.retryIn_ms] : []));
    const backoff = { base_ms: 2, max_ms: 5_000 };
    const rude = await startRawServer(cleanup, (socket) => socket.end());
    const thrownOut = open(rude.port, { backoff, random: () => 0 });
    await until(() => waits(thrownOut.states).length >= 4, { what: 'four attempts' });
    expect(waits(thrownOut.states).slice(0, 4)).toEqual([1, 2, 4, 8]);
    const port = await freePort();
    const { link, states } = open(port, { backoff, random: () => 0, whileDown: 'wait' });
    await until(() => states.length >= 3, { what: 'three failed attempts' });
    const server = await startRawServer(cleanup, pong, port);
    await link.request(['PING'], soon);
    server.sockets[0]?.resetAndDestroy();
    await until(() => states.findIndex((state) => state.is === 'up') < states.length - 1, { what: 'the reset' });
    expect(states[states.findIndex((state) => state.is === 'up') + 1]).toMatchObject({ why: 'reset', retryIn_ms: 1 });
  });

  it('rejects everything at close, and is heard of no more', async () => {
    const server = await startRawServer(cleanup, () => {});
    const { link, states } = open(server.port);
    const request = failure(link.request(['GET', 'k'], soon));
    await untilReceived(server, 'GET');
    link.close();
    expect([(await request).code, (await request).sent]).toEqual(['ERR_LINK_CLOSED', true]);
    expect((await failure(link.request(['PING'], soon))).code).toBe('ERR_LINK_CLOSED');
    await until(() => server.sockets.length === 0, { what: 'the close to arrive' });
    expect(states.map((state) => state.is)).toEqual(['up']);
  });

  it('reports garbage as a protocol error and half a reply as an end', async () => {
    const garbage = await startRawServer(cleanup, (socket, received) => received(() => socket.write('garbage\r\n')));
    expect((await failure(open(garbage.port).link.request(['PING'], soon))).code).toBe('ERR_LINK_PROTOCOL');
    const half = await startRawServer(cleanup, (socket, received) => received(() => socket.end('$5\r\nab')));
    expect((await failure(open(half.port).link.request(['PING'], soon))).code).toBe('ERR_LINK_ENDED');
  });
});

describe('RedisLink: subscriptions', () => {
  /** Acknowledges every subscription. */
  const acknowledge = (socket: Socket, received: (on: (text: string) => void) => void): void =>
    received((text) => {
      for (const match of text.matchAll(/\$\d+\r\n(P?SUBSCRIBE)\r\n\$\d+\r\n(.+)\r\n/g)) {
        const verb = match[1]?.toLowerCase() ?? '';
        const topic = match[2] ?? '';
        socket.write(`*3\r\n$${verb.length}\r\n${verb}\r\n$${topic.length}\r\n${topic}\r\n:1\r\n`);
      }
    });

  it('subscribes again on every new connection', async () => {
    const server = await startRawServer(cleanup, acknowledge);
    const { link, states } = open(server.port);
    const messages: string[] = [];
    await link.subscribe('ch', (message, channel) => messages.push(`${channel} ${message}`), soon);
    await link.psubscribe('p*', (message, channel) => messages.push(`${channel} ${message}`), soon);
    server.sockets[0]?.resetAndDestroy();
    await until(() => states.length === 3 && server.sockets.length === 1, { what: 'the new connection' });
    await until(() => server.received().split('SUBSCRIBE').length === 5, { what: 'both subscriptions again' });
    server.sockets[0]?.write('*3\r\n+message\r\n+ch\r\n+hello\r\n*4\r\n+pmessage\r\n+p*\r\n+px\r\n+there\r\n');
    await until(() => messages.length === 2, { what: 'both messages' });
    expect(messages).toEqual(['ch hello', 'px there']);
  });

  it('rejects a refused subscription', async () => {
    const server = await startRawServer(cleanup, (socket, received) => received(() => socket.write('-NOPERM no\r\n')));
    const error = await failure(open(server.port).link.subscribe('ch', () => {}, soon));
    expect([error.code, error.message]).toEqual(['ERR_LINK_SUBSCRIBE', 'SUBSCRIBE ch: NOPERM no']);
  });

  it('drops a connection on which a subscription is not renewed in time', async () => {
    let connections = 0;
    const server = await startRawServer(cleanup, (socket, received) => {
      connections += 1;
      if (connections !== 2) acknowledge(socket, received);
    });
    const { link, states } = open(server.port, { connectTimeout_ms: 50 });
    await link.subscribe('ch', () => {}, soon);
    server.sockets[0]?.resetAndDestroy();
    await until(() => connections === 3, { what: 'a third connection' });
    expect(states.map((state) => (state.is === 'down' ? state.why : state.is)).slice(0, 4)).toEqual([
      'up',
      'reset',
      'up',
      'timeout',
    ]);
  });
});
