/** The link against a real Redis. */
import { beforeEach, describe, expect, it } from 'vitest';
import { makeCertificates } from '../../test/support/certificates.js';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { freePort } from '../../test/support/free-port.js';
import { leaveOut, needs } from '../../test/support/needs.js';
import { startRedis } from '../../test/support/redis-server.js';
import { until } from '../../test/support/until.js';
import { readServerInfo } from './info.js';
import { type LinkOptions, type LinkState, RedisLink } from './link.js';
import { ErrorReply, MapReply, type Reply, SetReply } from './reply.js';

const cleanup = cleanupAfterEach();
const soon = { deadline_ms: 5_000 };

beforeEach((context) => {
  needs(context, 'redis-server');
});

function open(port: number, options: Partial<LinkOptions> = {}) {
  const states: LinkState[] = [];
  const notes: string[] = [];
  const link = new RedisLink({
    to: { host: '127.0.0.1', port },
    connectTimeout_ms: 5_000,
    backoff: { base_ms: 5, max_ms: 50 },
    onState: (state) => states.push(state),
    onNote: (text) => notes.push(text),
    ...options,
  });
  cleanup.add(() => link.close());
  const ask = (...args: string[]): Promise<Reply> => link.request(args, soon);
  return { link, states, notes, ask };
}

const authError = { code: 'ERR_LINK_AUTH' };

describe('AUTH', () => {
  it('logs in with a password, and is told when it is wrong or missing', async () => {
    const redis = await startRedis(cleanup, { config: { requirepass: 'secret' } });
    expect(await open(redis.port, { auth: { user: '', pass: 'secret' } }).ask('PING')).toBe('PONG');
    await expect(open(redis.port, { auth: { user: '', pass: 'wrong' } }).ask('PING')).rejects.toMatchObject(authError);
    expect(await open(redis.port).ask('PING')).toEqual(new ErrorReply('NOAUTH Authentication required.'));
  });

  it('logs in as an ACL user, who may be refused CLIENT SETNAME', async () => {
    const redis = await startRedis(cleanup, { config: { user: ['app on >secret ~* &* +ping +acl|whoami'] } });
    const { ask, notes } = open(redis.port, { auth: { user: 'app', pass: 'secret' }, name: 'me' });
    expect(await ask('ACL', 'WHOAMI')).toBe('app');
    expect(notes).toEqual([expect.stringMatching(/^CLIENT SETNAME: NOPERM/)]);
    expect(await ask('GET', 'k')).toMatchObject({ code: 'NOPERM' });
    await expect(open(redis.port, { auth: { user: 'app', pass: 'no' } }).ask('PING')).rejects.toMatchObject(authError);
  });

  it('goes on, with a note, where no password is set', async () => {
    const redis = await startRedis(cleanup);
    const { ask, notes } = open(redis.port, { auth: { user: '', pass: 'secret' }, name: 'me' });
    expect(await ask('CLIENT', 'GETNAME')).toBe('me');
    expect(notes).toEqual([expect.stringMatching(/^AUTH was not needed/)]);
  });
});

describe('RESP3 and databases', () => {
  it('speaks RESP3 when asked, and selects a database', async () => {
    const redis = await startRedis(cleanup);
    const { ask } = open(redis.port, { protocol: 3, database: 3 });
    expect(await ask('CONFIG', 'GET', 'port')).toEqual(new MapReply([['port', String(redis.port)]]));
    await ask('SET', 'k', 'in three');
    expect(await open(redis.port).ask('GET', 'k')).toBeNull();
    expect(await open(redis.port, { database: 3 }).ask('GET', 'k')).toBe('in three');
    await expect(open(redis.port, { database: 99 }).ask('PING')).rejects.toMatchObject({ code: 'ERR_LINK_PROTOCOL' });
  });

  it('reads what Redis itself offers for testing, in both protocols', async () => {
    const redis = await startRedis(cleanup, { config: { 'enable-debug-command': 'yes' } });
    const samples = async (protocol: 2 | 3): Promise<Reply[]> => {
      const { ask } = open(redis.port, { protocol });
      const kinds = ['string', 'integer', 'double', 'null', 'array', 'set', 'map', 'true', 'verbatim', 'bignum'];
      const replies = await Promise.all(kinds.map((kind) => ask('DEBUG', 'PROTOCOL', kind)));
      expect(await ask('PING')).toBe('PONG');
      return replies;
    };
    const three = ['Hello World', 12345, Number('3.141'), null, [0, 1, 2], new SetReply([0, 1, 2])];
    const map = new MapReply([
      [0, false],
      [1, true],
      [2, false],
    ]);
    const bignum = '1234567999999999999999999999999999999';
    const verbatim = 'This is a verbatim\nstring';
    expect(await samples(3)).toEqual([...three, map, true, verbatim, BigInt(bignum)]);
    const two = ['Hello World', 12345, '3.141', null, [0, 1, 2], [0, 1, 2], [0, 0, 1, 1, 2, 0]];
    expect(await samples(2)).toEqual([...two, 1, verbatim, bignum]);
    expect(await open(redis.port, { protocol: 3 }).ask('DEBUG', 'PROTOCOL', 'attrib')).toBe(
      'Some real reply following the attribute',
    );
  });

  it('reads INFO', async () => {
    const redis = await startRedis(cleanup);
    const info = readServerInfo(String(await open(redis.port).ask('INFO')));
    expect(info).toMatchObject({ role: 'master', loading: false, connectedReplicas: 0, replicas: [] });
    expect(info.runId).toMatch(/^[0-9a-f]{40}$/);
  });
});

