import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { needs } from '../../../test/support/needs.js';
import { startRedis } from '../../../test/support/redis-server.js';
import { startSentinelThatSays } from '../../../test/support/sentinel-that-says.js';
import { until } from '../../../test/support/until.js';
import { SentinelLinks } from './sentinel-links.js';

const cleanup = cleanupAfterEach();

function linksTo(port: number): { readonly links: SentinelLinks; readonly told: unknown[] } {
  const told: unknown[] = [];
  const links = new SentinelLinks(
    { to: { host: '127.0.0.1', port }, tls: null, login: null, backoffMax_ms: 100 },
    {
      state: ({ is }) => told.push(is),
      switched: (message) => told.push(message),
      leaving: (master, message) => told.push(master, message),
    },
  );
  cleanup.add(() => links.close());
  return { links, told };
}

describe('the links to a Sentinel', () => {
  it('ask it where a master is', async () => {
    const sentinel = await startSentinelThatSays(cleanup, { port: 7, epoch: 3 });
    const { links } = linksTo(sentinel.port);
    const name = `127.0.0.1:${sentinel.port}`;
    expect(await links.ask('one')).toEqual({ sentinel: name, host: '127.0.0.1', port: 7, configEpoch: 3 });
    sentinel.says = null;
    expect(await links.ask('one')).toBeNull();
  });

  it('hear of a change, and of a master that is about to step down, also after a new connection', async (context) => {
    needs(context, 'redis-server');
    const redis = await startRedis(cleanup);
    const { links, told } = linksTo(redis.port);
    const publish = (channel: string, message: string) =>
      until(async () => (await redis.cli('PUBLISH', channel, message)) === 1, { what: 'somebody to listen' });
    const hears = (...what: unknown[]) =>
      until(() => what.every((each) => JSON.stringify(told).includes(JSON.stringify(each))), { what: 'it to be told' });
    await publish('+hand-over', 'master one ::1 6379');
    await hears('up', { group: 'one', host: '::1', port: 6379 }, 'master one ::1 6379');
    await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await publish('+switch-master', 'one ::1 6379 ::1 6380');
    await hears('one ::1 6379 ::1 6380');
    // It is no Sentinel, and says so.
    expect(await links.ask('one')).toBeNull();
  });
});
