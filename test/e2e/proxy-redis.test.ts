/** The Redis side of the proxy with real servers behind it. */
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.js';
import { Cleanup } from '../support/cleanup.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { bulk, req, reqOf, servers, startFake, startProxy, Talk, type TestProxy } from './proxy-support.js';

const cleanup = cleanupAfterEach();
let redises: RedisServer[] = [];
let proxy: TestProxy;

const shared = new Cleanup();
afterAll(() => shared.run());

beforeEach(async (context) => {
  needs(context, 'redis-server');
  if (redises.length === 0) redises = await Promise.all([1, 2, 3].map(() => startRedis(shared)));
  await Promise.all(redises.map((redis) => redis.cli('FLUSHALL')));
  proxy = await startProxy(cleanup, [
    'redis: true',
    'hash: md5',
    'hash_tag: "{}"',
    ...servers(...redises.map((redis, i) => `127.0.0.1:${redis.port}:1 shard${i}`)),
  ]);
});

function talk(port = proxy.port): Talk {
  return new Talk(port, cleanup);
}

/** Keys that lie on different shards. */
function keysApart(): [string, string, string] {
  const found = new Map<number, string>();
  for (let i = 0; found.size < 3; i++) {
    const key = Buffer.from(`k${i}`);
    found.set(proxy.pool.ring.pick(key, 0, key.length), key.toString());
  }
  return [found.get(0) ?? '', found.get(1) ?? '', found.get(2) ?? ''];
}

