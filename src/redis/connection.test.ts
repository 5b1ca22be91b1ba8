import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { freePort } from '../../test/support/free-port.js';
import { startRawServer } from '../../test/support/raw-server.js';
import { until } from '../../test/support/until.js';
import { type Connection, type ConnectionOptions, openConnection } from './connection.js';
import { ErrorReply, type Reply } from './reply.js';

const cleanup = cleanupAfterEach();

interface Watched {
  readonly connection: Connection<string>;
  readonly seen: string[];
}

/** Opens a connection and writes down what its handlers are told. */
function watch(options: Partial<ConnectionOptions> & { readonly port: number }): Watched {
  const seen: string[] = [];
  const show = (reply: Reply): string => (reply instanceof ErrorReply ? `-${reply.message}` : JSON.stringify(reply));
  const { port, ...rest } = options;
  const connection = openConnection<string>(
    { to: { host: '127.0.0.1', port }, connectTimeout_ms: 5_000, ...rest },
    {
      onUp: () => seen.push('up'),
      onReply: (reply, tag) => seen.push(`${tag}: ${show(reply)}`),
      onMessage: (channel, message, pattern) => seen.push(`message ${channel} ${message} ${pattern}`),
      onNote: (text) => seen.push(`note ${text}`),
      onClosed: (why, detail) => seen.push(`closed ${why}: ${detail}`),
    },
  );
  cleanup.add(() => connection.close());
  return { connection, seen };
}

const untilSeen = (watched: Watched, pattern: RegExp): Promise<string> =>
  until(() => watched.seen.find((line) => pattern.test(line)), { what: `${pattern}` });

/** Greets each connection with fixed bytes. */
const saying = (bytes: string) => (socket: Socket) => socket.write(bytes);

