/** The main stories, each with its course of events fixed; their transcripts are kept in golden/ and read in review. */
import { Prng } from '../base/prng.js';
import { NO_FAULTS } from './faults.js';
import type { KeeperProcess, LeasePlan } from './keeper-process.js';
import { Nemesis } from './nemesis.js';
import type { Host } from './network.js';
import { GROUP_DEFAULTS, type GroupPlan, type Plan, REDIS_DEFAULTS } from './plan.js';
import type { RedisProcess } from './redis/process.js';
import type { SentinelProcess } from './sentinel-process.js';
import { World } from './world.js';

/** Time enough for all to find each other. */
const WARM_UP_MS = 5_000;

class Stage {
  readonly nemesis: Nemesis;

  constructor(readonly world: World) {
    this.nemesis = new Nemesis(world, new Prng(1));
  }

  redis(name: string): RedisProcess {
    const found = this.world.redises.find((redis) => redis.name === name);
    if (found === undefined) throw new Error(`no Redis is called ${name}`);
    return found;
  }

  sentinel(name: string): SentinelProcess {
    const found = this.world.sentinels.find((sentinel) => sentinel.name === name);
    if (found === undefined) throw new Error(`no sentinel is called ${name}`);
    return found;
  }

  /** The keeper of a Redis. */
  keeper(name: string): KeeperProcess {
    const found = this.world.keepers.find(({ redis }) => redis.name === name);
    if (found === undefined) throw new Error(`${name} has no keeper`);
    return found;
  }

  kill(name: string): void {
    this.nemesis.note(`${name} is killed`);
    this.redis(name).crash(false);
  }

  restart(name: string): void {
    this.redis(name).start();
    this.nemesis.note(`${name} starts as a ${this.redis(name).role}`);
  }
}

export interface Scenario {
  /** Also its file's name in golden/. */
  readonly name: string;
  readonly about: string;
  readonly groups: readonly GroupPlan[];
  readonly lease?: LeasePlan;
  readonly play: (stage: Stage) => void;
}

function group(name: string, change: Partial<GroupPlan> = {}): GroupPlan {
  return { ...GROUP_DEFAULTS, name, redises: [REDIS_DEFAULTS, REDIS_DEFAULTS, REDIS_DEFAULTS], ...change };
}

