/** The faults of a world of Sentinels. */
import type { Prng } from '../base/prng.js';
import { FaultSchedule } from './fault-schedule.js';
import { type FaultName, namesOf } from './faults.js';
import type { KeeperProcess } from './keeper-process.js';
import type { Host } from './network.js';
import type { RedisProcess } from './redis/process.js';
import type { SentinelProcess } from './sentinel-process.js';
import type { World } from './world.js';

type Act = (world: World, nemesis: Nemesis) => void;

export class Nemesis extends FaultSchedule<World> {
  constructor(world: World, prng: Prng) {
    super(world, prng);
    for (const sentinel of world.sentinels) sentinel.onSimulatedFailure(() => this.killSentinel(sentinel, 'by itself'));
  }

  /** Makes faults from now on, about one in `faultGap_ms`. */
  begin(): void {
    const acts = namesOf(this.world.plan.faults).flatMap((name) => ACTS[name] ?? []);
    this.makeFaults(
      acts.map((act) => () => act(this.world, this)),
      this.world.plan.faultGap_ms,
    );
  }

  killSentinel(sentinel: SentinelProcess, how: string): void {
    this.note(`${sentinel.name} dies ${how}`);
    sentinel.crash(false);
    this.undoAfter(this.draw(100, 6_000), () => startSentinel(this, sentinel));
  }

  killKeeper(keeper: KeeperProcess): void {
    this.note(`${keeper.name} is killed`);
    keeper.crash(false);
    this.undoAfter(this.draw(50, 5_000), () => startKeeper(this, keeper));
  }

  freezeKeeper(keeper: KeeperProcess, length_ms: number): void {
    this.note(`${keeper.name} is stopped for ${length_ms} ms`);
    const { life } = keeper;
    keeper.gate.close();
    this.undoAfter(length_ms, () => {
      if (keeper.alive && keeper.life === life) keeper.gate.open();
    });
  }

  killRedis(redis: RedisProcess): void {
    this.note(`${redis.name} (${redis.role}) is killed`);
    redis.crash(false);
    this.undoAfter(this.draw(50, 8_000), () => startRedis(this, redis));
  }

  freeze(process: SentinelProcess | RedisProcess, length_ms: number): void {
    const life = process instanceof Object && 'runId' in process ? process.runId : process.state;
    this.note(`${process.name} is stopped for ${length_ms} ms`);
    process.gate.close();
    this.undoAfter(length_ms, () => {
      const same = 'runId' in process ? process.alive && process.runId === life : process.state === life;
      if (!same) return;
      this.note(`${process.name} goes on`);
      process.gate.open();
    });
  }

  loseHost(host: Host, length_ms: number): void {
    const processes = [...this.world.sentinels, ...this.world.redises].filter((one) => one.host === host && one.alive);
    const keepers = this.world.keepers.filter((one) => one.host === host && one.alive);
    this.note(`host ${host.ip} is gone, with ${processes.map(({ name }) => name).join(', ') || 'nothing'}`);
    host.up = false;
    for (const process of [...keepers, ...processes]) process.crash(true);
    this.undoAfter(length_ms, () => {
      host.up = true;
      this.note(`host ${host.ip} is back`);
      for (const process of processes) {
        if ('runId' in process) startRedis(this, process);
        else startSentinel(this, process);
      }
      for (const keeper of keepers) startKeeper(this, keeper);
      this.world.network.retransmit();
    });
  }
}

function startSentinel(nemesis: Nemesis, sentinel: SentinelProcess): void {
  if (sentinel.alive) return;
  if (!sentinel.host.up) return nemesis.undoAfter(1_000, () => startSentinel(nemesis, sentinel));
  nemesis.note(`${sentinel.name} starts`);
  sentinel.start();
}

function startKeeper(nemesis: Nemesis, keeper: KeeperProcess): void {
  if (keeper.alive) return;
  if (!keeper.host.up) return nemesis.undoAfter(1_000, () => startKeeper(nemesis, keeper));
  nemesis.note(`${keeper.name} starts`);
  keeper.start();
}

function startRedis(nemesis: Nemesis, redis: RedisProcess): void {
  if (redis.alive) return;
  if (!redis.host.up) return nemesis.undoAfter(1_000, () => startRedis(nemesis, redis));
  redis.start();
  nemesis.note(`${redis.name} starts as a ${redis.role}`);
}