describe('requests', () => {
  it('are answered in order, over all shards, wherever the stream is cut', async () => {
    const prng = new Prng(1);
    let request = '';
    let reply = '';
    for (let i = 0; i < 40; i++) {
      const value = 'v'.repeat(prng.below(50));
      request += req('SET', `key:${i}`, value) + req('GET', `key:${i}`) + req('STRLEN', `key:${i}`);
      reply += `+OK\r\n${bulk(value)}:${value.length}\r\n`;
    }
    const one = talk();
    for (let at = 0; at < request.length; at++) one.send(request.charAt(at));
    await one.gets(reply);
    for (const size of [2, 3, 7, 11, 64, 1000]) {
      for (let at = 0; at < request.length; at += size) one.send(request.slice(at, at + size));
      await one.gets(reply);
    }
    one.send(request.repeat(200));
    await one.gets(reply.repeat(200));
    expect(redises.map((_, i) => (proxy.pool.shards[i]?.stats.requests ?? 0) > 0)).toEqual([true, true, true]);
  });

  it('of many clients never get each other’s replies', async () => {
    const clients = Array.from({ length: 50 }, talk);
    const work = clients.map(async (client, c) => {
      const prng = new Prng(c + 1);
      for (let round = 0; round < 20; round++) {
        let request = '';
        let reply = '';
        for (let i = prng.between(1, 40); i > 0; i--) {
          const key = `c${c}:${prng.below(100)}`;
          const value = `${c}-${round}-${i}`.repeat(prng.between(1, 30));
          request += req('SET', key, value) + req('GET', key);
          reply += `+OK\r\n${bulk(value)}`;
        }
        client.send(request);
        await client.gets(reply);
      }
    });
    await Promise.all(work);
  });

  it('with many keys are split over the shards and joined in order', async () => {
    const client = talk();
    const [a, b, c] = keysApart();
    client.send(req('MSET', a, '1', b, '2', c, '3'));
    await client.gets('+OK\r\n');
    expect(await Promise.all(redises.map((redis) => redis.cli('DBSIZE')))).toEqual([1, 1, 1]);
    client.send(req('MGET', c, 'none', a, b, c) + req('EXISTS', a, b, c, 'none', a) + req('TOUCH', a, b));
    await client.gets(`*5\r\n${bulk('3')}$-1\r\n${bulk('1')}${bulk('2')}${bulk('3')}:4\r\n:2\r\n`);
    client.send(req('UNLINK', a, b) + req('DEL', a, c) + req('MGET', a) + req('MSET', a) + req('MGET'));
    await client.gets(':2\r\n:1\r\n*1\r\n$-1\r\n');
    expect(await client.line()).toContain("wrong number of arguments for 'mset'");
    expect(await client.line()).toContain("wrong number of arguments for 'mget'");
  });

  it('with a hundred thousand keys are served', async () => {
    const client = talk();
    const keys = Array.from({ length: 100_000 }, (_, i) => `key:${i}`);
    client.send(reqOf(['MSET', ...keys.flatMap((key) => [key, key])]) + reqOf(['MGET', ...keys]));
    await client.gets(`+OK\r\n*${keys.length}\r\n${keys.map(bulk).join('')}`, 30_000);
  });

  it('may have empty and binary keys and values', async () => {
    const client = talk();
    client.send(
      Buffer.from('*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n\x00\xff\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n', 'latin1'),
    );
    await client.gets('+OK\r\n$4\r\n');
    await until(async () => (await redises[proxy.pool.ring.pick(Buffer.alloc(0), 0, 0)]?.cli('STRLEN', '')) === 4, {
      what: 'the empty key',
    });
  });

  it('that cannot be served get an error that says why, and the connection stays', async () => {
    const client = talk();
    const [a, b] = keysApart();
    const cases: [string, string][] = [
      [req('FOO', 'x'), "-ERR unknown command 'foo'"],
      [req('GET'), '-ERR wrong number'],
      [req('RENAME', a, b), "-ERR 'rename' needs all its keys on one shard, and these are on 2"],
      [req('CONFIG', 'GET', '*'), "-ERR 'config' is not served: it addresses one server"],
      [req('SSUBSCRIBE', 'x'), "-ERR 'ssubscribe' is not served"],
      [req('EVAL', 'return 1', '2', a, b), "-ERR 'eval' needs all its keys on one shard"],
      [req('XREAD', 'STREAMS', a), '-ERR syntax error'],
      [req('SELECT', 'x'), '-ERR invalid DB index'],
      [req('SELECT', '9999'), '-ERR'],
      [req('AUTH', 'x'), '-ERR Client sent AUTH, but no password is set'],
      [req('EXEC'), '-ERR EXEC without MULTI'],
      [req('HELLO', '4'), '-NOPROTO'],
    ];
    for (const [request, error] of cases) {
      client.send(request);
      expect(await client.line()).toContain(error);
    }
    client.send(req('PING'));
    await client.gets('+PONG\r\n');
  });

  it('that are no protocol get an error and the end', async () => {
    const client = talk();
    client.send(`${req('PING')}*1\r\n:x\r\n`);
    await client.gets("+PONG\r\n-ERR Protocol error: expected '$', got ':'\r\n");
    await client.untilClosed();
  });

  it('before QUIT are answered, even when the client has closed its side', async () => {
    const client = talk();
    client.socket.end(req('SET', 'a', '1') + req('GET', 'a') + req('QUIT') + req('GET', 'a'));
    await client.gets(`+OK\r\n${bulk('1')}+OK\r\n`);
    await client.untilClosed();
    const half = talk();
    half.socket.end(req('GET', 'a').repeat(100));
    await half.gets(bulk('1').repeat(100));
    await half.untilClosed();
  });
});

