import { describe, expect, it } from 'vitest';
import { Prng } from '../../base/prng.js';
import type { ClusterMode } from '../../config/tanist/model.js';
import { type AgentPlan, drawAgentPlan } from './plan.js';
import { AgentWorld } from './world.js';

function planOf(mode: ClusterMode): AgentPlan {
  for (let seed = 1; ; seed++) {
    const plan = drawAgentPlan(new Prng(seed));
    if (plan.mode === mode) return plan;
  }
}

describe.each(['quorum', 'pair'] as const)('the router of a host, mode %s', (mode) => {
  it('is not halted, nor ended, by what was meant for the halted one before it', () => {
    const world = new AgentWorld(planOf(mode), 1, false);
    world.start();
    world.run(10_000);
    const group = world.plan.groups[0]?.name ?? '';
    const holder = world.vipHolder(group);
    const router = holder?.routers.get(group);
    if (holder === null || router === undefined) throw new Error('somebody has the VIP after ten seconds');
    router.gate.close();
    holder.agent.crash(false);
    world.run(100);
    expect(router.holds).toBe(true);
    const { life } = router;
    holder.agent.start();
    world.run(20_000);
    expect(router).toMatchObject({ alive: true, life: life + 1 });
    expect(router.gate.closed).toBe(false);
    expect(world.vipHolder(group)?.routers.get(group)?.alive).toBe(true);
    expect(world.violation).toBeNull();
  });

  it('ends in order when its agent is gone, and the address with it', () => {
    const world = new AgentWorld(planOf(mode), 1, false);
    world.start();
    world.run(10_000);
    const group = world.plan.groups[0]?.name ?? '';
    const holder = world.vipHolder(group);
    holder?.agent.crash(false);
    world.run(1);
    expect(holder?.routers.get(group)).toMatchObject({ alive: false, holds: false });
  });
});
