/** A planned failover under load: what was acknowledged is there afterwards. */
import { setImmediate } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { MASTER_NAME, startScene, untilSwitched } from '../support/failover-scene.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();

it('loses no acknowledged write', async () => {
  const { master, replicas, sentinels } = await startScene(cleanup);
  const [sentinel] = sentinels;
  // One that is still receiving its first copy does not catch up while writes are paused.
  await Promise.all(replicas.map((each) => each.untilLinkedTo(master.port)));
  // A plain client that stays with the old master as long as that takes writes, and then with whoever does.
  const servers = [master, ...replicas];
  const clients = servers.map(({ port }) => new Redis({ port, retryStrategy: () => 5, maxRetriesPerRequest: 0 }));
  for (const client of clients) client.on('error', () => undefined);
  let go = true;
  cleanup.add(() => {
    go = false;
    for (const client of clients) client.disconnect();
  });
  const acknowledged: number[] = [];
  let at = 0;
  const writer = (async () => {
    for (let n = 0; go; n++) {
      try {
        if ((await clients[at]?.set(`key:${n}`, n)) === 'OK') acknowledged.push(n);
      } catch {
        at = (at + 1) % clients.length;
        // A client that has been disconnected refuses at once, and without end.
        await setImmediate();
      }
    }
  })();
  await until(() => acknowledged.length > 200, { what: 'writes before the change' });
  expect(await sentinel?.cli('SENTINEL', 'FAILOVER', MASTER_NAME)).toBe('OK');
  const promoted = await untilSwitched(sentinels, master.port);
  const before = acknowledged.length;
  await until(() => acknowledged.length > before + 200, { what: 'writes after the change' });
  go = false;
  await writer;

  await master.untilLinkedTo(promoted);
  const now = clients[servers.findIndex((each) => each.port === promoted)];
  const kept = await now?.mget(acknowledged.map((n) => `key:${n}`));
  const lost = acknowledged.filter((n, index) => kept?.[index] !== String(n));
  expect(lost).toEqual([]);
});
