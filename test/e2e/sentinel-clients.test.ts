/** Clients that know nothing of Tanist find the master through it, and follow it through a failover. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { createSentinel } from 'redis';
import { describe, expect, it } from 'vitest';
import { startChild } from '../support/child.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { MASTER_NAME, type Scene, startScene, untilSwitched } from '../support/failover-scene.js';
import { needs } from '../support/needs.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();
const run = promisify(execFile);

function addresses({ sentinels }: Scene): { host: string; port: number }[] {
  return sentinels.map(({ port }) => ({ host: '127.0.0.1', port }));
}

/** Writes through a client until it is acknowledged, and says which Redis has it. */
async function untilWritten(scene: Scene, write: () => Promise<unknown>, promoted: number): Promise<void> {
  await until(async () => ((await write()) === 'OK' ? true : null), { what: 'a write to be acknowledged' });
  const target = [scene.master, ...scene.replicas].find((each) => each.port === promoted);
  expect(await target?.cli('GET', 'followed')).toBe('yes');
}

describe('through a failover', () => {
  it('ioredis', async () => {
    const scene = await startScene(cleanup);
    const client = new Redis({
      sentinels: addresses(scene),
      name: MASTER_NAME,
      sentinelRetryStrategy: () => 20,
      retryStrategy: () => 20,
      maxRetriesPerRequest: null,
    });
    cleanup.add(() => client.disconnect());
    client.on('error', () => undefined);
    expect(await client.set('before', 'x')).toBe('OK');
    await scene.master.kill9();
    const promoted = await untilSwitched(scene.sentinels, scene.master.port);
    await untilWritten(scene, () => client.set('followed', 'yes'), promoted);
  });

  it('node-redis', async () => {
    const scene = await startScene(cleanup);
    const client = createSentinel({ name: MASTER_NAME, sentinelRootNodes: addresses(scene) });
    client.on('error', () => undefined);
    await client.connect();
    cleanup.add(() => client.destroy());
    expect(await client.set('before', 'x')).toBe('OK');
    await scene.master.kill9();
    const promoted = await untilSwitched(scene.sentinels, scene.master.port);
    await untilWritten(scene, () => client.set('followed', 'yes'), promoted);
  });

  it('redis-py', async (context) => {
    const { path, env } = needs(context, 'python3-redis');
    const scene = await startScene(cleanup);
    const script = `
import sys, time
from redis.sentinel import Sentinel
from redis.exceptions import RedisError
ports = [int(port) for port in sys.argv[1:]]
sentinel = Sentinel([('127.0.0.1', port) for port in ports], socket_timeout=1)
assert len(sentinel.discover_slaves('${MASTER_NAME}')) == 2
master = sentinel.master_for('${MASTER_NAME}', socket_timeout=1)
assert master.set('before', 'x')
print('ready', flush=True)
deadline = time.monotonic() + 20
while time.monotonic() < deadline:
    try:
        master.set('beat', 'x')
        time.sleep(0.01)
    except RedisError:
        break
while time.monotonic() < deadline:
    try:
        assert master.set('followed', 'yes')
        print('followed', sentinel.discover_master('${MASTER_NAME}')[1], flush=True)
        sys.exit(0)
    except RedisError:
        time.sleep(0.02)
sys.exit(1)
`;
    const args = ['-c', script, ...scene.sentinels.map(({ port }) => String(port))];
    const python = startChild({ command: path, args, env }, cleanup);
    await python.untilOutput(/ready/);
    await scene.master.kill9();
    const promoted = await untilSwitched(scene.sentinels, scene.master.port);
    const [, told] = await python.untilOutput(/followed (\d+)/);
    expect(Number(told)).toBe(promoted);
    const target = scene.replicas.find((each) => each.port === promoted);
    expect(await target?.cli('GET', 'followed')).toBe('yes');
  });
});

it('redis-cli, RESP2 and RESP3', async (context) => {
  const { path } = needs(context, 'redis-cli');
  const { master, sentinels } = await startScene(cleanup, { replicas: 1 });
  const port = String(sentinels[0]?.port);
  const cli = async (...args: string[]) => (await run(path, ['-p', port, ...args])).stdout;
  expect(await cli('SENTINEL', 'get-master-addr-by-name', MASTER_NAME)).toBe(`127.0.0.1\n${master.port}\n`);
  expect(await cli('-3', 'SENTINEL', 'get-master-addr-by-name', MASTER_NAME)).toBe(`127.0.0.1\n${master.port}\n`);
  expect(await cli('ROLE')).toBe(`sentinel\n${MASTER_NAME}\n`);
  expect(await cli('INFO', 'sentinel')).toContain(
    `master0:name=${MASTER_NAME},status=ok,address=127.0.0.1:${master.port}`,
  );
  expect(await cli('FOO', 'bar')).toContain("ERR unknown command 'FOO', with args beginning with: 'bar' ");
  expect(Number(await cli('COMMAND', 'COUNT'))).toBe(15);
});

it('subscribers hear of the change of master on its channel', async () => {
  const scene = await startScene(cleanup);
  const [{ port } = { port: 0 }] = scene.sentinels;
  const client = new Redis({ port, retryStrategy: null, maxRetriesPerRequest: 0 });
  cleanup.add(() => client.disconnect());
  const heard: string[] = [];
  client.on('pmessage', (_pattern, channel, message) => heard.push(`${channel} ${message}`));
  await client.psubscribe('*');
  await scene.master.kill9();
  const promoted = await untilSwitched(scene.sentinels, scene.master.port);
  const wanted = `+switch-master ${MASTER_NAME} 127.0.0.1 ${scene.master.port} 127.0.0.1 ${promoted}`;
  await until(() => heard.includes(wanted), { what: wanted });
  expect(heard).toContain('+new-epoch 1');
});
