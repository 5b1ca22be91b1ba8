/** Real redis-sentinel and ours in one quorum: each elects, each obeys. */
import { beforeEach, expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { MASTER_NAME, startScene, untilKnows, untilSwitched } from '../support/failover-scene.js';
import { needs } from '../support/needs.js';
import { type Peer, requirePeer } from '../support/peers.js';
import type { SentinelProcess } from '../support/redis-sentinel.js';
import { tanistSentinel } from '../support/tanist.js';

const cleanup = cleanupAfterEach();
beforeEach((context) => {
  needs(context, 'redis-sentinel');
});

type Make = 'ours' | 'theirs' | 'valkey';

function program(make: Make): Peer {
  if (make === 'ours') return tanistSentinel;
  return requirePeer(make === 'valkey' ? 'valkey-sentinel' : 'redis-sentinel');
}

/**
 * Sees to it that one Sentinel alone finds the master down, and that this is enough for it to stand for election: it
 * still needs a majority of votes, so at least one of the other make's or its own kind.
 */
async function letOneStand(candidate: SentinelProcess, others: readonly SentinelProcess[]): Promise<void> {
  await candidate.cli('SENTINEL', 'SET', MASTER_NAME, 'quorum', 1);
  for (const each of others) await each.cli('SENTINEL', 'SET', MASTER_NAME, 'down-after-milliseconds', 30_000);
}

const cases: [leader: Make, others: [Make, Make]][] = [
  ['ours', ['theirs', 'theirs']],
  ['theirs', ['ours', 'ours']],
  ['ours', ['ours', 'theirs']],
  ['theirs', ['theirs', 'ours']],
];

it.each(cases)('%s is elected by %s, leads, and is obeyed', electAndObey);

it('stands with valkey-sentinel in one quorum', async (context) => {
  needs(context, 'valkey-sentinel');
  await electAndObey('valkey', ['ours', 'ours']);
});

async function electAndObey(leads: Make, otherMakes: readonly Make[]): Promise<void> {
  const makes: Make[] = [leads, ...otherMakes];
  const { master, sentinels } = await startScene(cleanup, { programs: makes.map(program) });
  const [leader, ...others] = sentinels;
  if (leader === undefined) throw new Error('no Sentinel');
  await letOneStand(leader, others);
  await master.kill9();
  const promoted = await untilSwitched(sentinels, master.port);

  expect(leader.log).toContain('+elected-leader');
  const id = await leader.cli('SENTINEL', 'MYID');
  const voters = others.filter((each) => each.log.includes(`+vote-for-leader ${id} 1`));
  expect(voters.length).toBeGreaterThanOrEqual(1);
  for (const each of others) expect(each.log).toContain(`+config-update-from sentinel ${id} 127.0.0.1`);

  await leader.child.untilOutput(/ \+switch-master /);
  await master.restart();
  await master.untilLinkedTo(promoted);
  for (const each of others) await each.cli('SENTINEL', 'SET', MASTER_NAME, 'down-after-milliseconds', 500);
  await Promise.all(sentinels.map((each) => untilKnows(each, 2, 2)));
}

it('agrees on who is down: neither make reaches the quorum alone', async () => {
  const { master, sentinels } = await startScene(cleanup, {
    programs: [tanistSentinel, requirePeer('redis-sentinel')],
  });
  await master.kill9();
  await untilSwitched(sentinels, master.port);
  const odown = sentinels.map(
    (each) => /\+odown master mymaster 127\.0\.0\.1 \d+ #quorum (\d\/\d)/.exec(each.log)?.[1],
  );
  expect(odown).toContain('2/2');
});