describe('commands of applications', () => {
  it('PING, ECHO, TIME, DBSIZE, KEYS, SCAN, RANDOMKEY, FLUSHALL, SELECT', async () => {
    const client = talk();
    client.send(req('PING') + req('PING', 'hi') + req('ECHO', 'x') + req('RANDOMKEY'));
    await client.gets(`+PONG\r\n${bulk('hi')}${bulk('x')}$-1\r\n`);
    const keys = Array.from({ length: 60 }, (_, i) => `s${i}`);
    client.send(req('MSET', ...keys.flatMap((key) => [key, '1'])) + req('DBSIZE'));
    await client.gets('+OK\r\n:60\r\n');
    const found = new Set<string>();
    let cursor = '0';
    do {
      client.send(req('SCAN', cursor, 'COUNT', '7', 'MATCH', 's*'));
      expect(await client.line()).toBe('*2');
      await client.line();
      cursor = await client.line();
      for (let left = Number((await client.line()).slice(1)); left > 0; left--) {
        await client.line();
        found.add(await client.line());
      }
    } while (cursor !== '0');
    expect([...found].sort()).toEqual([...keys].sort());
    client.send(req('KEYS', 's1'));
    await client.gets(`*1\r\n${bulk('s1')}`);
    client.send(req('SELECT', '3') + req('SET', 's1', 'three') + req('DBSIZE') + req('SELECT', '0') + req('GET', 's1'));
    await client.gets(`+OK\r\n+OK\r\n:1\r\n+OK\r\n${bulk('1')}`);
    client.send(req('FLUSHALL') + req('DBSIZE'));
    await client.gets('+OK\r\n:0\r\n');
  });

  it('several keys on one shard, scripts, streams', async () => {
    const client = talk();
    client.send(req('SET', '{t}a', '1') + req('RENAME', '{t}a', '{t}b') + req('GET', '{t}b'));
    await client.gets(`+OK\r\n+OK\r\n${bulk('1')}`);
    client.send(req('EVAL', 'return redis.call("get", KEYS[1])', '1', '{t}b') + req('SCRIPT', 'LOAD', 'return 7'));
    await client.gets(bulk('1'));
    await client.line();
    const sha = await client.line();
    client.send(req('EVALSHA', sha, '1', 'any') + req('SCRIPT', 'EXISTS', sha, '0'.repeat(40)));
    await client.gets(':7\r\n*2\r\n:1\r\n:0\r\n');
    client.send(req('XADD', 'st', '1-1', 'f', 'v') + req('XREAD', 'COUNT', '1', 'STREAMS', 'st', '0'));
    await client.gets(
      `${bulk('1-1')}*1\r\n*2\r\n${bulk('st')}*1\r\n*2\r\n${bulk('1-1')}*2\r\n${bulk('f')}${bulk('v')}`,
    );
  });

  it('transactions on one shard, and none on two', async () => {
    const client = talk();
    const [a, b] = keysApart();
    client.send(req('MULTI') + req('INCR', a) + req('INCR', a) + req('GET', a) + req('EXEC'));
    await client.gets(`+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n*3\r\n:1\r\n:2\r\n${bulk('2')}`);
    client.send(req('MULTI') + req('INCR', a) + req('DISCARD') + req('GET', a));
    await client.gets(`+OK\r\n+QUEUED\r\n+OK\r\n${bulk('2')}`);
    client.send(req('MULTI') + req('INCR', a) + req('INCR', b));
    await client.gets('+OK\r\n+QUEUED\r\n');
    expect(await client.line()).toContain('all keys of a transaction must be on one shard');
    client.send(req('EXEC') + req('GET', a));
    await client.gets(`-EXECABORT Transaction discarded because of previous errors.\r\n${bulk('2')}`);
    client.send(req('MULTI') + req('EXEC') + req('MULTI') + req('MULTI') + req('SET', a) + req('EXEC'));
    await client.gets('+OK\r\n*0\r\n+OK\r\n-ERR MULTI calls can not be nested\r\n+QUEUED\r\n');
    expect(await client.line()).toContain('EXECABORT');
  });

  it('WATCH sees what others write', async () => {
    const client = talk();
    const other = talk();
    client.send(req('SET', 'w', '1') + req('WATCH', 'w') + req('GET', 'w'));
    await client.gets(`+OK\r\n+OK\r\n${bulk('1')}`);
    other.send(req('SET', 'w', '2'));
    await other.gets('+OK\r\n');
    client.send(req('MULTI') + req('SET', 'w', '3') + req('EXEC') + req('GET', 'w'));
    await client.gets(`+OK\r\n+QUEUED\r\n*-1\r\n${bulk('2')}`);
    client.send(req('WATCH', 'w') + req('MULTI') + req('SET', 'w', '4') + req('EXEC') + req('GET', 'w'));
    await client.gets(`+OK\r\n+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n${bulk('4')}`);
  });

  it('subscriptions by name and pattern, and back to ordinary requests', async () => {
    const subscriber = talk();
    const publisher = talk();
    const told = (verb: string, topic: string, count: number) => `*3\r\n${bulk(verb)}${bulk(topic)}:${count}\r\n`;
    subscriber.send(req('GET', 'x') + req('SUBSCRIBE', 'a', 'b') + req('PSUBSCRIBE', 'n*'));
    await subscriber.gets('$-1\r\n');
    await subscriber.gets(told('subscribe', 'a', 1) + told('subscribe', 'b', 2) + told('psubscribe', 'n*', 3));
    subscriber.send(req('GET', 'x'));
    expect(await subscriber.line()).toContain("-ERR Can't execute 'get': only (P)SUBSCRIBE");
    subscriber.send(req('PING'));
    await subscriber.gets(`*2\r\n${bulk('pong')}${bulk('')}`);
    publisher.send(req('PUBLISH', 'a', 'hello') + req('PUBLISH', 'news', 'world') + req('PUBLISH', 'zzz', '-'));
    await publisher.gets(':1\r\n:1\r\n:0\r\n');
    await subscriber.gets(`*3\r\n${bulk('message')}${bulk('a')}${bulk('hello')}`);
    await subscriber.gets(`*4\r\n${bulk('pmessage')}${bulk('n*')}${bulk('news')}${bulk('world')}`);
    subscriber.send(req('UNSUBSCRIBE', 'a', 'b') + req('PUNSUBSCRIBE'));
    await subscriber.gets(told('unsubscribe', 'a', 2) + told('unsubscribe', 'b', 1) + told('punsubscribe', 'n*', 0));
    subscriber.send(req('SET', 'x', '1') + req('GET', 'x'));
    await subscriber.gets(`+OK\r\n${bulk('1')}`);
  });

  it('blocking commands keep nobody else waiting, and end with their client', async () => {
    const [a] = keysApart();
    const blocked = talk();
    const gone = talk();
    const other = talk();
    gone.send(req('BLPOP', a, '0'));
    await until(() => proxy.pool.stats.client_connections >= 1, { what: 'the client' });
    await until(async () => (await redises[0]?.info('clients'))?.['blocked_clients'] === '1', {
      what: 'a blocked one',
    });
    gone.socket.destroy();
    await until(async () => (await redises[0]?.info('clients'))?.['blocked_clients'] === '0', { what: 'its end' });
    blocked.send(req('BLPOP', a, '0') + req('GET', 'x'));
    await until(async () => (await redises[0]?.info('clients'))?.['blocked_clients'] === '1', {
      what: 'a blocked one',
    });
    other.send(req('LPUSH', a, 'e'));
    await other.gets(':1\r\n');
    await blocked.gets(`*2\r\n${bulk(a)}${bulk('e')}$-1\r\n`);
  });
});

