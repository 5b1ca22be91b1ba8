import { expect, it } from 'vitest';
import { Prng } from '../../base/prng.js';
import { type AgentPlan, drawAgentPlan } from './plan.js';
import { AgentWorld } from './world.js';

function quorumPlan(): AgentPlan {
  for (let seed = 1; ; seed++) {
    const plan = drawAgentPlan(new Prng(seed));
    if (plan.mode === 'quorum' && plan.groups.length === 1 && plan.ttl_ms === 2_000) return plan;
  }
}

it('an agent that is told to end hands over, gives the lease back, and ends only then', () => {
  const world = new AgentWorld(quorumPlan(), 1, false);
  world.start();
  world.run(10_000);
  const group = world.plan.groups[0]?.name ?? '';
  const holder = world.vipHolder(group);
  const room = holder?.agent.rooms.get(group);
  if (holder === null || room === undefined) throw new Error('somebody leads after ten seconds');
  let over = false;
  holder.agent.stop(() => {
    over = true;
  });
  world.run(5_000, () => room.keeper.state === 'stopped');
  expect(holder.agent.alive).toBe(true);
  expect(over).toBe(false);
  world.run(100);
  const next = world.vipHolder(group);
  expect(next).not.toBe(holder);
  expect(next?.agent.rooms.get(group)?.keeper.state).toBe('master');
  world.run(2_000, () => over);
  expect(holder.agent.alive).toBe(false);
  expect(over).toBe(true);
  expect(world.violation).toBeNull();
});
