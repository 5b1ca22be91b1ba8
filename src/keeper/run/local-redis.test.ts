/** The link to the kept Redis, with a server that does what no Redis would. */
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { startRawServer } from '../../../test/support/raw-server.js';
import { until } from '../../../test/support/until.js';
import type { Credentials } from '../../redis/handshake.js';
import type { Input } from '../core/io.js';
import { LocalRedis } from './local-redis.js';

const cleanup = cleanupAfterEach();

function open(port: number, replyDeadline_ms: number, auth: Credentials | null = null) {
  const inputs: Input[] = [];
  const redis = new LocalRedis(
    { to: { host: '127.0.0.1', port }, tls: null, auth, tellsFirstRefusal: false, replyDeadline_ms },
    { deliver: (input) => inputs.push(input), log: () => {}, onBroken: () => {}, onAnswer: () => {} },
  );
  cleanup.add(() => redis.close());
  redis.open();
  return { redis, inputs };
}

it('is told to be down when a reply does not come, and comes up anew', async () => {
  const server = await startRawServer(cleanup, (socket, received) =>
    received((text) => {
      if (text.includes('SETNAME')) socket.write('+OK\r\n');
    }),
  );
  const { redis, inputs } = open(server.port, 50);
  await until(() => inputs.length === 1, { what: 'the link' });
  redis.send('ping', ['PING']);
  await until(() => inputs.length === 3, { what: 'a new link' });
  expect(inputs).toEqual([
    { on: 'redis-up' },
    { on: 'redis-down', why: expect.stringContaining('within 50 ms'), refused: false },
    { on: 'redis-up' },
  ]);
  await redis.settled();
});

it('tells a login that is refused from other trouble, whatever the words', async () => {
  const server = await startRawServer(cleanup, (socket, received) =>
    received(() => socket.write('-ERR in words of its own\r\n')),
  );
  const { redis, inputs } = open(server.port, 5_000, { user: '', pass: 'wrong' });
  await until(() => inputs.length === 1, { what: 'the refusal' });
  expect(inputs).toEqual([{ on: 'redis-login-refused', why: 'ERR in words of its own' }]);
  await redis.settled();
});

it('tells of a loss, then of a refusal, and of each once', async () => {
  const server = await startRawServer(cleanup, (socket) => socket.write('+OK\r\n'));
  const { redis, inputs } = open(server.port, 5_000);
  await until(() => inputs.length === 1, { what: 'the link' });
  redis.send('ping', ['PING']);
  redis.send('info', ['INFO']);
  await server.stop();
  await until(() => inputs.length === 3, { what: 'a refusal' });
  expect(inputs).toMatchObject([
    { on: 'redis-up' },
    { on: 'redis-down', refused: false },
    { on: 'redis-down', refused: true },
  ]);
  await redis.settled();
  expect(inputs).toHaveLength(3);
});