describe('large values', () => {
  it('are passed on as they come, both ways, with little memory', async () => {
    const size = 100 * 1024 * 1024;
    const client = talk();
    let received = 0;
    client.socket.removeAllListeners('data');
    client.socket.on('data', (bytes) => {
      received += bytes.length;
    });
    client.send(`*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${size}\r\n`);
    const chunk = Buffer.alloc(256 * 1024, 'x');
    const before = process.memoryUsage().rss;
    let peak = before;
    const sample = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 5);
    for (let sent = 0; sent < size; sent += chunk.length) {
      if (!client.socket.write(chunk)) await new Promise((resolve) => client.socket.once('drain', resolve));
    }
    client.send('\r\n');
    await until(() => received === 5, { what: '+OK' });
    client.send(req('GET', 'big') + req('STRLEN', 'big'));
    const header = `$${size}\r\n`.length;
    await until(() => received === 5 + header + size + 2 + `:${size}\r\n`.length, {
      what: 'the value',
      deadline_ms: 30_000,
    });
    clearInterval(sample);
    expect((peak - before) / 1048576).toBeLessThan(60);
    expect(proxy.pool.joins.size).toBe(0);
  });

  it('are written before what comes behind them is read', async () => {
    const client = talk();
    const value = 'x'.repeat(10_000_000);
    client.send(req('SET', 'v', value) + req('STRLEN', 'v') + req('GET', 'v'));
    await client.gets(`+OK\r\n:${value.length}\r\n${bulk(value)}`);
  });

  it('of a client that leaves in the middle are dropped', async () => {
    const client = talk();
    client.send(`*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$1000000\r\n${'x'.repeat(500_000)}`);
    await until(() => proxy.pool.shards.some((shard) => [...shard.allLinks()].some((link) => link.owner !== null)), {
      what: 'a connection of its own',
    });
    client.socket.destroy();
    await until(() => proxy.pool.stats.client_connections === 0, { what: 'the end of the client' });
    const other = talk();
    other.send(req('EXISTS', 'big') + req('SET', 'big', 'small') + req('GET', 'big'));
    await other.gets(`:0\r\n+OK\r\n${bulk('small')}`);
  });

  it('and many small ones are not asked for while the client does not read', async () => {
    const lazy = talk();
    const value = 'x'.repeat(4096);
    lazy.send(req('SET', 'v', value));
    await lazy.gets('+OK\r\n');
    lazy.socket.pause();
    lazy.send(req('GET', 'v').repeat(20_000));
    await until(() => proxy.pool.clients[0]?.halted === 'output', { what: 'the client to be halted' });
    expect(proxy.pool.clients[0]?.heavy).toBe(false);
    let received = 0;
    lazy.socket.removeAllListeners('data');
    lazy.socket.on('data', (bytes) => {
      received += bytes.length;
    });
    lazy.socket.resume();
    await until(() => received === bulk(value).length * 20_000, { what: 'all replies', deadline_ms: 30_000 });
  });

  it('asked for by one who does not read are not gathered', async () => {
    const value = 'x'.repeat(1_000_000);
    const lazy = talk();
    lazy.send(req('SET', 'v', value));
    await lazy.gets('+OK\r\n');
    lazy.socket.pause();
    const before = process.memoryUsage().rss;
    lazy.send(req('GET', 'v').repeat(1000));
    await until(() => proxy.pool.stats.client_err > 0, { what: 'the lazy client to be closed' });
    expect((process.memoryUsage().rss - before) / 1048576).toBeLessThan(100);
    const other = talk();
    other.send(req('STRLEN', 'v'));
    await other.gets(':1000000\r\n');
  });
});

