/**
 * Faults that come together: each strike makes the one situation in which a promise is hardest to keep, since faults that
 * are drawn one by one hardly ever meet in the right moment.
 */
import type { AgentHost } from './agent-host.js';
import type { ManagedRedis } from './host.js';
import type { AgentNemesis } from './nemesis.js';
import type { GroupPlan } from './plan.js';
import { undisturbedSince } from './quiet.js';

export type StrikeName = 'leaseEdge' | 'laggingElected' | 'lateTarget' | 'flood' | 'leaderEnds';

/** All that is well for so long is well for good, voters that have just started included. */
const WELL_MS = 4_000;

interface Leader {
  readonly group: GroupPlan;
  readonly host: AgentHost;
  readonly redis: ManagedRedis;
  /** The other Redis of the group. */
  readonly others: readonly ManagedRedis[];
}

/** Some group's leader; null when nobody leads it. */
function pickLeader({ world, prng }: AgentNemesis): Leader | null {
  const group = prng.pick(world.plan.groups);
  const host = world.hosts.find(({ agent }) => agent.rooms.get(group.name)?.keeper.state === 'master');
  const redis = host?.redises.get(group.name);
  if (host === undefined || redis === undefined) return null;
  const all = group.hosts.map((index) => world.hosts[index]?.redises.get(group.name));
  return { group, host, redis, others: all.filter((one) => one !== undefined).filter((one) => one !== redis) };
}

/**
 * A leader is cut off at some moment between two renewals, which may have been long on their way: it counts on its lease to
 * the last, the others elect as soon as they may. Where clocks drift, they are at their bounds.
 */
function leaseEdge(nemesis: AgentNemesis): void {
  const leader = pickLeader(nemesis);
  if (leader === null) return;
  const { world, prng } = nemesis;
  const { ttl_ms } = world.plan;
  // One that is cut off already has nothing to lose.
  if (world.loop.now - world.networkTroubledAt < 2 * ttl_ms) return;
  const late_ms = prng.pick([0, 0, ttl_ms / 16, ttl_ms / 4]);
  const cutAfter_ms = late_ms + prng.below(ttl_ms);
  if (late_ms > 0) nemesis.slowNetwork(late_ms, 0, cutAfter_ms);
  world.loop.after(cutAfter_ms, () => {
    if (!nemesis.healed) nemesis.isolate([leader.host.host], ttl_ms + prng.between(300, 2_000));
  });
}

/**
 * One replica lags while another keeps up; then leader and that other go, and nobody but the one that lags is there to
 * be elected.
 */
function laggingElected(nemesis: AgentNemesis): void {
  const leader = pickLeader(nemesis);
  if (leader === null || leader.others.length < 2) return;
  const { world, prng } = nemesis;
  const lags = prng.pick(leader.others);
  const lag_ms = prng.between(200, 1_500);
  delay(nemesis, lags, 10_000, lag_ms);
  world.loop.after(lag_ms, () => {
    if (nemesis.healed || !leader.redis.process.alive) return;
    const length_ms = prng.between(2_000, 5_000);
    for (const other of leader.others) if (other !== lags) nemesis.halt(other, false, length_ms);
    if (prng.chance(0.5)) nemesis.kill(leader.redis);
    else nemesis.halt(leader.redis, false, length_ms);
  });
}

/** A planned change, to a replica that is slow to take what it is sent. */
function lateTarget(nemesis: AgentNemesis): void {
  const leader = pickLeader(nemesis);
  if (leader === null) return;
  const { world, prng } = nemesis;
  const target = prng.pick(leader.others);
  delay(nemesis, target, prng.pick([20, 100, 400]), prng.between(500, 3_000));
  const to = { host: target.host.ip, port: target.process.port };
  world.loop.after(prng.below(300), () => leader.host.agent.switchOver(leader.group.name, to, false, () => undefined));
}

/** An operator who asks for the impossible over and over, while a voter does not answer. */
function flood(nemesis: AgentNemesis): void {
  const leader = pickLeader(nemesis);
  if (leader === null) return;
  const { world, prng } = nemesis;
  const silent = prng.pick(world.hosts.filter((host) => host !== leader.host));
  nemesis.freezeAgent(silent, prng.between(200, 2_000));
  const to = { host: '10.9.9.9', port: 1 };
  const gap_ms = prng.between(2, 20);
  const ask = (left: number): void => {
    if (left === 0 || nemesis.healed) return;
    leader.host.agent.switchOver(leader.group.name, to, false, () => undefined);
    world.loop.after(gap_ms, () => ask(left - 1));
  };
  nemesis.note(`an operator asks ${leader.host.name} every ${gap_ms} ms for a switchover to a place that is not there`);
  ask(prng.between(20, 100));
}

/** The leader's agent ends in order while all else is well: what it held until then must not stand in the way of another. */
function leaderEnds(nemesis: AgentNemesis): void {
  const leader = pickLeader(nemesis);
  const { world } = nemesis;
  if (leader !== null && world.loop.now - undisturbedSince(world, null) > WELL_MS) nemesis.restartAgent(leader.host);
}

/** What its master sends takes longer, for a while. */
function delay(nemesis: AgentNemesis, redis: ManagedRedis, late_ms: number, length_ms: number): void {
  const { upstream } = redis.process;
  nemesis.note(`${redis.name} takes what it is sent ${late_ms} ms late, for ${length_ms} ms`);
  upstream.late_ms = late_ms;
  nemesis.undoAfter(length_ms, () => {
    upstream.late_ms = 0;
  });
}

export const STRIKES: Readonly<Record<StrikeName, (nemesis: AgentNemesis) => void>> = {
  leaseEdge,
  laggingElected,
  lateTarget,
  flood,
  leaderEnds,
};
