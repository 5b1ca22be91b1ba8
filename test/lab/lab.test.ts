/** The lab itself: cables, firewalls, captures, and that nothing of it is left behind. */
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { startChild } from '../support/child.js';
import { Cleanup } from '../support/cleanup.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { until } from '../support/until.js';
import { Availability, startBeacons } from './availability.js';
import { Lab } from './lab.js';
import { run } from './netns.js';
import { needsVrrpLab } from './vrrp-routers.js';

const ABANDONED = fileURLToPath(new URL('./abandoned-lab.ts', import.meta.url));

const cleanup = cleanupAfterEach();
beforeEach((context) => needsVrrpLab(context));

const namespaces = (): string[] =>
  run('ip', ['netns', 'list'])
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '');

describe('a lab', () => {
  it('connects hosts, until a cable is pulled or a firewall drops', async () => {
    const lab = new Lab(cleanup, ['a', 'client']);
    const [a, client] = [lab.host('a'), lab.host('client')];
    await startBeacons([a]);
    const capture = await lab.capture('tcp port 7000');
    const watch = new Availability(client, a.address);
    await watch.answeredBy('a');
    await until(() => capture.packets.length > 0, { what: 'a captured packet' });
    const count = (): number => watch.answers.length;
    for (const cut of [
      () => {
        a.unplug();
        return () => a.plug();
      },
      () => a.block({ direction: 'in', match: 'tcp dport 7000' }),
    ]) {
      const heal = cut();
      let before = -1;
      await until(
        () => {
          const quiet = count() === before;
          before = count();
          return quiet;
        },
        { what: 'answers to stop', interval_ms: 200 },
      );
      heal();
      const silent = count();
      await until(() => count() > silent + 3, { what: 'answers to come again' });
    }
    expect(watch.longestGap_ms(0)).toBeGreaterThan(100);
  });

  it('is gone with its cleanup', async () => {
    const own = new Cleanup();
    const lab = new Lab(own, ['a', 'b']);
    const names = lab.hosts.map((h) => h.namespace);
    expect(namespaces()).toEqual(expect.arrayContaining(names));
    const child = lab.host('a').start('sleep', ['600']);
    await own.run();
    expect(namespaces().filter((n) => names.includes(n))).toEqual([]);
    expect((await child.exited).signal).not.toBeNull();
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('is gone when its process ends by %s', async (signal) => {
    const child = startChild({ command: process.execPath, args: ['--import', 'tsx', ABANDONED] }, cleanup);
    const [, names = ''] = await child.untilOutput(/namespaces: (.*)/);
    expect(namespaces()).toEqual(expect.arrayContaining(names.split(' ')));
    child.kill(signal);
    await child.exited;
    expect(namespaces().filter((n) => names.split(' ').includes(n))).toEqual([]);
  });
});