describe('clients', () => {
  it('may leave with replies outstanding', async () => {
    for (let round = 0; round < 20; round++) {
      const leaving = talk();
      leaving.send(req('SET', `l${round}`, 'x'.repeat(10_000)) + req('GET', `l${round}`).repeat(200));
      if (round % 2 === 0) await leaving.line();
      leaving.socket.destroy();
    }
    const staying = talk();
    staying.send(req('ECHO', 'still here') + req('GET', 'none'));
    await staying.gets(`${bulk('still here')}$-1\r\n`);
    await until(() => proxy.pool.clients.filter((client) => client !== undefined).length === 1, { what: 'free slots' });
  });

  it('authenticate when the pool has a password, which the servers get as well', async () => {
    const guarded = await startRedis(cleanup, { config: { requirepass: 'secret' } });
    const { port } = await startProxy(cleanup, [
      'redis: true',
      'redis_auth: secret',
      ...servers(`127.0.0.1:${guarded.port}:1`),
    ]);
    const client = talk(port);
    client.send(
      req('GET', 'a') + req('AUTH', 'wrong') + req('AUTH', 'secret') + req('SET', 'a', '1') + req('GET', 'a'),
    );
    await client.gets(`-NOAUTH Authentication required\r\n-ERR invalid password\r\n+OK\r\n+OK\r\n${bulk('1')}`);
  });

  it('are refused beyond client_connections', async () => {
    const { port } = await startProxy(cleanup, [
      'redis: true',
      'client_connections: 2',
      ...servers(`127.0.0.1:${redises[0]?.port}:1`),
    ]);
    const [one, two] = [talk(port), talk(port)];
    for (const client of [one, two]) {
      client.send(req('PING'));
      await client.gets('+PONG\r\n');
    }
    await talk(port).untilClosed();
    one.socket.destroy();
    await until(
      async () => {
        const again = talk(port);
        again.send(req('PING'));
        return (await again.line()) === '+PONG';
      },
      { what: 'a place to become free' },
    );
  });
});