const LEASE: LeasePlan = { ttl_ms: 1_000, ackReplicas: 0 };
const NEVER_CHOSEN = { ...REDIS_DEFAULTS, priority: 0 };

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'kill-master',
    about: 'The master is killed, and comes back after four seconds.',
    groups: [group('g1')],
    play: (stage) => {
      stage.kill('g1a');
      stage.world.run(4_000);
      stage.restart('g1a');
      stage.world.run(6_000);
    },
  },
  {
    name: 'kill-master-fast-down',
    about: 'The master is killed; with fast-down a refused connection counts as down at once.',
    groups: [group('g1', { fastDown: true })],
    play: (stage) => {
      stage.kill('g1a');
      stage.world.run(3_000);
    },
  },
  {
    name: 'freeze-master',
    about: 'The master is stopped for five seconds and goes on as if nothing had happened.',
    groups: [group('g1')],
    play: (stage) => {
      stage.nemesis.freeze(stage.redis('g1a'), 5_000);
      stage.world.run(12_000);
    },
  },
  {
    name: 'planned-failover',
    about: 'An operator asks for a failover; the master is well and helps.',
    groups: [group('g1')],
    play: (stage) => {
      stage.nemesis.note('an operator asks s1: SENTINEL FAILOVER g1');
      stage.sentinel('s1').command(['SENTINEL', 'FAILOVER', 'g1']);
      stage.world.run(5_000);
    },
  },
  {
    name: 'leader-crashes-after-election',
    about: 'The master is killed; the sentinel that is elected dies before it promotes anyone.',
    groups: [group('g1')],
    play: (stage) => {
      const { sentinels } = stage.world;
      for (const { state } of sentinels) if (state !== null) state.crashAfterElection = true;
      stage.kill('g1a');
      stage.world.run(10_000, () => sentinels.some(({ alive }) => !alive));
      for (const { state } of sentinels) if (state !== null) state.crashAfterElection = false;
      stage.world.run(15_000);
    },
  },
  {
    name: 'partition-with-minority',
    about: 'The master is cut off together with one of three sentinels for eight seconds.',
    groups: [group('g1')],
    play: (stage) => {
      const { hosts } = stage.world.network;
      const cutOff = [stage.sentinel('s1').host, stage.redis('g1a').host];
      const rest = hosts.filter((host) => !cutOff.includes(host));
      stage.nemesis.note('s1 and g1a are cut off from all others');
      stage.nemesis.cut(cutOff, rest, 8_000);
      stage.nemesis.cut(rest, cutOff, 8_000);
      stage.world.run(25_000);
    },
  },
  {
    name: 'two-groups-at-once',
    about: 'The masters of two groups are killed in the same moment: two failovers share one current epoch.',
    groups: [group('g1'), group('g2')],
    play: (stage) => {
      stage.kill('g1a');
      stage.kill('g2a');
      stage.world.run(6_000);
    },
  },
  {
    name: 'no-good-replica',
    about: 'The master is killed while one replica is stopped and the other has priority 0; then the first goes on.',
    groups: [group('g1', { redises: [REDIS_DEFAULTS, REDIS_DEFAULTS, NEVER_CHOSEN] })],
    play: (stage) => {
      stage.nemesis.freeze(stage.redis('g1b'), 6_000);
      stage.kill('g1a');
      stage.world.run(15_000);
    },
  },
  {
    name: 'lease-given-back',
    about:
      'With leases: the master is killed, its keeper gives the lease back, and the master comes back after two seconds.',
    groups: [group('g1')],
    lease: LEASE,
    play: (stage) => {
      stage.kill('g1a');
      stage.world.run(2_000);
      stage.restart('g1a');
      stage.world.run(4_000);
    },
  },
  {
    name: 'lease-lapses',
    about: "With leases: the master's keeper dies; the master goes on answering, and helps.",
    groups: [group('g1')],
    lease: LEASE,
    play: (stage) => {
      stage.nemesis.note('the keeper of g1a dies');
      stage.keeper('g1a').crash(false);
      stage.world.run(4_000);
    },
  },
  {
    name: 'lease-lost-by-partition',
    about: 'With leases: the master is cut off together with one of three sentinels for eight seconds.',
    groups: [group('g1')],
    lease: LEASE,
    play: (stage) => {
      const { hosts } = stage.world.network;
      const cutOff = [stage.sentinel('s1').host, stage.redis('g1a').host];
      const rest = hosts.filter((host) => !cutOff.includes(host));
      stage.nemesis.note('s1 and g1a are cut off from all others');
      stage.nemesis.cut(cutOff, rest, 8_000);
      stage.nemesis.cut(rest, cutOff, 8_000);
      stage.world.run(20_000);
    },
  },
  {
    name: 'durability-unproven',
    about:
      'With leases and ack-replicas 1: a replica is cut off, then the master is killed; it comes back after five seconds.',
    groups: [group('g1')],
    lease: { ...LEASE, ackReplicas: 1 },
    play: (stage) => {
      const { hosts } = stage.world.network;
      const cutOff = [stage.redis('g1c').host];
      const rest = hosts.filter((host) => !cutOff.includes(host));
      stage.nemesis.note('g1c is cut off from all others');
      stage.nemesis.cut(cutOff, rest, 15_000);
      stage.nemesis.cut(rest, cutOff, 15_000);
      stage.world.run(2_000);
      stage.kill('g1a');
      stage.world.run(5_000);
      stage.restart('g1a');
      stage.world.run(20_000);
    },
  },
  {
    name: 'vote-outlived',
    about:
      'With leases and ack-replicas 1: a sentinel that is alone votes for itself, in vain; back, it grants to the master again.',
    groups: [group('g1')],
    lease: { ...LEASE, ackReplicas: 1 },
    play: (stage) => {
      const alone = stage.sentinel('s3');
      stage.nemesis.note('s3 is cut off from all others');
      cutOff(stage, [alone.host], 4_000);
      // Its own grant is over, and it does not miss the replicas yet.
      stage.world.run(900);
      stage.nemesis.note('an operator asks s3: SENTINEL FAILOVER g1 FORCE');
      alone.command(['SENTINEL', 'FAILOVER', 'g1', 'FORCE']);
      stage.world.run(10_000);
    },
  },
  {
    name: 'promotion-unheard',
    about:
      'With leases and ack-replicas 1, in maintenance: whoever was elected promotes, and is cut off before anybody hears of it; the old master must not be leased.',
    groups: [group('g1')],
    lease: { ...LEASE, ackReplicas: 1 },
    play: (stage) => {
      const { world, nemesis } = stage;
      nemesis.note('g1a is cut off from all others');
      cutOff(stage, [stage.redis('g1a').host], 1_500);
      world.run(3_000, () => promoting(stage) !== null);
      const promotion = promoting(stage);
      if (promotion === null) throw new Error('nobody promotes');
      const { leader, target } = promotion;
      nemesis.note(`${leader.name} and ${target.name} are cut off from all others; the others are in maintenance`);
      cutOff(stage, [leader.host, target.host], 12_000);
      // Nobody acknowledges what the old master takes: its keeper does not fence it here.
      for (const { host, role } of world.redises)
        if (role === 'replica' && host !== target.host) cutOff(stage, [host], 12_000);
      for (const each of world.sentinels) if (each !== leader) each.command(['SENTINEL', 'PAUSE', 'g1', 'on']);
      world.run(20_000);
      for (const each of world.sentinels) each.command(['SENTINEL', 'PAUSE', 'g1', 'off']);
      world.run(5_000);
    },
  },
];

