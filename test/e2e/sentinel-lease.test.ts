/** The lease over the wire: real Sentinels grant it, and act at once when it is given back. */
import { expect, it } from 'vitest';
import type { Cleanup } from '../support/cleanup.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { MASTER_NAME, startScene, untilSwitched } from '../support/failover-scene.js';
import type { SentinelProcess } from '../support/redis-sentinel.js';
import { type RespValue, request } from '../support/resp.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();
const TTL_MS = 2_000;

/** A keeper as simple as can be: asks all Sentinels for the lease of the Redis at `port` until the test ends. */
class Keeper {
  readonly #timer: NodeJS.Timeout;
  granted = 0;

  constructor(
    cleanup: Cleanup,
    private readonly sentinels: readonly SentinelProcess[],
    private readonly port: number,
  ) {
    this.#timer = setInterval(() => void this.#renew(), TTL_MS / 10);
    cleanup.add(() => this.stop());
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async release(reason: string): Promise<void> {
    this.stop();
    await this.#ask(0, reason);
  }

  async #renew(): Promise<void> {
    const answers = await this.#ask(TTL_MS).catch(() => []);
    this.granted = answers.filter((reply) => Array.isArray(reply) && reply[1] === 1).length;
  }

  #ask(ttl_ms: number, ...more: string[]): Promise<RespValue[]> {
    const words = ['SENTINEL', 'LEASE', MASTER_NAME, '127.0.0.1', this.port, 0, ttl_ms, ...more];
    return Promise.all(this.sentinels.map(({ port }) => request({ port }, ...words)));
  }
}

/** A group whose master's lease all Sentinels have granted. Silence alone would not be noticed for half a minute. */
async function startLeased() {
  const { master, sentinels } = await startScene(cleanup, { downAfter_ms: 30_000 });
  const keeper = new Keeper(cleanup, sentinels, master.port);
  for (const sentinel of sentinels) {
    expect(await sentinel.cli('SENTINEL', 'SET', MASTER_NAME, 'lease-ttl', String(TTL_MS))).toBe('OK');
  }
  await until(() => keeper.granted === sentinels.length, { what: 'a lease of all Sentinels' });
  return { master, sentinels, keeper };
}

it('replaces a master at once whose keeper gives the lease back', async () => {
  const { master, sentinels, keeper } = await startLeased();
  await master.kill9();
  await keeper.release('redis ended: signal 9');
  await untilSwitched(sentinels, master.port);
  const logs = sentinels.map(({ log }) => log).join('\n');
  expect(logs).toContain('its keeper gave the lease back: redis ended: signal 9');
});

it('replaces a master that answers, with its help, when its keeper renews no more', async () => {
  const { master, sentinels, keeper } = await startLeased();
  keeper.stop();
  await untilSwitched(sentinels, master.port);
  // What it may have that the new master lacks is its keeper's to put aside: until then it follows nobody.
  await until(async () => String(await master.cli('ROLE')).startsWith('slave'), {
    what: 'the old master to be demoted',
  });
  const logs = sentinels.map(({ log }) => log).join('\n');
  expect(logs).toMatch(/its lease was not renewed for \d+ ms/);
  expect(logs).not.toContain('does not help');
});
