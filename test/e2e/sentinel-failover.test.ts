/** The failover stories that the published set-ups tell, with three of our Sentinels and real Redis. */
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import {
  eventsIn,
  MASTER_NAME,
  masterFields,
  startScene,
  untilKnows,
  untilSwitched,
} from '../support/failover-scene.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();

const DOWN = ['+sdown', '+odown'];

/** What a leader tells from the election on that it wins. */
const STORY = [
  '+new-epoch',
  '+try-failover',
  '+vote-for-leader',
  '+elected-leader',
  '+failover-state-select-slave',
  '+selected-slave',
  '+failover-state-send-slaveof-noone',
  '+failover-state-wait-promotion',
  '+promoted-slave',
  '+failover-state-reconf-slaves',
  '+slave-reconf-sent',
  '+slave-reconf-inprog',
  '+slave-reconf-done',
  '+failover-end',
];

/**
 * On a loaded machine votes may split although candidates stand in turn, and then are given anew in the next epoch: so also
 * among redis-sentinels, which draw a delay for that. And a replica may be silent for down-after. Neither is another story.
 */
function storyOf(log: string): { before: string[]; since: string[] } {
  const told = log.slice(0, log.indexOf('+failover-end') + 15).replaceAll(/ [+-]sdown (?:slave|sentinel) /g, '');
  const events = eventsIn(told, [...DOWN, ...STORY]);
  const elected = events.lastIndexOf('+new-epoch');
  return { before: events.slice(0, elected), since: events.slice(elected) };
}

it('promotes a replica of a killed master, and takes the master back as a replica', async () => {
  const { master, replicas, sentinels } = await startScene(cleanup);
  await master.kill9();
  const promoted = await untilSwitched(sentinels, master.port);
  expect(replicas.map((each) => each.port)).toContain(promoted);

  const leader = await until(() => sentinels.find((each) => each.log.includes('+elected-leader')), {
    what: 'a leader',
  });
  await leader.child.untilOutput(/\+failover-end [\s\S]*\+switch-master|\+switch-master [\s\S]*\+failover-end/);
  const { before, since } = storyOf(leader.log);
  expect(before.slice(0, 2)).toEqual(DOWN);
  expect(since).toEqual(STORY);
  // Clients are told when the promotion is sure; a replica that still synchronises does not hold that up for long.
  expect(eventsIn(leader.log, ['+promoted-slave', '+switch-master'])).toEqual(['+promoted-slave', '+switch-master']);
  expect(leader.log).toContain(` # +switch-master ${MASTER_NAME} 127.0.0.1 ${master.port} 127.0.0.1 ${promoted}\n`);
  const { 'config-epoch': epoch } = await masterFields(leader);
  expect(leader.log).toContain(` # +new-epoch ${epoch}\n`);
  expect(leader.log).toContain(` # +vote-for-leader ${await leader.cli('SENTINEL', 'MYID')} ${epoch}\n`);
  for (const other of sentinels.filter((each) => each !== leader)) {
    await other.child.untilOutput(/ # \+config-update-from sentinel [0-9a-f]{40} 127\.0\.0\.1 \d+ @ mymaster/);
  }

  const other = replicas.find((each) => each.port !== promoted);
  await other?.untilLinkedTo(promoted);
  await master.restart();
  await master.untilLinkedTo(promoted);
  await until(() => sentinels.some((each) => each.log.includes('+convert-to-slave')), { what: '+convert-to-slave' });
  await Promise.all(sentinels.map((each) => untilKnows(each, 2, 2)));
});

it('keeps its promises across a kill -9: id, epochs, votes, masters', async () => {
  const { master, sentinels } = await startScene(cleanup);
  await master.kill9();
  const promoted = await untilSwitched(sentinels, master.port);
  const [first] = sentinels;
  if (first === undefined) throw new Error('no Sentinel');
  const id = await first.cli('SENTINEL', 'MYID');
  const epoch = Number((await masterFields(first))['config-epoch']);
  await first.child.kill9();
  const kept = first.config;
  expect(kept).toMatch(new RegExp(`^sentinel monitor ${MASTER_NAME} 127\\.0\\.0\\.1 ${promoted} 2$`, 'm'));
  expect(kept).toMatch(new RegExp(`^sentinel current-epoch ${epoch}$`, 'm'));
  expect(kept).toMatch(new RegExp(`^sentinel leader-epoch mymaster ${epoch}$`, 'm'));
  expect(kept).toMatch(new RegExp(`^sentinel config-epoch mymaster ${epoch}$`, 'm'));

  await first.start();
  expect(await first.cli('SENTINEL', 'MYID')).toBe(id);
  expect((await masterFields(first))['config-epoch']).toBe(String(epoch));
  expect(await first.masterPort(MASTER_NAME)).toBe(promoted);
  // Its vote of that epoch is given: another candidate is told who has it.
  const stranger = 'f'.repeat(40);
  const [, leader, votedIn] = (await first.cli(
    'SENTINEL',
    'IS-MASTER-DOWN-BY-ADDR',
    '127.0.0.1',
    promoted,
    epoch,
    stranger,
  )) as [number, string, number];
  expect(leader).not.toBe(stranger);
  expect(votedIn).toBe(epoch);
});

it('finishes a failover whose leader dies in the middle', async () => {
  const { master, sentinels } = await startScene(cleanup);
  for (const each of sentinels) await each.cli('SENTINEL', 'SIMULATE-FAILURE', 'crash-after-election');
  await master.kill9();
  const dead = await until(() => sentinels.find((each) => each.child.exit !== null), { what: 'the leader to crash' });
  expect(dead.child.exit?.code).toBe(99);
  expect(dead.log).toContain('+elected-leader');
  const alive = sentinels.filter((each) => each !== dead);
  // One of the other two would crash in its turn: it is told not to.
  await Promise.all(alive.map((each) => each.restart()));
  await dead.start();
  await untilSwitched(sentinels, master.port);
});
