import { createServer, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { clusterConfig, hostConfig } from '../../test/support/tanist-config.js';
import { until } from '../../test/support/until.js';
import { NoAnswer, Peers } from './peers.js';

const cleanup = cleanupAfterEach();

it('reaches a host whose kernel refuses for an agent that is gone, and not one that is silent', async () => {
  const self = hostConfig('a', '127.0.0.1');
  const hosts = [self, hostConfig('gone', '127.0.0.2'), hostConfig('silent', '127.0.0.3')];
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.3', resolve));
  const address = silent.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const config = clusterConfig({ hosts, sentinel: { ...clusterConfig().sentinel, port } });
  const peers = new Peers(config, self, null);
  cleanup.add(() => {
    peers.close();
    silent.close();
  });
  await until(() => peers.reaches('gone', 1_000), { what: 'the refusal' });
  expect(await peers.reaches('silent', 200)).toBe(false);
  expect(await peers.reaches('nobody', 200)).toBe(false);
});

it('carries an order to its end, although a question meanwhile is not answered', async () => {
  const self = hostConfig('a', '127.0.0.1');
  const open = new Set<Socket>();
  let answerOrder = (): void => {};
  const ordered = { came: false };
  const server = createServer((socket) => {
    open.add(socket);
    socket
      .on('error', () => {})
      .on('data', (bytes: Buffer) => {
        const text = bytes.toString('latin1');
        if (text.includes('SWITCHOVER')) {
          ordered.came = true;
          answerOrder = () => socket.write('+done\r\n');
        } else if (!text.includes('KEEPER')) {
          socket.write('+OK\r\n'.repeat(text.split('*').length - 1));
        }
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.2', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const hosts = [self, hostConfig('b', '127.0.0.2')];
  const peers = new Peers(clusterConfig({ hosts, sentinel: { ...clusterConfig().sentinel, port } }), self, null);
  cleanup.add(() => {
    peers.close();
    for (const socket of open) socket.destroy();
    server.close();
  });
  await until(() => peers.isUp('b'), { what: 'the link' });
  const outcome = peers.order('b', ['SENTINEL', 'SWITCHOVER'], 10_000);
  await until(() => ordered.came, { what: 'the order' });
  expect(await peers.ask('b', ['SENTINEL', 'KEEPER', 'g'], 20)).toBeInstanceOf(NoAnswer);
  answerOrder();
  expect(await outcome).toBe('done');
  expect(await peers.order('nobody', ['SENTINEL', 'SWITCHOVER'], 1_000)).toMatchObject({
    message: "ERR no host is named 'nobody'",
  });
});
