/** Passwords and TLS between clients, the proxy, servers and Sentinels. */
import { copyFileSync } from 'node:fs';
import { connect as connectPlain, type Socket } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect } from 'node:tls';
import { describe, expect, it, type TestContext } from 'vitest';
import { parseNutcracker } from '../../src/config/nutcracker.js';
import { type Certificates, makeCertificates } from '../support/certificates.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePort } from '../support/free-port.js';
import { leaveOut, needs } from '../support/needs.js';
import { startSentinel } from '../support/redis-sentinel.js';
import { type RedisConfig, startRedis } from '../support/redis-server.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';
import { bulk, req, servers, startProxy, startProxyFrom, Talk } from './proxy-support.js';

const cleanup = cleanupAfterEach();

/** A CA and a certificate, or the test is left out. */
async function certificates(context: TestContext): Promise<Certificates> {
  needs(context, 'redis-server');
  return (await makeCertificates(cleanup)) ?? leaveOut(context, 'openssl is not here');
}

/** A Redis that wants TLS on this port, and a certificate from whoever connects. */
async function startSecureRedis(made: Certificates, config: RedisConfig = {}): Promise<number> {
  const tlsPort = await freePort();
  const files = { 'tls-cert-file': made.certFile, 'tls-key-file': made.keyFile, 'tls-ca-cert-file': made.caFile };
  await startRedis(cleanup, { config: { ...files, 'tls-port': tlsPort, ...config } });
  return tlsPort;
}

function filesOf(made: Certificates): string[] {
  return [`    ca: ${made.caFile}`, `    cert: ${made.certFile}`, `    key: ${made.keyFile}`];
}

function tlsTalk(port: number, options: ConnectionOptions): Talk {
  return new Talk(port, cleanup, connect({ port, host: '127.0.0.1', ...options }));
}

/** Reads one reply so many times, without keeping it. */
async function reads(socket: Socket, reply: string, times: number): Promise<void> {
  const wanted = Buffer.from(reply);
  let total = 0;
  let wrong = false;
  const take = (bytes: Buffer): void => {
    for (let at = 0; at < bytes.length; ) {
      const from = total % wanted.length;
      const size = Math.min(bytes.length - at, wanted.length - from);
      wrong ||= !bytes.subarray(at, at + size).equals(wanted.subarray(from, from + size));
      at += size;
      total += size;
    }
  };
  socket.on('data', take);
  socket.resume();
  await until(() => total >= wanted.length * times || wrong || socket.destroyed, {
    what: `${times} replies`,
    deadline_ms: 30_000,
  });
  socket.off('data', take);
  expect({ total, wrong }).toEqual({ total: wanted.length * times, wrong: false });
}

describe('a Sentinel', () => {
  it('with users and TLS is followed with the right credentials, and not with others', async (context) => {
    needs(context, 'redis-sentinel');
    const made = await certificates(context);
    const redis = await startRedis(cleanup);
    const tlsPort = await freePort();
    await startSentinel(cleanup, {
      config: [
        `sentinel monitor shard 127.0.0.1 ${redis.port} 1`,
        `tls-port ${tlsPort}`,
        `tls-cert-file ${made.certFile}`,
        `tls-key-file ${made.keyFile}`,
        `tls-ca-cert-file ${made.caFile}`,
        'user default off',
        'user proxy on >s3cret allchannels +@all',
      ].join('\n'),
    });
    const files = filesOf(made);
    const follow = (auth: string, tls: readonly string[]) =>
      startProxy(cleanup, [
        'redis: true',
        'hold_timeout: 300',
        `sentinels: [127.0.0.1:${tlsPort}]`,
        `sentinel_auth: ${auth}`,
        ...tls,
        ...servers('shard:1'),
      ]);
    const good = await follow('proxy s3cret', ['sentinel_tls:', ...files]);
    const client = new Talk(good.port, cleanup);
    client.send(req('SET', 'a', '1') + req('GET', 'a'));
    await client.gets(`+OK\r\n${bulk('1')}`);
    // Another connection, which has to prove that its server is a master as well.
    client.send(req('HELLO', 3));
    await client.reply();
    client.send(req('GET', 'a') + req('GET', 'none'));
    await client.gets(`${bulk('1')}_\r\n`);
    for (const [auth, tls] of [
      ['proxy wrong', ['sentinel_tls:', ...files]],
      ['proxy s3cret', ['sentinel_tls: true']],
    ] as const) {
      const { port } = await follow(auth, tls);
      const refused = new Talk(port, cleanup);
      refused.send(req('GET', 'a'));
      expect(await refused.line()).toContain("shard 'shard' has had no master for 300 ms");
    }
  });
});

