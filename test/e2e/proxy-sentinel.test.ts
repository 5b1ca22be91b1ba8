/** A pool that follows real Sentinels: masters die, and its clients see a pause. */
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePorts } from '../support/free-port.js';
import { needs } from '../support/needs.js';
import type { Peer } from '../support/peers.js';
import { type SentinelProcess, startSentinel } from '../support/redis-sentinel.js';
import { type RedisServer, startReplicated } from '../support/redis-server.js';
import { tanistSentinel } from '../support/tanist.js';
import { until } from '../support/until.js';
import { bulk, req, servers, startProxy, Talk, type TestProxy } from './proxy-support.js';

const cleanup = cleanupAfterEach();

interface Cluster {
  readonly one: RedisServer[];
  readonly two: RedisServer[];
  readonly sentinels: SentinelProcess[];
  readonly proxy: TestProxy;
}

/** Two shards, three Sentinels, a proxy; the first shard has three replicas to lose. */
async function startCluster(
  replicas: [number, number],
  extra: readonly string[] = [],
  program?: Peer,
): Promise<Cluster> {
  const [one, two] = await Promise.all(replicas.map((count) => startReplicated(cleanup, { replicas: count })));
  if (one === undefined || two === undefined) throw new Error('two shards');
  const shards = [
    ['shard_one', one[0]],
    ['shard_two', two[0]],
  ] as const;
  const config = shards
    .map(
      ([name, master]) =>
        `sentinel monitor ${name} 127.0.0.1 ${master?.port} 2\nsentinel down-after-milliseconds ${name} 300\nsentinel failover-timeout ${name} 1000`,
    )
    .join('\n');
  const ports = await freePorts(3);
  const sentinels = await Promise.all(
    ports.map((port) => startSentinel(cleanup, { config, port, ...(program === undefined ? {} : { program }) })),
  );
  await until(
    async () => {
      for (const sentinel of sentinels) {
        for (const [i, [name]] of shards.entries()) {
          const fields = await sentinel.fields('SENTINEL', 'MASTER', name);
          if (fields['num-other-sentinels'] !== '2' || fields['num-slaves'] !== String(replicas[i])) return false;
        }
      }
      return true;
    },
    { what: 'the sentinels to know each other and the replicas', deadline_ms: 20_000 },
  );
  const proxy = await startProxy(cleanup, [
    'redis: true',
    'hash: md5',
    `sentinels: [${ports.map((port) => `127.0.0.1:${port}`).join(', ')}]`,
    ...extra,
    ...servers('shard_one:1', 'shard_two:1'),
  ]);
  return { one, two, sentinels, proxy };
}

function keysOf(proxy: TestProxy): [string, string] {
  const found = new Map<number, string>();
  for (let i = 0; found.size < 2; i++) {
    const key = Buffer.from(`huang${i}`);
    found.set(proxy.pool.ring.pick(key, 0, key.length), key.toString());
  }
  return [found.get(0) ?? '', found.get(1) ?? ''];
}

/** Asks for both keys without a pause; every answer must be right. */
class Reader {
  answers = 0;
  #stop = false;
  readonly #done: Promise<void>;

  constructor(talk: Talk, keys: readonly string[], values: readonly string[]) {
    this.#done = this.#run(talk, keys, values);
  }

  async #run(talk: Talk, keys: readonly string[], values: readonly string[]): Promise<void> {
    while (!this.#stop) {
      talk.send(keys.map((key) => req('GET', key)).join(''));
      await talk.gets(values.map(bulk).join(''), 20_000);
      this.answers++;
    }
  }

  async stop(): Promise<void> {
    this.#stop = true;
    await this.#done;
  }
}

beforeEach((context) => {
  needs(context, 'redis-server');
  needs(context, 'redis-sentinel');
});

/** How many of these servers have the key. WAIT would not tell: it knows only of the writes of its own connection. */
async function holders(servers: readonly RedisServer[], key: string, value: string): Promise<number> {
  const got = await Promise.all(servers.map((redis) => redis.cli('GET', key).catch(() => null)));
  return got.filter((each) => each === value).length;
}

async function replicated(replicas: readonly RedisServer[], key: string, value: string): Promise<void> {
  await until(async () => (await holders(replicas, key, value)) === replicas.length, {
    what: 'the replicas to have the key',
  });
}

