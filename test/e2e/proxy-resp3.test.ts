/** Clients that speak RESP3, beside a real server and beside clients that do not. */
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { startRedis } from '../support/redis-server.js';
import { until } from '../support/until.js';
import { bulk, req, servers, startFake, startProxy, Talk } from './proxy-support.js';

const cleanup = cleanupAfterEach();

/** Replies of every type, and those that the proxy makes or joins itself. */
const CONVERSATION: readonly (readonly (string | number)[])[] = [
  ['HSET', 'h', 'f', 'v', 'g', 'w'],
  ['HGETALL', 'h'],
  ['HGETALL', 'none'],
  ['HRANDFIELD', 'h', 0, 'WITHVALUES'],
  ['SADD', 's', 'a'],
  ['SMEMBERS', 's'],
  ['ZADD', 'z', 1.5, 'a', 'inf', 'b'],
  ['ZSCORE', 'z', 'a'],
  ['ZSCORE', 'z', 'b'],
  ['ZSCORE', 'z', 'none'],
  ['ZRANGE', 'z', 0, -1, 'WITHSCORES'],
  ['ZADD', 'z', 'INCR', 1, 'a'],
  ['GET', 'none'],
  ['MGET', 'a', 'none', 'b'],
  ['MSET', 'a', 1, 'b', 2],
  ['MGET', 'a', 'none', 'b'],
  ['RANDOMKEY'],
  ['KEYS', 'z'],
  ['EXISTS', 'a', 'b', 'none'],
  ['EVAL', 'redis.setresp(3); return redis.call("hgetall", KEYS[1])', 1, 'h'],
  ['EVAL', 'return {true, false, {double=3.5}}', 0],
  ['SCRIPT', 'EXISTS', 'x'],
  ['MULTI'],
  ['HGETALL', 'h'],
  ['GET', 'none'],
  ['EXEC'],
  ['WATCH', 'a'],
  ['SET', 'a', 3],
  ['MULTI'],
  ['GET', 'a'],
  ['EXEC'],
  ['BLPOP', 'none', 0.01],
  ['XADD', 'x', '1-1', 'f', 'v'],
  ['XREAD', 'STREAMS', 'x', 0],
  ['CLIENT', 'GETNAME'],
  ['UNSUBSCRIBE'],
  ['PING'],
  ['SUBSCRIBE', 'c'],
  ['PING'],
  ['UNSUBSCRIBE', 'c'],
  ['FLUSHALL'],
  ['RANDOMKEY'],
  ['SELECT', 1],
  ['GET', 'none'],
  ['SELECT', 0],
  ['RESET'],
  ['GET', 'none'],
];

async function startShards(count: number) {
  const redises = await Promise.all(Array.from({ length: count }, () => startRedis(cleanup)));
  const list = servers(...redises.map(({ port }, i) => `127.0.0.1:${port}:1 shard${i}`));
  return { redises, proxy: await startProxy(cleanup, ['redis: true', 'hash: md5', ...list]) };
}

