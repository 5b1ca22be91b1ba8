/** What the proxy tells about requests: durations by command, the slow log, the pages of the statistics port. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { countOf } from '../../src/proxy/measure/latency.js';
import { createStatsServer } from '../../src/proxy/stats-server.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { startRedis } from '../support/redis-server.js';
import { bulk, req, servers, startFake, startProxy, Talk, type TestProxy } from './proxy-support.js';

const cleanup = cleanupAfterEach();

/** How many requests of each command have been measured. */
function counts({ pool }: TestProxy): Record<string, number> {
  return Object.fromEntries(pool.latency.used().map((command) => [command.name, countOf(command)]));
}

describe('durations', () => {
  it('are counted by command, for each part of a split one, and not for those that block', async (context) => {
    needs(context, 'redis-server');
    const [one, two] = await Promise.all([startRedis(cleanup), startRedis(cleanup)]);
    const list = servers(`127.0.0.1:${one.port}:1 one`, `127.0.0.1:${two.port}:1 two`);
    const proxy = await startProxy(cleanup, ['redis: true', 'hash: md5', ...list]);
    const client = new Talk(proxy.port, cleanup);
    client.send(req('SET', 'a', '1').repeat(3) + req('get', 'a') + req('RPUSH', 'l', '1') + req('BLPOP', 'l', '1'));
    await client.gets(`${'+OK\r\n'.repeat(3)}${bulk('1')}:1\r\n*2\r\n${bulk('l')}${bulk('1')}`);
    client.send(req('EXISTS', 'a', 'b', 'c', 'd', 'e') + req('MULTI') + req('INCR', 'a') + req('EXEC'));
    await client.gets(':1\r\n+OK\r\n+QUEUED\r\n*1\r\n:2\r\n');
    expect(counts(proxy)).toEqual({ get: 1, set: 3, rpush: 1, exists: 2, exec: 1 });
    const info = async (...sections: string[]): Promise<string> => {
      client.send(req('INFO', ...sections));
      const size = Number((await client.line()).slice(1));
      let text = '';
      while (text.length < size) text += `${await client.line()}\r\n`;
      await client.gets('\r\n');
      return text;
    };
    expect(await info('LATENCYSTATS')).toMatch(
      /^# Latencystats\r\n(latency_percentiles_usec_[a-z]+:p50=[0-9.]+,p99=[0-9.]+,p99.9=[0-9.]+\r\n){5}$/,
    );
    expect(await info('commandstats', 'clients')).toMatch(
      /^# Clients\r\nconnected_clients:1\r\n\r\n# Commandstats\r\n[\s\S]*cmdstat_set:calls=3,usec=\d+,usec_per_call=[0-9.]+\r\n/,
    );
    expect(await info()).toMatch(/# Server[\s\S]*# Clients[\s\S]*# Proxy[\s\S]*shard1:name=two/);
    expect(await info()).not.toContain('cmdstat_');
    expect(await info('nothing')).toBe('');
  });

  it('are counted for memcached, too', async () => {
    const fake = await startFake(cleanup, (socket) => {
      socket.on('data', (bytes: Buffer) => socket.write(bytes.toString().startsWith('set') ? 'STORED\r\n' : 'END\r\n'));
    });
    const proxy = await startProxy(cleanup, ['slowlog_log_slower_than: 0', ...servers(`127.0.0.1:${fake.port}:1`)]);
    const client = new Talk(proxy.port, cleanup);
    client.send('set a 0 0 1\r\n1\r\n');
    await client.gets('STORED\r\n');
    client.send('get a\r\n');
    await client.gets('END\r\n');
    expect(counts(proxy)).toEqual({ get: 1, set: 1 });
    expect(proxy.pool.slowLog.newest(9).map(({ words }) => words.map(String))).toEqual([['get a'], ['set a 0 0 1']]);
  });
});

describe('the slow log', () => {
  it('has what took long, with its words and its client', async () => {
    const fake = await startFake(cleanup, (socket) => {
      socket.on('data', (bytes: Buffer) => {
        const slow = setTimeout(() => socket.write('+late\r\n'.repeat(bytes.toString().split('*').length - 1)), 60);
        cleanup.add(() => clearTimeout(slow));
      });
    });
    const settings = ['slowlog_log_slower_than: 20000', 'slowlog_max_len: 2'];
    const list = servers(`127.0.0.1:${fake.port}:1`);
    const proxy = await startProxy(cleanup, ['redis: true', ...settings, ...list]);
    const client = new Talk(proxy.port, cleanup);
    client.send(req('GET', 'a') + req('GET', 'b') + req('SET', 'key', 'v'.repeat(200)));
    await client.gets('+late\r\n'.repeat(3));
    client.send(req('SLOWLOG', 'LEN') + req('SLOWLOG', 'GET', '1'));
    await client.gets(':2\r\n*1\r\n*6\r\n:2\r\n');
    expect(Number((await client.line()).slice(1))).toBeGreaterThan(1_600_000_000);
    expect(Number((await client.line()).slice(1))).toBeGreaterThanOrEqual(20_000);
    await client.gets(`*3\r\n${bulk('SET')}${bulk('key')}${bulk(`${'v'.repeat(128)}... (72 more bytes)`)}`);
    await client.gets(`${bulk(`127.0.0.1:${client.socket.localPort}`)}${bulk('')}`);
    client.send(req('SLOWLOG', 'RESET') + req('SLOWLOG', 'GET', '-1') + req('slowlog', 'len'));
    await client.gets('+OK\r\n*0\r\n:0\r\n');
    client.send(req('SLOWLOG', 'GET', '-2') + req('SLOWLOG', 'HELP'));
    expect(await client.line()).toContain('-ERR count should be greater');
    expect(await client.line()).toContain("-ERR unknown subcommand or wrong number of arguments for 'help'");
  });

  it('is right about each request of a pipeline of any size, and can be switched off', async (context) => {
    needs(context, 'redis-server');
    const redis = await startRedis(cleanup);
    const list = servers(`127.0.0.1:${redis.port}:1`);
    const settings = ['slowlog_log_slower_than: 0', 'slowlog_max_len: 1000'];
    const proxy = await startProxy(cleanup, ['redis: true', ...settings, ...list]);
    const client = new Talk(proxy.port, cleanup);
    const values = Array.from({ length: 300 }, (_, i) => String(i).padEnd(i * 8, 'x'));
    client.send(values.map((value, i) => req('SET', `key${i}`, value)).join(''));
    await client.gets('+OK\r\n'.repeat(values.length));
    const kept = proxy.pool.slowLog.newest(1000).toReversed();
    expect(kept.map(({ words }) => String(words[1]))).toEqual(values.map((_, i) => `key${i}`));
    expect(kept.map(({ words }) => String(words[2]).slice(0, 3))).toEqual(values.map((value) => value.slice(0, 3)));
    client.send(req('MULTI') + req('GET', 'key1') + req('EXEC'));
    await client.gets(`+OK\r\n+QUEUED\r\n*1\r\n${bulk(values[1] ?? '')}`);
    expect(proxy.pool.slowLog.newest(1)[0]?.words.map(String)).toEqual(['exec', '... (1 commands)']);
    const silent = await startProxy(cleanup, ['redis: true', 'slowlog_log_slower_than: -1', ...list]);
    const other = new Talk(silent.port, cleanup);
    other.send(req('GET', 'key1') + req('SLOWLOG', 'LEN'));
    await other.gets(`${bulk(values[1] ?? '')}:0\r\n`);
  });
});

it('has a page for Prometheus', async (context) => {
  needs(context, 'redis-server');
  const redis = await startRedis(cleanup);
  const proxy = await startProxy(cleanup, ['redis: true', ...servers(`127.0.0.1:${redis.port}:1 one`)]);
  const stats = createStatsServer(proxy.server);
  stats.listen(0, '127.0.0.1');
  await once(stats, 'listening');
  cleanup.add(() => stats.close());
  const client = new Talk(proxy.port, cleanup);
  client.send(req('SET', 'a', '1') + req('GET', 'a').repeat(2));
  await client.gets(`+OK\r\n${bulk('1').repeat(2)}`);
  const response = await fetch(`http://127.0.0.1:${(stats.address() as AddressInfo).port}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = (await response.text()).split('\n');
  expect(lines).toContain('tanist_proxy_client_connections{pool="pool"} 1');
  expect(lines).toContain('tanist_proxy_requests_total{pool="pool",server="one"} 3');
  expect(lines).toContain('tanist_proxy_server_up{pool="pool",server="one"} 1');
  expect(lines).toContain('tanist_proxy_command_duration_seconds_count{pool="pool",command="get"} 2');
});
