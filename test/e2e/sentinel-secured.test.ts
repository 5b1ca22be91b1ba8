/** Passwords, TLS and scripts, in one failover each. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { makeCertificates } from '../support/certificates.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { MASTER_NAME, startScene, untilKnows, untilSwitched } from '../support/failover-scene.js';
import { freePorts } from '../support/free-port.js';
import { leaveOut } from '../support/needs.js';
import { requirePeer } from '../support/peers.js';
import { startSentinel } from '../support/redis-sentinel.js';
import { startReplicated } from '../support/redis-server.js';
import { tanistSentinel } from '../support/tanist.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();

it('runs the scripts with their arguments', async () => {
  const dir = tempDir(cleanup);
  const program = (name: string) => {
    const path = join(dir, `${name}.sh`);
    writeFileSync(path, `#!/bin/sh\nline=$(printf '%s|' "$@")\necho "$line" >> ${dir}/${name}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const { master, sentinels } = await startScene(cleanup, {
    replicas: 1,
    config:
      `sentinel notification-script ${MASTER_NAME} ${program('notify')}\n` +
      `sentinel client-reconfig-script ${MASTER_NAME} ${program('reconfig')}`,
  });
  await master.kill9();
  const promoted = await untilSwitched(sentinels, master.port);
  const lines = (name: string) => {
    const path = join(dir, name);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  };
  const change = `start|127.0.0.1|${master.port}|127.0.0.1|${promoted}|`;
  const wanted = ['leader', 'observer', 'observer'].map((role) => `${MASTER_NAME}|${role}|${change}`);
  await until(() => lines('reconfig').filter((line) => line !== '').length === 3, { what: 'three calls' });
  expect(
    lines('reconfig')
      .filter((line) => line !== '')
      .sort(),
  ).toEqual(wanted);
  const told = `+switch-master|${MASTER_NAME} 127.0.0.1 ${master.port} 127.0.0.1 ${promoted}|`;
  await until(() => lines('notify').includes(told), { what: told });
});

it('logs in to Redis and to other Sentinels, and lets nobody in without a password', async () => {
  const [master] = await startReplicated(cleanup, { replicas: 0 });
  const config = [
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${master.port} 2`,
    `sentinel auth-user ${MASTER_NAME} watcher`,
    `sentinel auth-pass ${MASTER_NAME} "a b"`,
    'requirepass shared',
  ].join('\n');
  await master.cli('ACL', 'SETUSER', 'watcher', 'on', '>a b', 'allchannels', '+@all');
  const makes = [tanistSentinel, tanistSentinel, requirePeer('redis-sentinel')];
  const sentinels = await Promise.all(makes.map((program) => startSentinel(cleanup, { program, config })));
  for (const { port } of sentinels) {
    const client = new Redis({ port, password: 'shared', maxRetriesPerRequest: 0, retryStrategy: null });
    cleanup.add(() => client.disconnect());
    const fields = async () => {
      const reply = (await client.call('SENTINEL', 'MASTER', MASTER_NAME)) as string[];
      return `${reply[reply.indexOf('flags') + 1]} ${reply[reply.indexOf('num-other-sentinels') + 1]}`;
    };
    await until(async () => (await fields()) === 'master 2', { what: 'the others to be known' });
    const peers = async () => JSON.stringify(await client.call('SENTINEL', 'SENTINELS', MASTER_NAME));
    await until(async () => !(await peers()).includes('disconnected'), { what: 'the others to let us in' });
  }
  await expect(sentinels[0]?.cli('SENTINEL', 'MASTERS')).rejects.toThrow('NOAUTH Authentication required.');
  expect(await master.cli('CLIENT', 'LIST')).toContain('user=watcher');
});

it('speaks TLS to Redis, to Sentinels and to clients', async (context) => {
  const certificates = await makeCertificates(cleanup);
  if (certificates === null) return leaveOut(context, 'openssl is not here');
  const { caFile, certFile, keyFile } = certificates;
  const files = { 'tls-cert-file': certFile, 'tls-key-file': keyFile, 'tls-ca-cert-file': caFile };
  const [tlsPort = 0, ...sentinelPorts] = await freePorts(4);
  // The plain port stays open for the test's own questions; the Sentinels know the other alone.
  const [master] = await startReplicated(cleanup, {
    replicas: 0,
    config: { ...files, 'tls-port': tlsPort, 'tls-replication': 'yes' },
  });
  const lines = (port: number) =>
    [
      `tls-port ${port}`,
      ...Object.entries(files).map(([name, value]) => `${name} ${value}`),
      'tls-replication yes',
      `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${tlsPort} 2`,
      `sentinel down-after-milliseconds ${MASTER_NAME} 1000`,
    ].join('\n');
  const makes = [tanistSentinel, tanistSentinel, requirePeer('redis-sentinel')];
  const sentinels = await Promise.all(
    makes.map((program, index) => startSentinel(cleanup, { program, config: lines(sentinelPorts[index] ?? 0) })),
  );
  await Promise.all(sentinels.map((each) => untilKnows(each, 0, 2)));
  const peers = await until(
    async () => {
      const reply = JSON.stringify(await sentinels[0]?.cli('SENTINEL', 'SENTINELS', MASTER_NAME));
      return reply.includes('disconnected') ? null : reply;
    },
    { what: 'links to both others' },
  );
  for (const port of sentinelPorts.slice(1)) expect(peers).toContain(`"port","${port}"`);
  const client = new Redis({
    port: sentinelPorts[0] ?? 0,
    tls: { ca: certificates.ca, cert: certificates.cert, key: certificates.key },
    retryStrategy: null,
  });
  cleanup.add(() => client.disconnect());
  expect(await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME)).toEqual(['127.0.0.1', String(tlsPort)]);
  await master.kill9();
  await until(() => sentinels[0]?.log.includes('+odown'), { what: '+odown' });
});