describe('RESP3', () => {
  it.for([1, 3])('is spoken as a server speaks it, over %i shards', async (count, context) => {
    needs(context, 'redis-server');
    const [{ proxy }, real] = [await startShards(count), await startRedis(cleanup)];
    const [theirs, ours] = [new Talk(real.port, cleanup), new Talk(proxy.port, cleanup)];
    for (const talk of [theirs, ours]) {
      talk.send(req('HELLO', 3));
      const hello = await talk.reply();
      expect(hello.slice(0, 4)).toBe('%7\r\n');
      expect(hello).toContain('$5\r\nproto\r\n:3\r\n');
    }
    for (const request of CONVERSATION) {
      theirs.send(req(...request));
      ours.send(req(...request));
      const reply = await theirs.reply();
      if (request[0] === 'RANDOMKEY' && reply !== '_\r\n') expect(await ours.reply()).toMatch(/^\$1\r\n/);
      else
        await ours.gets(reply).catch((error: Error) => {
          throw new Error(`${JSON.stringify(request)}: ${error.message}`);
        });
    }
  });

  it('and RESP2 are kept apart, whoever shares the servers, and a client may change between them', async (context) => {
    needs(context, 'redis-server');
    const { proxy } = await startShards(2);
    const [two, three] = [new Talk(proxy.port, cleanup), new Talk(proxy.port, cleanup)];
    three.send(req('HELLO', 3));
    await three.reply();
    two.send(req('HSET', 'h', 'f', 'v'));
    await two.gets(':1\r\n');
    const request = (req('HGETALL', 'h') + req('MGET', 'a', 'b', 'c')).repeat(100);
    two.send(request);
    three.send(request);
    await two.gets(`*2\r\n${bulk('f')}${bulk('v')}*3\r\n$-1\r\n$-1\r\n$-1\r\n`.repeat(100));
    await three.gets(`%1\r\n${bulk('f')}${bulk('v')}*3\r\n_\r\n_\r\n_\r\n`.repeat(100));
    // A change waits for what came before it, and what comes behind sees what was written.
    three.send(req('SET', 'a', 1) + req('HELLO', 2) + req('GET', 'a') + req('GET', 'none') + req('HELLO', 3));
    await three.gets('+OK\r\n');
    expect((await three.reply()).slice(0, 5)).toBe('*14\r\n');
    await three.gets(`${bulk('1')}$-1\r\n`);
    expect(await three.reply()).toContain(':3\r\n');
    three.send(req('HELLO', 4) + req('HELLO', 'x') + req('HELLO') + req('GET', 'none'));
    await three.gets('-NOPROTO unsupported protocol version\r\n-NOPROTO unsupported protocol version\r\n');
    expect(await three.reply()).toContain(':3\r\n');
    await three.gets('_\r\n');
  });

  it('brings messages as pushes', async (context) => {
    needs(context, 'redis-server');
    const { proxy } = await startShards(2);
    const [listener, speaker] = [new Talk(proxy.port, cleanup), new Talk(proxy.port, cleanup)];
    listener.send(req('HELLO', 3));
    await listener.reply();
    listener.send(req('SUBSCRIBE', 'a', 'b') + req('PSUBSCRIBE', 'p*'));
    const heard = (kind: string, topic: string, n: number) => `>3\r\n${bulk(kind)}${bulk(topic)}:${n}\r\n`;
    await listener.gets(heard('subscribe', 'a', 1) + heard('subscribe', 'b', 2) + heard('psubscribe', 'p*', 3));
    speaker.send(req('PUBLISH', 'a', 'm') + req('PUBLISH', 'px', 'n'));
    await speaker.gets(':1\r\n:1\r\n');
    await listener.gets(`>3\r\n${bulk('message')}${bulk('a')}${bulk('m')}`);
    await listener.gets(`>4\r\n${bulk('pmessage')}${bulk('p*')}${bulk('px')}${bulk('n')}`);
    listener.send(req('UNSUBSCRIBE') + req('PUNSUBSCRIBE', 'p*'));
    expect((await listener.reply()) + (await listener.reply())).toMatch(/:2\r\n>3\r\n\$11\r\nunsubscribe/);
    await listener.gets(heard('punsubscribe', 'p*', 0));
    listener.send(req('GET', 'none'));
    await listener.gets('_\r\n');
  });

  it('lets a subscriber send anything, and keeps messages and replies whole', async (context) => {
    needs(context, 'redis-server');
    const { proxy } = await startShards(2);
    const [listener, speaker] = [new Talk(proxy.port, cleanup), new Talk(proxy.port, cleanup)];
    listener.send(req('HELLO', 3));
    await listener.reply();
    listener.send(req('SUBSCRIBE', 'a'));
    await listener.gets(`>3\r\n${bulk('subscribe')}${bulk('a')}:1\r\n`);
    const large = 'x'.repeat(700_000);
    listener.send(req('SET', 'k', large) + req('PING') + req('MULTI') + req('GET', 'n') + req('EXEC'));
    await listener.gets('+OK\r\n+PONG\r\n+OK\r\n+QUEUED\r\n*1\r\n_\r\n');
    listener.send(req('WATCH', 'k') + req('UNWATCH') + req('BLPOP', 'list', '0.01') + req('HELLO', 2));
    await listener.gets('+OK\r\n+OK\r\n_\r\n-ERR a change of the protocol is not served with subscriptions\r\n');
    // Messages of several sizes come while large replies are on their way.
    const rounds = 40;
    for (let i = 0; i < rounds; i++) {
      listener.send(req('GET', 'k'));
      speaker.send(req('PUBLISH', 'a', `m${i}`.padEnd(i % 4 === 0 ? 100_000 : 10)));
    }
    let [replies, messages] = [0, 0];
    while (replies < rounds || messages < rounds) {
      const got = await listener.reply();
      if (got.startsWith('>')) expect(got.replace(/\s+/g, ' ')).toContain(` m${messages++} `);
      else expect(got === bulk(large), `reply ${replies++}`).toBe(true);
    }
    listener.send(req('RESET') + req('GET', 'none'));
    await listener.gets('+RESET\r\n$-1\r\n');
    await speaker.gets(':1\r\n'.repeat(rounds));
    speaker.send(req('PUBLISH', 'a', 'm'));
    await speaker.gets(':0\r\n');
  });

  it('puts no message into a reply, and no reply into a message, wherever they are cut', async () => {
    const open = new Map<'subscriber' | 'shared', Socket>();
    const fake = await startFake(cleanup, (socket) => {
      socket.on('data', (bytes) => {
        const text = bytes.toString();
        if (text.includes('HELLO')) socket.write('%0\r\n');
        if (text.includes('SUBSCRIBE')) {
          open.set('subscriber', socket);
          socket.write(`>3\r\n${bulk('subscribe')}${bulk('a')}:1\r\n`);
        }
        if (text.includes('GET')) open.set('shared', socket);
      });
    });
    const proxy = await startProxy(cleanup, ['redis: true', ...servers(`127.0.0.1:${fake.port}:1`)]);
    const received = () => proxy.pool.shards[0]?.stats.response_bytes ?? 0;
    const say = async (from: 'subscriber' | 'shared', text: string): Promise<void> => {
      await until(() => open.has(from), { what: `the ${from} connection` });
      const before = received();
      open.get(from)?.write(text);
      await until(() => received() === before + text.length, { what: 'the proxy to have it' });
    };
    const client = new Talk(proxy.port, cleanup);
    client.send(req('HELLO', 3));
    await client.reply();
    client.send(req('SUBSCRIBE', 'a'));
    await client.gets(`>3\r\n${bulk('subscribe')}${bulk('a')}:1\r\n`);
    client.send(req('GET', 'k'));
    await until(() => open.has('shared'), { what: 'the shared connection' });
    await say('subscriber', `>3\r\n${bulk('message')}${bulk('a')}$4\r\nme`);
    await say('shared', bulk('value'));
    await client.gets(bulk('value'));
    await say('subscriber', 'ss\r\n');
    await client.gets(`>3\r\n${bulk('message')}${bulk('a')}${bulk('mess')}`);
    open.delete('shared');
    client.send(req('GET', 'k'));
    await say('shared', '$5\r\nva');
    await client.gets('$5\r\nva');
    await say('subscriber', `>3\r\n${bulk('message')}${bulk('a')}${bulk('mess')}`);
    await say('shared', 'lue\r\n');
    await client.gets(`lue\r\n>3\r\n${bulk('message')}${bulk('a')}${bulk('mess')}`);
  });

  it('replies reach the client whole, wherever they are cut', async () => {
    const reply =
      '|1\r\n+ttl\r\n:3600\r\n%2\r\n+a\r\n~2\r\n,1.5\r\n,-inf\r\n+b\r\n*6\r\n_\r\n#t\r\n(12345678901234567890\r\n' +
      '=7\r\ntxt:abc\r\n!3\r\nERR\r\n-ERR x\r\n';
    let cut = 0;
    const answer = (socket: Socket, text: string): void => {
      if (text.includes('HELLO')) socket.write('%1\r\n+proto\r\n:3\r\n');
      if (!text.includes('GET')) return;
      const at = cut++;
      socket.write(reply.slice(0, at));
      setImmediate(() => socket.write(reply.slice(at)));
    };
    const fake = await startFake(cleanup, (socket) => {
      socket.setNoDelay(true);
      socket.on('data', (bytes) => answer(socket, bytes.toString()));
    });
    const proxy = await startProxy(cleanup, ['redis: true', ...servers(`127.0.0.1:${fake.port}:1`)]);
    const client = new Talk(proxy.port, cleanup);
    client.send(req('HELLO', 3));
    await client.reply();
    for (let i = 0; i < reply.length; i++) {
      client.send(req('GET', 'a'));
      await client.gets(reply);
    }
  });

  it('from a server that does not know it is an error that says so, and RESP2 goes on', async () => {
    const fake = await startFake(cleanup, (socket) => {
      socket.on('data', (bytes) =>
        socket.write(bytes.toString().includes('HELLO') ? "-ERR unknown command 'HELLO'\r\n" : '$-1\r\n'),
      );
    });
    const proxy = await startProxy(cleanup, ['redis: true', ...servers(`127.0.0.1:${fake.port}:1`)]);
    const client = new Talk(proxy.port, cleanup);
    client.send(req('HELLO', 3));
    await client.reply();
    client.send(req('GET', 'a'));
    await client.gets("-ERR unknown command 'HELLO'\r\n");
    client.send(req('HELLO', 2) + req('GET', 'a'));
    expect((await client.reply()).slice(0, 5)).toBe('*14\r\n');
    await client.gets('$-1\r\n');
  });
});
