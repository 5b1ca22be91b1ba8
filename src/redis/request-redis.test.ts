/** The request decoder beside a real Redis: the same bytes, the same answer. */
import { connect } from 'node:net';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { needs } from '../../test/support/needs.js';
import { startRedis } from '../../test/support/redis-server.js';
import { until } from '../../test/support/until.js';
import { encodeReply } from './encoder.js';
import { RespProtocolError } from './protocol-error.js';
import { ErrorReply, SimpleString } from './reply.js';
import { ByteRequestDecoder } from './request-decoder.js';

const cleanup = cleanupAfterEach();

beforeEach((context) => {
  needs(context, 'redis-server');
});

/** What a server built on the decoder answers: PING and ECHO are all it knows. */
function ours(wire: Buffer, unauthenticated: boolean): string {
  const decoder = new ByteRequestDecoder({ unauthenticated });
  const out: Buffer[] = [];
  try {
    decoder.feed(wire, ([verb, arg]) => {
      const ping = Buffer.from(verb ?? []).toString() === 'PING';
      out.push(encodeReply(ping ? new SimpleString('PONG') : (arg ?? null), 2));
    });
  } catch (error) {
    if (!(error instanceof RespProtocolError)) throw error;
    out.push(encodeReply(new ErrorReply(`ERR ${error.message}`), 2));
  }
  return Buffer.concat(out).toString('latin1');
}

/** What Redis answers, until it has said `length` bytes or closed. */
async function theirs(port: number, wire: Buffer, length: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  let ended = false;
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    ended = true;
  });
  socket.write(wire);
  await until(() => ended || text.length >= length, { what: `an answer to ${wire.toString('latin1', 0, 40)}` });
  socket.destroy();
  return text;
}

const wires: readonly string[] = [
  'PING\r\n',
  'PING\n',
  '\r\n*0\r\n*-1\r\n*-7\r\nPING\r\n',
  '*1\r\n$4\r\nPING\r\n*2\r\n$4\r\nECHO\r\n$4\r\n\r\n\x00\xff\r\n',
  'ECHO "a b"\r\n',
  "ECHO 'it\\'s \\n'\r\n",
  'ECHO "\\x41\\xff\\xzz\\n\\r\\t\\b\\a\\q\\"\\\\"\r\n',
  'ECHO x"a b"\r\n',
  '\t ECHO\ta\\nb \r\n',
  'ECHO ""\r\n',
  'ECHO "a\r\n',
  'ECHO "a"b\r\n',
  "ECHO 'a\r\n",
  'ECHO "a\\\r\n',
  '*x\r\n',
  '*\r\n',
  '*3000000000\r\n',
  '*1\r\n:1\r\n',
  '*1\r\nPING\r\n',
  '*1\r\n$-1\r\n',
  '*1\r\n$\r\n',
  '*1\r\n$1x\r\n',
  '*1\r\n$536870913\r\n',
  'PING\r\n*1\r\n$x\r\n',
  `*${'1'.repeat(70_000)}`,
  `*1\r\n$${'1'.repeat(70_000)}`,
  'x'.repeat(70_000),
];

describe('RequestDecoder and redis-server', () => {
  it('answer the same bytes alike', async () => {
    const redis = await startRedis(cleanup);
    for (const wire of wires.map((text) => Buffer.from(text, 'latin1'))) {
      const answer = ours(wire, false);
      expect([wire.toString('latin1', 0, 60), await theirs(redis.port, wire, answer.length)]).toEqual([
        wire.toString('latin1', 0, 60),
        answer,
      ]);
    }
  });

  it('limit a client that has not logged in alike', async () => {
    const redis = await startRedis(cleanup, { config: { requirepass: 'secret' } });
    for (const text of ['*11\r\n', '*1\r\n$16385\r\n']) {
      const answer = ours(Buffer.from(text), true);
      expect([text, await theirs(redis.port, Buffer.from(text), answer.length)]).toEqual([text, answer]);
    }
  });
});
