/** What clients may do to a Sentinel: it answers with an error or closes, keeps its memory, and goes on. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.js';
import type { Cleanup } from '../support/cleanup.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { type SentinelProcess, startSentinel } from '../support/redis-sentinel.js';
import { encode } from '../support/resp.js';
import { tanistSentinel } from '../support/tanist.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();
const MIB = 1024 * 1024;

function start(config = ''): Promise<SentinelProcess> {
  return startSentinel(cleanup, { program: tanistSentinel, config: `sentinel monitor m 127.0.0.1 1 2\n${config}` });
}

interface Talk {
  readonly socket: Socket;
  received: string;
  closed: boolean;
}

/** A connection that sends what it is given and collects what comes. */
function talk(port: number, bytes: string | Uint8Array = '', stack: Cleanup = cleanup): Talk {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const it: Talk = { socket, received: '', closed: false };
  stack.add(() => socket.destroy());
  socket.setEncoding('latin1').on('data', (text: string) => {
    it.received += text;
  });
  for (const event of ['close', 'end'] as const) {
    socket.on(event, () => {
      it.closed = true;
    });
  }
  socket.on('error', () => {
    it.closed = true;
  });
  socket.write(bytes);
  return it;
}

/** Resident memory of the process. */
function memory_bytes(sentinel: SentinelProcess): number {
  const status = readFileSync(`/proc/${sentinel.child.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

it('survives nonsense', async () => {
  const sentinel = await start();
  const random = new Prng(7);
  for (let round = 0; round < 50; round++) {
    const bytes = Uint8Array.from({ length: 2_000 }, () => random.below(256));
    const prefix = random.pick([
      '',
      '*',
      '*3\r\n',
      '*1\r\n$4\r\n',
      '$',
      '+OK\r\n',
      '-ERR\r\n',
      '*2\r\n$8\r\nSENTINEL\r\n',
    ]);
    talk(sentinel.port, Buffer.concat([Buffer.from(prefix), bytes])).socket.end();
  }
  expect(await sentinel.cli('PING')).toBe('PONG');
  expect(sentinel.child.exit).toBeNull();
});

it.each([
  ['an endless request', '*1000000000\r\n', 'invalid multibulk length'],
  ['a count that is none', '*-9999999999999999999\r\n', 'invalid multibulk length'],
  ['an endless argument', '*1\r\n$1000000000\r\n', 'invalid bulk length'],
  ['a negative argument', '*1\r\n$-5\r\n', 'invalid bulk length'],
  ['a number for an argument', '*1\r\n:5\r\n', "expected '$', got ':'"],
  ['an endless line', 'x'.repeat(100_000), 'too big inline request'],
])('answers %s with a protocol error and closes', async (_, bytes, message) => {
  const sentinel = await start();
  const client = talk(sentinel.port, bytes);
  await until(() => client.closed, { what: 'the end of the connection' });
  expect(client.received).toBe(`-ERR Protocol error: ${message}\r\n`);
});

it('answers those who have sent all they had to say', async () => {
  const sentinel = await start();
  const client = talk(sentinel.port, 'PING\r\nSENTINEL MYID\r\n');
  client.socket.end();
  await until(() => client.closed, { what: 'the end of the connection' });
  expect(client.received).toMatch(/^\+PONG\r\n\$40\r\n[0-9a-f]{40}\r\n$/);
});

it('takes 1,000 idle clients, and turns away those beyond maxclients', async () => {
  const sentinel = await start('maxclients 1000');
  const before = memory_bytes(sentinel);
  const clients = Array.from({ length: 1_000 }, () => talk(sentinel.port, 'PING\r\n'));
  await until(() => clients.every(({ received }) => received === '+PONG\r\n'), { what: '1,000 answers' });
  expect((memory_bytes(sentinel) - before) / clients.length).toBeLessThan(64 * 1024);
  const oneMore = talk(sentinel.port);
  await until(() => oneMore.closed, { what: 'the refusal' });
  expect(oneMore.received).toBe('-ERR max number of clients reached\r\n');
  clients[0]?.socket.destroy();
  await until(async () => (await sentinel.cli('PING')) === 'PONG', { what: 'room for another' });
});

it('closes a subscriber that does not read, and keeps its memory', async () => {
  const sentinel = await start();
  const before = memory_bytes(sentinel);
  const slow = talk(sentinel.port, encode(['PSUBSCRIBE', '*']));
  await until(() => slow.received.includes('psubscribe'), { what: 'the subscription' });
  slow.socket.pause();
  // Each SET is an event of some kilobytes for the subscriber.
  const busy = talk(sentinel.port);
  const value = 'x'.repeat(200_000);
  const request = encode(['SENTINEL', 'SET', 'm', 'auth-pass', value, 'auth-user', value]);
  let most = 0;
  await until(
    () => {
      most = Math.max(most, memory_bytes(sentinel));
      if (busy.socket.writableLength < MIB) busy.socket.write(request);
      busy.received = '';
      return /Closing a client: it left \d+ bytes unread .* psub=1 /.test(sentinel.log);
    },
    { what: 'the slow reader to be closed', interval_ms: 1, deadline_ms: 30_000 },
  );
  expect(most - before).toBeLessThan(300 * MIB);
  expect(await sentinel.cli('PING')).toBe('PONG');
});
