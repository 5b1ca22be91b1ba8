import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { clusterConfig, hostConfig } from '../../test/support/tanist-config.js';
import { until } from '../../test/support/until.js';
import { Peers } from './peers.js';

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
