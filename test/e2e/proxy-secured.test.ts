/** Passwords and TLS between clients, the proxy, servers and Sentinels. */
import { describe, expect, it } from 'vitest';
import { makeCertificates } from '../support/certificates.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePort } from '../support/free-port.js';
import { leaveOut, needs } from '../support/needs.js';
import { startSentinel } from '../support/redis-sentinel.js';
import { startRedis } from '../support/redis-server.js';
import { bulk, req, servers, startProxy, Talk } from './proxy-support.js';

const cleanup = cleanupAfterEach();

describe('a Sentinel', () => {
  it('with users and TLS is followed with the right credentials, and not with others', async (context) => {
    needs(context, 'redis-server');
    needs(context, 'redis-sentinel');
    const made = await makeCertificates(cleanup);
    if (made === null) return leaveOut(context, 'openssl is not here');
    const redis = await startRedis(cleanup);
    const tlsPort = await freePort();
    await startSentinel(cleanup, {
      config: [
        `sentinel monitor shard 127.0.0.1 ${redis.port} 1`,
        `tls-port ${tlsPort}`,
        `tls-cert-file ${made.certFile}`,
        `tls-key-file ${made.keyFile}`,
        `tls-ca-cert-file ${made.caFile}`,
        'user default off',
        'user proxy on >s3cret allchannels +@all',
      ].join('\n'),
    });
    const files = [`    ca: ${made.caFile}`, `    cert: ${made.certFile}`, `    key: ${made.keyFile}`];
    const follow = (auth: string, tls: readonly string[]) =>
      startProxy(cleanup, [
        'redis: true',
        'hold_timeout: 300',
        `sentinels: [127.0.0.1:${tlsPort}]`,
        `sentinel_auth: ${auth}`,
        ...tls,
        ...servers('shard:1'),
      ]);
    const good = await follow('proxy s3cret', ['sentinel_tls:', ...files]);
    const client = new Talk(good.port, cleanup);
    client.send(req('SET', 'a', '1') + req('GET', 'a'));
    await client.gets(`+OK\r\n${bulk('1')}`);
    for (const [auth, tls] of [
      ['proxy wrong', ['sentinel_tls:', ...files]],
      ['proxy s3cret', ['sentinel_tls: true']],
    ] as const) {
      const { port } = await follow(auth, tls);
      const refused = new Talk(port, cleanup);
      refused.send(req('GET', 'a'));
      expect(await refused.line()).toContain("shard 'shard' has had no master for 300 ms");
    }
  });
});