describe('TLS towards servers', () => {
  it('carries requests, large values both ways, and a connection of the client’s own', async (context) => {
    const made = await certificates(context);
    const port = await startSecureRedis(made);
    const proxy = await startProxy(cleanup, [
      'redis: true',
      'server_tls:',
      ...filesOf(made),
      ...servers(`127.0.0.1:${port}:1`),
    ]);
    const client = new Talk(proxy.port, cleanup);
    const small = req('SET', 'a', '1') + req('GET', 'a');
    client.send(small.repeat(500));
    await client.gets(`+OK\r\n${bulk('1')}`.repeat(500));
    const large = 'x'.repeat(20 * 1024 * 1024);
    client.send(req('SET', 'large', large) + req('GET', 'large') + req('STRLEN', 'large'));
    await client.gets(`+OK\r\n${bulk(large)}:${large.length}\r\n`, 30_000);
    client.send(req('BLPOP', 'list', 0));
    await until(() => [...(proxy.pool.shards[0]?.allLinks() ?? [])].length === 2, { what: 'a second connection' });
    const other = new Talk(proxy.port, cleanup);
    other.send(req('RPUSH', 'list', 'e'));
    await client.gets(`*2\r\n${bulk('list')}${bulk('e')}`);
  });

  it('is refused when the certificate is not what it should be', async (context) => {
    const made = await certificates(context);
    const port = await startSecureRedis(made);
    const asks = async (tls: readonly string[]): Promise<string> => {
      const proxy = await startProxy(cleanup, ['redis: true', ...tls, ...servers(`127.0.0.1:${port}:1`)]);
      const client = new Talk(proxy.port, cleanup);
      client.send(req('SET', 'a', '1'));
      return client.line();
    };
    const [, ...identity] = filesOf(made);
    const named = (name: string) => ['server_tls:', ...filesOf(made), `    servername: ${name}`];
    expect(await asks(['server_tls:', ...identity])).toMatch(/^-ERR .*certificate/);
    expect(await asks(['server_tls:', ...identity, '    insecure: true'])).toBe('+OK');
    expect(await asks(named('other.example'))).toMatch(/^-ERR Hostname\/IP does not match certificate/);
    expect(await asks(named('localhost'))).toBe('+OK');
    expect(await asks(['server_tls:', ...filesOf(made).slice(0, 1)])).toMatch(/^-ERR /);
  });

  it('does not read a server for a client that does not read', async (context) => {
    const made = await certificates(context);
    const port = await startSecureRedis(made);
    const proxy = await startProxy(cleanup, [
      'redis: true',
      'server_tls:',
      ...filesOf(made),
      ...servers(`127.0.0.1:${port}:1`),
    ]);
    const large = 'x'.repeat(1024 * 1024);
    const socket = connectPlain(proxy.port, '127.0.0.1');
    cleanup.add(() => socket.destroy());
    socket.write(req('SET', 'large', large));
    await reads(socket, '+OK\r\n', 1);
    socket.pause();
    socket.write(req('GET', 'large').repeat(200));
    await until(() => proxy.pool.clients[0]?.heavy === true, { what: 'the client to be heavy', interval_ms: 5 });
    const stats = proxy.pool.shards[0]?.stats;
    expect(stats?.response_bytes).toBeLessThan(100 * 1024 * 1024);
    await reads(socket, bulk(large), 200);
  });
});

