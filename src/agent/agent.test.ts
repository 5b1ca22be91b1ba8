import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { freePorts } from '../../test/support/free-port.js';
import { clusterConfig, hostConfig } from '../../test/support/tanist-config.js';
import { tempDir } from '../../test/support/temp-dir.js';
import { Log } from '../observe/log.js';
import { Agent } from './agent.js';
import { fileWordOf } from './file-word.js';

const cleanup = cleanupAfterEach();

/** Of a witness: it needs no Redis. */
async function witness() {
  const address = '127.0.0.1';
  const [sentinel = 0, api = 0] = await freePorts(2, address);
  const base = clusterConfig();
  const self = hostConfig('w', address, { witness: true });
  const config = clusterConfig({
    hosts: [hostConfig('a', '127.0.0.2'), hostConfig('b', '127.0.0.3'), self],
    sentinel: { ...base.sentinel, port: sentinel },
    api: { ...base.api, port: api },
    stateDirectory: tempDir(cleanup),
  });
  const version = '0.0.0';
  const log = new Log({ level: 'nothing', file: '' });
  const start = () => Agent.start({ config, self, file: fileWordOf(config, version), lastRun: null, version, log });
  return { start, config, lastRun: join(config.stateDirectory, 'last-run.json') };
}

/** Holds a port until it is called. */
async function holdPort(host: string, port: number): Promise<() => Promise<void>> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const end = () => new Promise<void>((resolve) => server.close(() => resolve()));
  cleanup.add(end);
  return end;
}

it('remembers its file as that of the last run only when its Sentinel has started', async () => {
  const { start, config, lastRun } = await witness();
  const free = await holdPort('127.0.0.1', config.sentinel.port);
  await expect(start()).rejects.toThrow('the address is already in use');
  expect(existsSync(lastRun)).toBe(false);
  await free();
  const agent = await start();
  cleanup.add(() => agent.stop());
  expect(JSON.parse(readFileSync(lastRun, 'utf8'))).toEqual({ mode: 'quorum', voters: ['a', 'b', 'w'] });
});