function cutOff({ world, nemesis }: Stage, hosts: readonly Host[], length_ms: number): void {
  const rest = world.network.hosts.filter((host) => !hosts.includes(host));
  nemesis.cut(hosts, rest, length_ms);
  nemesis.cut(rest, hosts, length_ms);
}

/** The sentinel that has just told a replica to be the master, and that one. */
function promoting({ world }: Stage): { readonly leader: SentinelProcess; readonly target: RedisProcess } | null {
  for (const leader of world.sentinels) {
    const failover = leader.state?.groups.get('g1')?.failover;
    if (failover?.phase !== 'wait-promotion') continue;
    const { ip, port } = failover.target.link.address;
    const target = world.redises.find((redis) => redis.address === `${ip}:${port}`);
    if (target !== undefined) return { leader, target };
  }
  return null;
}

/** Plays a scenario. @returns its transcript: the main lines from the moment on when something happens. */
export function playScenario(scenario: Scenario): string {
  const plan: Plan = {
    sentinels: 3,
    groups: scenario.groups,
    shareHosts: false,
    lease: scenario.lease ?? null,
    faults: NO_FAULTS,
    faulty_ms: 0,
    warmUp_ms: WARM_UP_MS,
    faultGap_ms: 0,
    writePeriod_ms: 50,
  };
  const world = new World(plan, 1, true);
  // Nothing random on the way: a transcript is to change when the core does, not when it draws once more.
  world.network.manners.jitter = false;
  const stage = new Stage(world);
  // Scenarios have faults of their own, which may lose writes.
  world.lossAllowed = scenario.name !== 'planned-failover';
  world.start();
  world.run(WARM_UP_MS);
  world.lines.length = 0;
  scenario.play(stage);
  // Agreement is looked at where nobody was left dead.
  if ([...world.redises, ...world.sentinels].every(({ alive }) => alive)) world.end(true);
  const lines = world.lines.filter(({ level }) => level === 1).map(({ text }) => text);
  const outcome = world.outcomes().map(({ group: name, beliefs }) => {
    const told = new Set(beliefs.map(({ address, configEpoch }) => `${address} in config epoch ${configEpoch}`));
    return `${name} is at ${[...told].join(' or at ')}`;
  });
  return [`${scenario.name}: ${scenario.about}`, '', ...lines, '', ...outcome, ''].join('\n');
}
