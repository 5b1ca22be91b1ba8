/** Adverts that must not be believed, as keepalived really sends them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { VIP, vrrpConfig } from './vrrp-config.js';
import { needsVrrpLab, startRouter } from './vrrp-routers.js';
import { scene } from './vrrp-scene.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => needsVrrpLab(context));

describe('adverts that must not be believed', () => {
  it.each([
    [
      'wrong password',
      2,
      { extra: 'authentication {\n auth_type PASS\n auth_pass other\n }' },
      /its password is not ours/,
    ],
    ['wrong VRID', 3, { vrid: 52 }, null],
    ['another address list', 3, { vip: '10.99.0.101/24' }, /it has 10.99.0.101|it lacks our address/],
    ['another version', 3, { version: 2 }, /it is version 2, ours is 3/],
    ['another interval in version 2', 2, { interval: 3 }, /until they agree both routers can be master/],
  ] as const)('%s', async (_, version, change, message) => {
    const s = scene(cleanup);
    const auth = version === 2 ? { extra: 'authentication {\n auth_type PASS\n auth_pass secret\n }' } : {};
    const b = startRouter(
      'keepalived',
      s.lab.host('b'),
      s.folder,
      vrrpConfig({ version, priority: 200, ...auth, ...change }),
    );
    // Master first: keepalived takes even a bad advert for a sign of life, and waits on.
    await b.becomes('VI', 'MASTER', 20_000);
    // Slow enough to hear an advert of the slow one before taking over.
    const a = startRouter(
      'tanist',
      s.lab.host('a'),
      s.folder,
      vrrpConfig({ version, interval: 1, priority: 100, ...auth }),
    );
    await a.becomes('VI', 'MASTER');
    if (message !== null) await a.child.untilOutput(message);
    expect(s.lab.host('a').holds(VIP)).toBe(true);
  });

  it('a TTL other than 255', async () => {
    const s = scene(cleanup);
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig({ priority: 100 }));
    const rule =
      'table ip ttl {\n chain c {\n type filter hook output priority 0;\n ip protocol 112 ip ttl set 254;\n }\n}\n';
    writeFileSync(join(s.folder, 'ttl.nft'), rule);
    s.lab.host('b').exec('nft', '-f', join(s.folder, 'ttl.nft'));
    startRouter('keepalived', s.lab.host('b'), s.folder, vrrpConfig({ priority: 200 }));
    await a.becomes('VI', 'MASTER');
    await a.child.untilOutput(/dropped an advert from 10.99.0.2: its TTL is 254, not 255/);
    expect(s.lab.host('a').holds(VIP)).toBe(true);
  });
});