describe('pub/sub', () => {
  for (const protocol of [2, 3] as const) {
    it(`delivers messages, and again after CLIENT KILL, RESP${protocol}`, async () => {
      const redis = await startRedis(cleanup);
      const { link, states } = open(redis.port, { protocol });
      const messages: string[] = [];
      await link.subscribe('a', (text, channel) => messages.push(`${channel}: ${text}`), soon);
      await link.psubscribe('b*', (text, channel) => messages.push(`${channel}: ${text}`), soon);
      const { ask } = open(redis.port);
      await ask('PUBLISH', 'a', '1');
      await ask('PUBLISH', 'b2', '2');
      await until(() => messages.length === 2, { what: 'two messages' });
      await ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await until(() => states.length >= 2, { what: 'the kill to arrive' });
      await until(async () => (await ask('PUBLISH', 'a', '3')) === 1, { what: 'the subscription to be renewed' });
      await until(() => messages.length === 3, { what: 'the third message' });
      expect(messages).toEqual(['a: 1', 'b2: 2', 'a: 3']);
      await link.unsubscribe('a', soon);
      await link.punsubscribe('b*', soon);
      expect(await ask('PUBLISH', 'a', '4')).toBe(0);
      expect(await link.request(['ECHO', 'a reply again'], soon)).toBe('a reply again');
    });
  }

  it('runs commands beside a subscription under RESP3', async () => {
    const redis = await startRedis(cleanup);
    const { link, ask } = open(redis.port, { protocol: 3 });
    const messages: string[] = [];
    await link.subscribe('a', (text) => messages.push(text), soon);
    await ask('RPUSH', 'l', 'message', 'a', 'a list, no message');
    expect(await ask('LRANGE', 'l', '0', '-1')).toEqual(['message', 'a', 'a list, no message']);
    expect(messages).toEqual([]);
  });
});

describe('faults', () => {
  it('comes back after kill -9 and a restart', async () => {
    const redis = await startRedis(cleanup);
    const { link, ask, states } = open(redis.port, { whileDown: 'wait' });
    expect(await ask('PING')).toBe('PONG');
    await redis.kill9();
    await until(() => states.length >= 3, { what: 'the end and a failed attempt' });
    expect(states.slice(0, 3)).toMatchObject([
      { is: 'up' },
      { is: 'down', why: expect.stringMatching(/ended|reset/) },
      { is: 'down', why: 'refused' },
    ]);
    await redis.start();
    expect(await ask('PING')).toBe('PONG');
    expect(link.up).toBe(true);
  });

  it('misses a deadline on a frozen server, and is in order again when it thaws', async () => {
    const redis = await startRedis(cleanup);
    const { ask, link } = open(redis.port);
    await ask('PING');
    redis.freeze();
    const late = link.request(['ECHO', 'late'], { deadline_ms: 50 });
    await expect(late).rejects.toMatchObject({ code: 'ERR_LINK_TIMEOUT', sent: true });
    redis.thaw();
    expect(await ask('ECHO', 'in time')).toBe('in time');
  });

  it('is ended, not refused, by a server with too many clients', async () => {
    const redis = await startRedis(cleanup, { config: { maxclients: 1 } });
    const { ask } = open(redis.port, { name: 'first' });
    await ask('PING');
    await expect(open(redis.port, { name: 'second' }).ask('PING')).rejects.toMatchObject({ code: 'ERR_LINK_ENDED' });
  });

  it('carries ten thousand pipelined requests and a large value', async () => {
    const redis = await startRedis(cleanup);
    const { link } = open(redis.port, { pending_max: 20_000 });
    const large = 'é'.repeat(2_000_000);
    const numbers = Array.from({ length: 10_000 }, () => link.request(['INCR', 'n'], soon));
    const set = link.request(['SET', 'large', large], soon);
    expect(await Promise.all(numbers)).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1));
    expect(await set).toBe('OK');
    expect((await link.request(['GET', 'large'], soon)) === large).toBe(true);
  });
});

describe('TLS', () => {
  it('checks the server, and shows a certificate of its own', async (context) => {
    const made = await makeCertificates(cleanup);
    if (made === null) leaveOut(context, 'there is no openssl to make certificates with');
    const tlsPort = await freePort();
    const redis = await startRedis(cleanup, {
      config: {
        'tls-port': tlsPort,
        'tls-cert-file': made.certFile,
        'tls-key-file': made.keyFile,
        'tls-ca-cert-file': made.caFile,
      },
    }).catch((error: Error) => {
      if (!/tls-port|Bad directive/.test(error.message)) throw error;
      return leaveOut(context, 'this redis-server is built without TLS');
    });
    const { ca, cert, key } = made;
    const fails = (options: Partial<LinkOptions>): Promise<string> =>
      open(tlsPort, options)
        .ask('PING')
        .then(String, (error: { code: string }) => error.code);
    expect(await open(tlsPort, { tls: { ca, cert, key } }).ask('PING')).toBe('PONG');
    expect(await fails({ tls: { cert, key } })).toBe('ERR_LINK_PROTOCOL');
    expect(await fails({ tls: { ca, cert, key, servername: 'other.example' } })).toBe('ERR_LINK_PROTOCOL');
    expect(await fails({ tls: { ca, cert, key, servername: 'other.example', checkServername: false } })).toBe('PONG');
    expect(await fails({ tls: { cert, key, rejectUnauthorized: false } })).toBe('PONG');
    expect(await fails({ tls: { ca } })).toMatch(/ERR_LINK_(PROTOCOL|ENDED|RESET)/);
    expect(await fails({})).toMatch(/ERR_LINK_(PROTOCOL|ENDED|RESET)/);
    expect(redis.log).not.toMatch(/crash/i);
  });
});