describe('a pool that follows sentinels', () => {
  it('goes on with one client connection while a shard loses its master three times', async () => {
    // The Sentinels beside which it stands are the originals: an election that splits is repeated after two seconds.
    const { one, proxy } = await startCluster([3, 1], ['hold_timeout: 15000']);
    const client = new Talk(proxy.port, cleanup);
    const writer = new Talk(proxy.port, cleanup);
    const [a, b] = keysOf(proxy);
    client.send(req('SET', a, 'dc') + req('SET', b, 'other'));
    await client.gets('+OK\r\n+OK\r\n');
    await replicated(one.slice(1), a, 'dc');
    const subscriber = new Talk(proxy.port, cleanup);
    subscriber.send(req('SUBSCRIBE', 'news') + req('PSUBSCRIBE', 'p*'));
    await subscriber.gets(
      `*3\r\n${bulk('subscribe')}${bulk('news')}:1\r\n*3\r\n${bulk('psubscribe')}${bulk('p*')}:2\r\n`,
    );
    const reader = new Reader(client, [a, b], ['dc', 'other']);
    for (let round = 1; round <= 3; round++) {
      const port = Number(proxy.pool.shards[0]?.addressText.split(':')[1]);
      const master = one.find((redis) => redis.port === port);
      const before = reader.answers;
      await master?.kill9();
      // Not yet sent when the master died: it waits for the next one.
      writer.send(req('SET', `${a}`, 'dc') + req('MSET', a, 'dc', b, 'other') + req('GET', a));
      await writer.gets(`+OK\r\n+OK\r\n${bulk('dc')}`, 20_000);
      expect(Number(proxy.pool.shards[0]?.addressText.split(':')[1])).not.toBe(port);
      await until(() => reader.answers > before + 10, { what: 'the reader to go on' });
      const address = proxy.pool.shards[0]?.addressText;
      const next = one.find((redis) => address === `127.0.0.1:${redis.port}`);
      // Subscriptions have come along: a message reaches whoever has subscribed again by then.
      await until(
        async () => {
          writer.send(req('PUBLISH', 'news', `round ${round}`));
          return (await writer.line()) === ':1';
        },
        { what: 'the subscriber to be back' },
      );
      await subscriber.gets(`*3\r\n${bulk('message')}${bulk('news')}${bulk(`round ${round}`)}`);
      if (round === 3) break;
      await until(async () => Number((await next?.info('replication'))?.['connected_slaves']) > 0, {
        what: 'a replica to follow',
      });
      const alive = one.filter((redis) => redis !== master && redis !== next);
      await until(async () => (await holders(alive, a, 'dc')) > 0, { what: 'a replica with the data' });
    }
    await reader.stop();
    expect(proxy.pool.stats).toMatchObject({ forward_error: 0, client_eof: 0, client_err: 0 });
  }, 90_000);

  it('goes on when Tanist’s own Sentinels fail a master over', async () => {
    const { two, proxy } = await startCluster([1, 1], [], tanistSentinel);
    const client = new Talk(proxy.port, cleanup);
    const [a, b] = keysOf(proxy);
    client.send(req('SET', a, 'dc') + req('SET', b, 'other'));
    await client.gets('+OK\r\n+OK\r\n');
    await replicated(two.slice(1), b, 'other');
    const reader = new Reader(client, [a, b], ['dc', 'other']);
    await two[0]?.kill9();
    await until(() => proxy.pool.shards[1]?.addressText === `127.0.0.1:${two[1]?.port}`, { what: 'the next master' });
    const before = reader.answers;
    await until(() => reader.answers > before + 10, { what: 'the reader to go on' });
    await reader.stop();
    expect(proxy.pool.stats).toMatchObject({ forward_error: 0, client_eof: 0, client_err: 0 });
  }, 60_000);

  it('holds requests from the moment that a master is about to be handed over, and goes on when it stays', async () => {
    const { one, sentinels, proxy } = await startCluster([1, 1], [], tanistSentinel);
    const [sentinel] = sentinels;
    const shard = proxy.pool.shards[0];
    await until(() => shard?.open, { what: 'the master to be verified' });
    // One voter of three: what it thinks of the master changes nothing.
    await sentinel?.cli('SENTINEL', 'SET', 'shard_one', 'lease-ttl', '1000');
    const consent = ['SENTINEL', 'LEASE', 'shard_one', '127.0.0.1', String(one[0]?.port), '0', '1000', 'handover'];
    await until(async () => (await sentinel?.fields(...consent))?.['granted'] === '1', { what: 'the lease' });
    const ask = ['SENTINEL', 'IS-MASTER-DOWN-BY-ADDR', '127.0.0.1', String(one[0]?.port), '5', 'e'.repeat(40)];
    await sentinel?.cli(...ask);
    await until(() => shard?.open === false, { what: 'the hold', interval_ms: 1 });
    const client = new Talk(proxy.port, cleanup);
    const [a] = keysOf(proxy);
    client.send(req('SET', a, 'held'));
    await client.gets('+OK\r\n', 20_000);
    expect(shard?.addressText).toBe(`127.0.0.1:${one[0]?.port}`);
    expect(proxy.pool.stats).toMatchObject({ forward_error: 0 });
  }, 60_000);

  it('holds through a frozen master, and answers writes that were under way honestly', async () => {
    const { two, proxy } = await startCluster([1, 1]);
    const client = new Talk(proxy.port, cleanup);
    const [a, b] = keysOf(proxy);
    client.send(req('SET', a, '1') + req('SET', b, '2'));
    await client.gets('+OK\r\n+OK\r\n');
    await replicated(two.slice(1), b, '2');
    two[0]?.freeze();
    client.send(req('GET', b) + req('SET', b, '3') + req('GET', a));
    await client.gets(bulk('2'), 20_000);
    expect(await client.line()).toMatch(
      /^-ERR the connection to shard 'shard_two' was lost with this request under way .*may or may not have been executed$/,
    );
    client.send(req('SET', b, '4') + req('GET', b));
    await client.gets(`${bulk('1')}+OK\r\n${bulk('4')}`);
    two[0]?.thaw();
  }, 60_000);

  it('keeps from its clients that a server has become a replica', async () => {
    const { one, sentinels, proxy } = await startCluster([1, 1]);
    const client = new Talk(proxy.port, cleanup);
    const [a] = keysOf(proxy);
    client.send(req('SET', a, '0'));
    await client.gets('+OK\r\n');
    await replicated(one.slice(1), a, '0');
    await sentinels[0]?.cli('SENTINEL', 'FAILOVER', 'shard_one');
    const replica = one[1];
    let written = 0;
    // What is under way when the old master cuts its clients off may have been executed: that is said, and nothing else.
    const outcome = /^(:\d+|-ERR the connection to shard 'shard_one' was lost with this request under way .*)$/;
    await until(
      async () => {
        client.send(req('INCR', a).repeat(20) + req('MULTI') + req('INCR', a) + req('EXEC'));
        for (let i = 0; i < 20; i++) expect(await client.line()).toMatch(outcome);
        await client.gets('+OK\r\n+QUEUED\r\n*1\r\n');
        expect(await client.line()).toMatch(/^:\d+$/);
        written++;
        return proxy.pool.shards[0]?.addressText === `127.0.0.1:${replica?.port}`;
      },
      { what: 'the switch', deadline_ms: 20_000 },
    );
    expect(written).toBeGreaterThan(0);
    // By hand, without any sentinel's knowledge: requests wait until a master is back.
    await replica?.cli('REPLICAOF', '127.0.0.1', one[0]?.port ?? 0);
    client.send(req('SET', a, 'after') + req('GET', a));
    await until(() => proxy.pool.shards[0]?.open === false, { what: 'the proxy to notice' });
    // The sentinels go on naming a server that is no master: not even a read is served by it.
    const other = new Talk(proxy.port, cleanup);
    let early = 0;
    other.socket.on('data', () => {
      early++;
    });
    other.send(req('GET', a));
    const stats = proxy.pool.shards[0]?.stats;
    const refusals = (stats?.server_err ?? 0) + 3;
    await until(() => (stats?.server_err ?? 0) >= refusals, { what: 'the proxy to ask for the role again and again' });
    expect(early).toBe(0);
    await replica?.cli('REPLICAOF', 'NO', 'ONE');
    await client.gets(`+OK\r\n${bulk('after')}`, 20_000);
  }, 60_000);

  it('gives up after hold_timeout with the reason, and other shards are not held up', async () => {
    const { two, sentinels, proxy } = await startCluster([1, 1], ['hold_timeout: 400']);
    const client = new Talk(proxy.port, cleanup);
    const [a, b] = keysOf(proxy);
    client.send(req('SET', a, '1') + req('SET', b, '2'));
    await client.gets('+OK\r\n+OK\r\n');
    await Promise.all(sentinels.map((sentinel) => sentinel.child.kill9()));
    await two[0]?.kill9();
    client.send(req('GET', b) + req('GET', b) + req('MGET', a, b) + req('GET', a));
    for (let i = 0; i < 3; i++) {
      expect(await client.line()).toMatch(/^-ERR shard 'shard_two' has had no master for 400 ms: no sentinel answers/);
    }
    await client.gets(bulk('1'));
    const other = new Talk(proxy.port, cleanup);
    other.send(req('GET', a));
    await other.gets(bulk('1'));
  }, 60_000);
});
