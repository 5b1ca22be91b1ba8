/** Adverts stay on time while the process that supervises the router has no time at all. */
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { until } from '../support/until.js';
import { longestAdvertGap_ms } from './advert-gaps.js';
import { vrrpConfig } from './vrrp-config.js';
import { needsVrrpLab, startRouter } from './vrrp-routers.js';
import { scene } from './vrrp-scene.js';

const BUSY = fileURLToPath(new URL('./busy.mjs', import.meta.url));
const ADVERTS = 100;

const cleanup = cleanupAfterEach();
beforeEach((context) => needsVrrpLab(context));

describe('adverts under load', () => {
  it('are never 150 ms apart at 100 ms, with blocks of 50 ms in the supervisor', async () => {
    const s = scene(cleanup, 'a');
    const capture = await s.lab.capture('ip proto 112');
    const a = startRouter('tanist', s.lab.host('a'), s.folder, vrrpConfig(), {
      env: { NODE_OPTIONS: `--import=${BUSY}` },
    });
    await a.becomes('VI', 'MASTER');
    const start = capture.packets.length;
    await until(() => capture.packets.length >= start + ADVERTS, { what: `${ADVERTS} adverts`, deadline_ms: 30_000 });
    expect(longestAdvertGap_ms(capture.packets.slice(start), s.lab.host('a').address)).toBeLessThan(150);
  });
});