function pickAlive<T extends { readonly alive: boolean }>(nemesis: Nemesis, from: readonly T[]): T | null {
  const alive = from.filter((one) => one.alive);
  return alive.length === 0 ? null : nemesis.prng.pick(alive);
}

const ACTS: Readonly<Partial<Record<FaultName, Act>>> = {
  crashSentinel: (world, nemesis) => {
    const sentinel = pickAlive(nemesis, world.sentinels);
    if (sentinel !== null) nemesis.killSentinel(sentinel, 'of kill -9');
  },
  crashBetweenEffects: (world, nemesis) => {
    const sentinel = pickAlive(nemesis, world.sentinels);
    sentinel?.dieWithin(nemesis.prng.below(6), () => nemesis.killSentinel(sentinel, 'between two effects'));
  },
  pauseSentinel: (world, nemesis) => {
    const sentinel = pickAlive(nemesis, world.sentinels);
    if (sentinel !== null) nemesis.freeze(sentinel, nemesis.prng.between(50, 1_900));
  },
  stallSentinel: (world, nemesis) => {
    const sentinel = pickAlive(nemesis, world.sentinels);
    if (sentinel !== null) nemesis.freeze(sentinel, nemesis.prng.between(2_100, 12_000));
  },
  crashRedis: (world, nemesis) => {
    const redis = pickAlive(nemesis, world.redises);
    if (redis !== null) nemesis.killRedis(redis);
  },
  crashMaster: (world, nemesis) => {
    const redis = pickAlive(
      nemesis,
      world.redises.filter(({ role }) => role === 'master'),
    );
    if (redis !== null) nemesis.killRedis(redis);
  },
  freezeRedis: (world, nemesis) => {
    const redis = pickAlive(nemesis, world.redises);
    if (redis !== null) nemesis.freeze(redis, nemesis.prng.between(100, 10_000));
  },
  loseHost: (world, nemesis) => {
    const up = world.network.hosts.filter((host) => host.up);
    if (up.length > 0) nemesis.loseHost(nemesis.prng.pick(up), nemesis.prng.between(500, 10_000));
  },
  partition: (_, nemesis) => nemesis.partition(0.5, nemesis.prng.between(300, 10_000)),
  oneWayCut: (world, nemesis) =>
    nemesis.cutOneWay(nemesis.prng.pick(world.network.hosts), nemesis.prng.between(300, 10_000)),
  slowNetwork: (_, nemesis) => {
    const { prng } = nemesis;
    nemesis.slowNetwork(prng.pick([5, 50, 300, 1_500]), prng.pick([0, 10, 100]), prng.between(500, 8_000));
  },
  slowDisk: (world, nemesis) => {
    const { name, manners } = nemesis.prng.pick(world.sentinels);
    manners.disk_ms = nemesis.prng.pick([10, 100, 1_000, 4_000]);
    nemesis.note(`writes to the disk of ${name} take up to ${manners.disk_ms} ms`);
    nemesis.undoAfter(nemesis.prng.between(500, 10_000), () => {
      manners.disk_ms = 0;
    });
  },
  manualFailover: (world, nemesis) => {
    const sentinel = pickAlive(nemesis, world.sentinels);
    const { name } = nemesis.prng.pick(world.plan.groups);
    if (sentinel === null) return;
    const how = nemesis.prng.chance(0.5) ? ['COORDINATED'] : [];
    const order = (): void => {
      nemesis.note(`an operator asks ${sentinel.name}: SENTINEL FAILOVER ${[name, ...how].join(' ')}`);
      sentinel.command(['SENTINEL', 'FAILOVER', name, ...how]);
    };
    const holder = world.keepers.find(({ redis }) => redis.group === name && redis.leased);
    if (holder === undefined) return order();
    nemesis.note(`${holder.name} is asked to hand over`);
    holder.handOver(3_500);
    world.loop.after(nemesis.prng.between(1, 50), order);
  },
  crashKeeper: (world, nemesis) => {
    const keeper = pickAlive(nemesis, world.keepers);
    if (keeper !== null) nemesis.killKeeper(keeper);
  },
  freezeKeeper: (world, nemesis) => {
    const keeper = pickAlive(nemesis, world.keepers);
    if (keeper !== null) nemesis.freezeKeeper(keeper, nemesis.prng.between(50, 5_000));
  },
};
