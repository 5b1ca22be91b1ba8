import { expect, it } from 'vitest';
import { Prng } from '../../../base/prng.js';
import { type AgentPlan, drawAgentPlan } from '../plan.js';
import { AgentWorld } from '../world.js';
import { fullerSibling } from './fuller.js';

/** A pair without faults whose hosts have run long enough for all to be known. */
function pair(): AgentWorld {
  const world = new AgentWorld(drawPair(), 1, false);
  world.start();
  world.loop.runUntil(10_000, () => false);
  return world;
}

function drawPair(): AgentPlan {
  for (let seed = 1; ; seed++) {
    const plan = drawAgentPlan(new Prng(seed));
    if (plan.mode === 'pair') return plan;
  }
}

it('sees one that leads with less than a living sibling has, unless they do not hear each other', () => {
  const world = pair();
  const [group] = world.plan.groups;
  const [a, b] = world.hosts;
  const room = group && a?.agent.rooms.get(group.name);
  const other = group && b?.redises.get(group.name);
  if (group === undefined || a === undefined || b === undefined || room === undefined || other === undefined) {
    throw new Error('a pair has two hosts with one group');
  }
  expect(fullerSibling(world, group, room)).toBeNull();
  const held = room.redis.process.data.writes;
  other.process.data.writes = [...held, { id: world.nextWrite(), end: 1_000_000 }];
  const said = `${room.redis.name} leads with ${held.length} writes, ${other.name} has ${held.length + 1}`;
  expect(fullerSibling(world, group, room)).toBe(said);
  // However long a cut lasts, in whichever direction: nobody hears of it.
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    world.network.cut(from.host, to.host);
    expect(fullerSibling(world, group, room)).toBeNull();
    world.network.mend(from.host, to.host);
  }
  world.network.manners.slow_ms = 300;
  expect(fullerSibling(world, group, room)).toBeNull();
  world.network.manners.slow_ms = 0;
  expect(fullerSibling(world, group, room)).toBe(said);
});