describe('TLS towards clients', () => {
  const listening = async (made: Certificates, lines: readonly string[]) => {
    const redis = await startRedis(cleanup);
    const port = await freePort();
    const proxy = await startProxy(cleanup, [
      'redis: true',
      `listen_tls: 127.0.0.1:${port}`,
      `tls_cert: ${made.certFile}`,
      `tls_key: ${made.keyFile}`,
      ...lines,
      ...servers(`127.0.0.1:${redis.port}:1`),
    ]);
    return { redis, port, proxy };
  };

  it('serves them as it serves plain ones', async (context) => {
    const made = await certificates(context);
    const { port, proxy } = await listening(made, [`tls_ca: ${made.caFile}`]);
    const client = tlsTalk(port, made);
    client.send((req('SET', 'a', '1') + req('GET', 'a')).repeat(2000));
    await client.gets(`+OK\r\n${bulk('1')}`.repeat(2000));
    const large = 'x'.repeat(20 * 1024 * 1024);
    client.send(req('SET', 'large', large) + req('GET', 'large') + req('QUIT'));
    await client.gets(`+OK\r\n${bulk(large)}+OK\r\n`, 30_000);
    await client.untilClosed();
    const plain = new Talk(proxy.port, cleanup);
    plain.send(req('GET', 'a'));
    await plain.gets(bulk('1'));
    // A request that is cut at each byte, in a record of its own.
    const slow = tlsTalk(port, made);
    for (const byte of req('GET', 'a')) {
      slow.send(byte);
      await new Promise((resolve) => slow.socket.write('', resolve));
    }
    await slow.gets(bulk('1'));
    // It sends no more, and still gets what it asked for.
    slow.send(req('GET', 'a').repeat(100));
    slow.socket.end();
    await slow.gets(bulk('1').repeat(100));
    await slow.untilClosed();
    await until(() => proxy.pool.stats.client_connections === 1, { what: 'the others to be gone' });
  });

  it('takes no more requests from one that does not read, and goes on when it does', async (context) => {
    const made = await certificates(context);
    const { port, proxy } = await listening(made, ['tls_auth_clients: no']);
    const socket = connect({ port, host: '127.0.0.1', ca: made.ca });
    cleanup.add(() => socket.destroy());
    const value = 'x'.repeat(4096);
    socket.write(req('SET', 'a', value));
    await reads(socket, '+OK\r\n', 1);
    socket.pause();
    socket.write(req('GET', 'a').repeat(20_000));
    const client = proxy.pool.clients[0];
    await until(() => client?.halted === 'output', { what: 'the client to be halted' });
    expect(proxy.pool.shards[0]?.stats.requests).toBeLessThan(15_000);
    await reads(socket, bulk(value), 20_000);
  });

  it('asks for certificates as it is told', async (context) => {
    const made = await certificates(context);
    const other = await certificates(context);
    const ping = async (port: number, options: ConnectionOptions): Promise<string> => {
      const client = tlsTalk(port, { ca: made.ca, ...options });
      client.send(req('PING'));
      return client.line();
    };
    const ours = { cert: made.cert, key: made.key };
    const strange = { cert: other.cert, key: other.key };
    for (const [clients, answers] of [
      ['yes', ['+PONG', '', '']],
      ['optional', ['+PONG', '', '+PONG']],
      ['no', ['+PONG', '+PONG', '+PONG']],
    ] as const) {
      const { port, proxy } = await listening(made, [`tls_ca: ${made.caFile}`, `tls_auth_clients: ${clients}`]);
      expect(await Promise.all([ours, strange, {}].map((each) => ping(port, each))), clients).toEqual(answers);
      const plain = new Talk(port, cleanup);
      plain.send(req('PING'));
      await plain.untilClosed();
      await until(() => proxy.pool.stats.client_connections <= 3, { what: 'no more clients than were let in' });
    }
  });

  it('shows a renewed certificate after a reload, and keeps who is connected', async (context) => {
    const [first, second] = [await certificates(context), await certificates(context)];
    const dir = tempDir(cleanup);
    const put = (made: Certificates) => {
      copyFileSync(made.certFile, join(dir, 'cert'));
      copyFileSync(made.keyFile, join(dir, 'key'));
    };
    put(first);
    const [redis, port] = [await startRedis(cleanup), await freePort()];
    const text = [
      'pool:',
      `listen_tls: 127.0.0.1:${port}`,
      `tls_cert: ${join(dir, 'cert')}`,
      `tls_key: ${join(dir, 'key')}`,
      'tls_auth_clients: no',
      'redis: true',
      `servers: ["127.0.0.1:${redis.port}:1"]`,
    ].join('\n  ');
    const proxy = await startProxyFrom(cleanup, text);
    const old = tlsTalk(port, { ca: first.ca });
    old.send(req('SET', 'a', '1'));
    await old.gets('+OK\r\n');
    put(second);
    await proxy.server.reload(parseNutcracker(text, 'test.yml'));
    const fresh = tlsTalk(port, { ca: second.ca });
    fresh.send(req('GET', 'a'));
    old.send(req('GET', 'a'));
    await fresh.gets(bulk('1'));
    await old.gets(bulk('1'));
  });
});
