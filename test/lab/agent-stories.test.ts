/** A cluster of three agents meets with what clusters meet with; a plain client counts. `npm run lab` tells more. */
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { needsLab } from './lab.js';
import { FAULTS } from './stories/faults.js';
import { Stage } from './stories/stage.js';
import { act, type Outcome } from './stories/story.js';
import { SYSTEMS } from './stories/systems/catalogue.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => {
  needsLab(context);
  needs(context, 'redis-server');
});

function named<T extends { readonly name: string }>(all: readonly T[], name: string): T {
  const found = all.find((each) => each.name === name);
  if (found === undefined) throw new RangeError(`no ${name}`);
  return found;
}

/** Everybody's address accepts writes again, all is well, and there were never two masters at the address. */
function expectRecovered(outcome: Outcome): void {
  expect(outcome).toMatchObject({ flaw: null, twoWithVip: 0 });
  expect(outcome.samples).toBeGreaterThan(100);
  expect(outcome.doors.map(({ door }) => door)).toEqual(['vip', 'proxy']);
  for (const door of outcome.doors) expect(door).toMatchObject({ answers: true, unread: 0 });
}

/** Starting a cluster on a busy machine is most of it. */
const SLOW_MS = 180_000;

describe('a cluster of three', () => {
  it(
    'goes on at the VIP and at the proxy, with every write that counts',
    async () => {
      const stage = new Stage(cleanup);
      cleanup.add(() => stage.powerOff());
      const system = named(SYSTEMS, 'tanist-replicated').create(stage);
      await system.start();

      const switchover = await act(stage, system, named(FAULTS, 'switchover'));
      expectRecovered(switchover);
      for (const door of switchover.doors) expect(door.lost).toBe(0);

      for (const name of ['kill-redis', 'unplug']) {
        const outcome = await act(stage, system, named(FAULTS, name), { stays_ms: 500 });
        expectRecovered(outcome);
        // Past the proxy, at the VIP, nobody waits for a replica: what was not yet copied may be lost.
        expect(outcome.doors.find(({ door }) => door === 'proxy')).toMatchObject({ lost: 0 });
      }
    },
    SLOW_MS,
  );
});
