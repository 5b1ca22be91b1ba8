/** The node agent with passwords, an ACL user, TLS everywhere that there is TLS, and a token. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AgentCluster } from '../support/agent-cluster.js';
import { makeCertificates } from '../support/certificates.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { leaveOut, needs } from '../support/needs.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();

it('fails over, switches over and rejoins with a whole copy behind TLS, an ACL user and a token', {
  timeout: 90_000,
}, async (context) => {
  const { path } = needs(context, 'redis-server');
  const made = await makeCertificates(cleanup);
  if (made === null) return leaveOut(context, 'no openssl to make certificates with');
  const { caFile, certFile, keyFile, ca, cert, key } = made;
  const folder = tempDir(cleanup);
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), `${text}\n`);
    return join(folder, name);
  };
  const tls = { ca, cert, key, checkServerIdentity: () => undefined };
  const pem = `{ca: ${caFile}, cert: ${certFile}, key: ${keyFile}}`;
  const cluster = await AgentCluster.create(cleanup, {
    program: path,
    redisYaml: ['user: tanist', `password_file: ${file('redis', 'of the house')}`, `tls: ${pem}`],
    sentinelYaml: `password_file: ${file('sentinel', 'of the Sentinels')}`,
    poolYaml: `password_file: ${file('pool', 'of the clients')}, tls: {ca: ${caFile}, cert: ${certFile}, key: ${keyFile}, auth_clients: optional}`,
    login: { user: 'tanist', password: 'of the house', tls },
    sentinelLogin: { password: 'of the Sentinels', tls },
    proxyLogin: { password: 'of the clients', tls: { ca, checkServerIdentity: () => undefined } },
    apiToken: 'of-the-operator',
  });
  const first = await cluster.start();
  expect(await first.proxy('SET', 'key', '1')).toBe('OK');
  for (const host of cluster.hosts)
    await until(async () => (await host.redis('GET', 'key')) === '1', { what: 'a copy' });

  // It comes back without its data, and gets a whole copy.
  const pid = first.redisPid();
  rmSync(join(cluster.directory, 'redis', first.name), { recursive: true, force: true });
  process.kill(pid, 'SIGKILL');
  await until(async () => (await first.proxy('INCR', 'key')) === 2, { what: 'a write' });
  const second = await cluster.settled();
  expect(second.name).not.toBe(first.name);
  expect(await first.redis('GET', 'key')).toBe('2');

  const order = { to: first.name };
  const refused = await fetch(`http://${second.address}:${cluster.ports.api}/switchover`, { method: 'POST' });
  expect([refused.status, await refused.text()]).toEqual([401, expect.stringContaining('this needs the token')]);
  // Its Sentinel may not have seen yet that the Redis there is back.
  const carriedOut = async () => (await second.api('/switchover', 'POST', order)).status === 200;
  await until(carriedOut, { what: 'a switchover that is carried out', deadline_ms: 20_000, interval_ms: 200 });
  expect((await cluster.settled()).name).toBe(first.name);
  expect(await second.proxy('INCR', 'key')).toBe(3);
  expect(await second.sentinel('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'mymaster')).toEqual([
    first.address,
    String(cluster.ports.redis),
  ]);
});
