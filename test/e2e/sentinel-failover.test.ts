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

const STORY = [
  '+sdown',
  '+odown',
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

it('promotes a replica of a killed master, and takes the master back as a replica', async () => {
  const { master, replicas, sentinels } = await startScene(cleanup);
  await master.kill9();
  const promoted = await untilSwitched(sentinels, master.port);
  expect(replicas.map((each) => each.port)).toContain(promoted);

  const leader = await until(() => sentinels.find((each) => each.log.includes('+elected-leader')), {
    what: 'a leader',
  });
  await leader.child.untilOutput(/\+failover-end [\s\S]*\+switch-master|\+switch-master [\s\S]*\+failover-end/);
  const story = leader.log.slice(0, leader.log.indexOf('+failover-end') + 15);
  expect(eventsIn(story, STORY)).toEqual(STORY);
  // Clients are told when the promotion is sure; a replica that still synchronises does not hold that up for long.
  expect(eventsIn(leader.log, ['+promoted-slave', '+switch-master'])).toEqual(['+promoted-slave', '+switch-master']);
  expect(leader.log).toContain(` # +switch-master ${MASTER_NAME} 127.0.0.1 ${master.port} 127.0.0.1 ${promoted}\n`);
  expect(leader.log).toMatch(/ # \+new-epoch 1\n/);
  expect(leader.log).toMatch(/ # \+vote-for-leader [0-9a-f]{40} 1\n/);
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
  const before = { id: await first.cli('SENTINEL', 'MYID'), epoch: (await masterFields(first))['config-epoch'] };
  await first.child.kill9();
  const kept = first.config;
  expect(kept).toMatch(new RegExp(`^sentinel monitor ${MASTER_NAME} 127\\.0\\.0\\.1 ${promoted} 2$`, 'm'));
  expect(kept).toMatch(/^sentinel current-epoch 1$/m);
  expect(kept).toMatch(/^sentinel leader-epoch mymaster 1$/m);
  expect(kept).toMatch(/^sentinel config-epoch mymaster 1$/m);

  await first.start();
  expect(await first.cli('SENTINEL', 'MYID')).toBe(before.id);
  expect((await masterFields(first))['config-epoch']).toBe(before.epoch);
  expect(await first.masterPort(MASTER_NAME)).toBe(promoted);
  // Its vote of epoch 1 is given: another candidate is told who has it.
  const stranger = 'f'.repeat(40);
  const [, leader, epoch] = (await first.cli(
    'SENTINEL',
    'IS-MASTER-DOWN-BY-ADDR',
    '127.0.0.1',
    promoted,
    1,
    stranger,
  )) as [number, string, number];
  expect(leader).not.toBe(stranger);
  expect(epoch).toBe(1);
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