describe('openConnection, when the peer is not a good Redis', () => {
  it('is refused where nobody listens', async () => {
    const watched = watch({ port: await freePort() });
    expect(await untilSeen(watched, /closed/)).toMatch(/^closed refused: .*ECONNREFUSED/);
    expect(watched.seen).toHaveLength(1);
  });

  it('is unreachable at a unix socket that is not there', async () => {
    const watched = watch({ port: 1, to: { path: '/nonexistent/redis.sock' } });
    await untilSeen(watched, /closed unreachable/);
  });

  it('is reset by a reset, ended by an orderly close', async () => {
    const reset = await startRawServer(cleanup, (socket, received) => received(() => socket.resetAndDestroy()));
    const resetSeen = watch({ port: reset.port, name: 'n' });
    await untilSeen(resetSeen, /^closed reset/);
    const half = await startRawServer(cleanup, (socket, received) => received(() => socket.end()));
    const halfSeen = watch({ port: half.port, name: 'n' });
    await untilSeen(halfSeen, /^closed ended: the peer closed the connection$/);
  });

  it('says that a reply was cut off', async () => {
    const server = await startRawServer(cleanup, (socket) => socket.end('$10\r\nabc'));
    await untilSeen(watch({ port: server.port }), /closed ended: .*inside a reply/);
  });

  it('times out when the handshake is never answered, not when there is none', async () => {
    const server = await startRawServer(cleanup, () => {});
    const silent = watch({ port: server.port, name: 'n', connectTimeout_ms: 100 });
    const plain = watch({ port: server.port, connectTimeout_ms: 100 });
    expect(await untilSeen(silent, /closed/)).toMatch(/closed timeout: no answer to the handshake .* within 100 ms/);
    expect(plain.seen).toEqual(['up']);
  });

  it('closes as protocol on garbage and on what nobody asked for', async () => {
    const garbage = await startRawServer(cleanup, saying('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await untilSeen(watch({ port: garbage.port, name: 'n' }), /closed protocol: No RESP type begins with 'H'/);
    const unasked = await startRawServer(cleanup, saying('+OK\r\n'));
    await untilSeen(watch({ port: unasked.port }), /closed protocol: a reply that nobody asked for/);
  });

  it('closes as ended when the server turns us away', async () => {
    const server = await startRawServer(cleanup, (socket) => socket.end('-ERR max number of clients reached\r\n'));
    await untilSeen(watch({ port: server.port }), /closed ended: ERR max number/);
    await untilSeen(watch({ port: server.port, auth: { user: '', pass: 'p' } }), /closed ended: ERR max number/);
  });

  it('closes as protocol when TLS meets a server without it', async () => {
    const server = await startRawServer(cleanup, (socket, received) => received(() => socket.write('-ERR what\r\n')));
    await untilSeen(watch({ port: server.port, tls: {} }), /closed protocol/);
  });
});

describe('Connection', () => {
  it('sends the handshake in one write and nothing before its answers', async () => {
    const writes: string[] = [];
    const server = await startRawServer(cleanup, (_socket, received) => received((text) => writes.push(text)));
    const watched = watch({ port: server.port, auth: { user: 'u', pass: 'p' }, name: 'n' });
    await until(() => server.received().includes('SETNAME'), { what: 'the handshake' });
    expect(writes).toHaveLength(1);
    expect(watched.connection.send(['PING'], 'early')).toBe('down');
    server.sockets[0]?.write('+OK\r\n-NOPERM no\r\n');
    await untilSeen(watched, /^up$/);
    expect(watched.seen).toEqual(['note CLIENT SETNAME: NOPERM no', 'up']);
    expect(watched.connection.send(['PING'], 'late')).toBe('sent');
  });

  it('pairs pipelined replies with their tags, however they are cut, in one write', async () => {
    const writes: string[] = [];
    const server = await startRawServer(cleanup, (_socket, received) => received((text) => writes.push(text)));
    const watched = watch({ port: server.port });
    await untilSeen(watched, /^up$/);
    for (const tag of ['a', 'b', 'c']) watched.connection.send(['ECHO', tag], tag);
    await until(() => server.received().includes('$1\r\nc'), { what: 'three requests' });
    expect(writes).toHaveLength(1);
    const [socket] = server.sockets;
    for (const byte of '$1\r\na\r\n-ERR b\r\n:3\r\n') {
      await new Promise<void>((resolve, reject) => socket?.write(byte, (e) => (e ? reject(e) : resolve())));
    }
    await untilSeen(watched, /^c/);
    expect(watched.seen).toEqual(['up', 'a: "a"', 'b: -ERR b', 'c: 3']);
  });

  it('refuses requests beyond its bounds', async () => {
    const server = await startRawServer(cleanup, (socket) => socket.pause());
    const few = watch({ port: server.port, pending_max: 2 });
    const small = watch({ port: server.port, unsent_bytes_max: 1000 });
    await untilSeen(few, /^up$/);
    await untilSeen(small, /^up$/);
    expect([1, 2, 3].map(() => few.connection.send(['PING'], ''))).toEqual(['sent', 'sent', 'full']);
    expect([1, 2].map(() => small.connection.send(['SET', 'k', 'x'.repeat(2000)], ''))).toEqual(['sent', 'full']);
  });

  it('is silent after close, also when closed inside a handler', async () => {
    const server = await startRawServer(cleanup, saying('+OK\r\n+one\r\n+two\r\n'));
    const seen: string[] = [];
    const connection: Connection<string> = openConnection<string>(
      { to: { host: '127.0.0.1', port: server.port }, name: 'n', connectTimeout_ms: 5_000 },
      {
        onUp: () => {
          connection.send(['A'], 'a');
          connection.send(['B'], 'b');
        },
        onReply: (_reply, tag) => {
          seen.push(tag);
          connection.close();
        },
        onClosed: (why) => seen.push(why),
      },
    );
    await until(() => seen.length > 0 && server.sockets.length === 0, { what: 'the close to arrive' });
    expect(seen).toEqual(['a']);
    expect(connection.send(['C'], 'c')).toBe('down');
  });

  it('takes two hundred servers that talk nonsense at once', async () => {
    const server = await startRawServer(cleanup, (socket) => {
      socket.end(Buffer.from(Array.from({ length: 50 }, (_, i) => (i * 7919 + server.sockets.length * 31) & 0xff)));
    });
    const all = Array.from({ length: 200 }, () => watch({ port: server.port, name: 'n' }));
    await Promise.all(all.map((each) => untilSeen(each, /closed (protocol|ended|reset)/)));
  });
});