describe('servers', () => {
  it('that are down give nutcracker’s error, and are used again when they are up', async () => {
    const [a] = keysApart();
    const client = talk();
    client.send(req('SET', a, '1'));
    await client.gets('+OK\r\n');
    await redises[0]?.kill9();
    client.send(req('GET', a));
    expect(await client.line()).toMatch(/^-ERR Connection (refused|reset by peer)$/);
    client.send(req('GET', a) + req('PING'));
    await client.gets('-ERR Connection refused\r\n+PONG\r\n');
    await redises[0]?.restart();
    client.send(req('GET', a));
    await client.gets('$-1\r\n');
  });

  it('that do not answer in time give an error', async () => {
    const silent = await startFake(cleanup, (socket) => socket.resume());
    const { port, pool } = await startProxy(cleanup, [
      'redis: true',
      'timeout: 100',
      ...servers(`127.0.0.1:${silent.port}:1`),
    ]);
    const client = talk(port);
    client.send(req('GET', 'a') + req('MGET', 'a', 'b'));
    await client.gets('-ERR Connection timed out\r\n-ERR Connection timed out\r\n');
    expect(pool.shards[0]?.stats.server_timedout).toBe(1);
  });

  it('that do not answer hold back nothing of what others have answered', async () => {
    const silent = await startFake(cleanup, (socket) => socket.resume());
    const { port, pool } = await startProxy(cleanup, [
      'redis: true',
      // The usual hash may send all keys that are so alike to one server.
      'hash: md5',
      ...servers(`127.0.0.1:${redises[0]?.port}:1`, `127.0.0.1:${silent.port}:1`),
    ]);
    const keys = Array.from({ length: 64 }, (_, i) => `k${i}`);
    const keyOf = (shard: number) =>
      keys.find((key) => pool.ring.pick(Buffer.from(key), 0, key.length) === shard) ?? '';
    const client = talk(port);
    client.send(req('GET', keyOf(0)) + req('GET', keyOf(0)) + req('GET', keyOf(1)) + req('GET', keyOf(0)));
    await client.gets('$-1\r\n$-1\r\n');
    expect(pool.clients[0]?.inFlight).toBe(2);
  });

  it.each([
    ['garbage', 'hello there\r\n'],
    ['too much', '+OK\r\n+OK\r\n'],
  ])('that send %s are cut off, and no client gets it', async (_name, bytes) => {
    const odd = await startFake(cleanup, (socket) => {
      socket.on('data', () => socket.write(bytes));
    });
    const { port, pool } = await startProxy(cleanup, ['redis: true', ...servers(`127.0.0.1:${odd.port}:1`)]);
    const client = talk(port);
    client.send(req('SET', 'a', '1'));
    const line = await client.line();
    expect(['+OK', '-ERR the server sent something that is no reply']).toContain(line);
    await until(() => pool.shards[0]?.stats.server_err === 1, { what: 'the error to be counted' });
    client.send(req('PING'));
    await client.gets('+PONG\r\n');
  });

  it('that break off in the middle of a reply end its client, and others get an error', async () => {
    const odd = await startFake(cleanup, (socket) => {
      socket.on('data', () => {
        socket.write('$10\r\nabc');
        setTimeout(() => socket.destroy(), 50);
      });
    });
    const { port } = await startProxy(cleanup, ['redis: true', ...servers(`127.0.0.1:${odd.port}:1`)]);
    const [first, second] = [talk(port), talk(port)];
    first.send(req('GET', 'a'));
    await first.gets('$10\r\nabc');
    second.send(req('GET', 'a'));
    await first.untilClosed();
    expect(await second.line()).toMatch(/^-ERR/);
  });

  it('are ejected after so many failures, and come back', async () => {
    const ejecting = await startProxy(cleanup, [
      'redis: true',
      'hash: md5',
      'auto_eject_hosts: true',
      'server_failure_limit: 2',
      'server_retry_timeout: 300',
      ...servers(...redises.map((redis, i) => `127.0.0.1:${redis.port}:1 shard${i}`)),
    ]);
    const [a] = keysApart();
    const client = talk(ejecting.port);
    await redises[0]?.kill9();
    for (let i = 0; i < 2; i++) {
      client.send(req('SET', a, '1'));
      await client.gets('-ERR Connection refused\r\n');
    }
    client.send(req('SET', a, '2'));
    await client.gets('+OK\r\n');
    expect(ejecting.pool.stats.server_ejects).toBe(1);
    await redises[0]?.restart();
    await until(() => ejecting.pool.ring.isLive(0), { what: 'the retry' });
    client.send(req('GET', a));
    await client.gets('$-1\r\n');
  });
});
