/**
 * What can befall a system. Each fault strikes the host that has the master, unless it says otherwise, and gives back
 * what mends it; a fault that mends itself gives back nothing.
 */
import { until } from '../../support/until.js';
import { isAlive, pidsOn, processesOn, signal } from './processes.js';
import type { Stage } from './stage.js';
import { agentPids, type Member, type RedisPlace, redisOf, type System, type SystemKind } from './system.js';
import { wallClockLimit } from './wall-clock.js';

export interface Scene {
  readonly stage: Stage;
  readonly system: System;
  /** Who has the master. */
  readonly target: Member;
  /** Its Redis. */
  readonly redis: RedisPlace;
  /** Marks the moment from which pauses count; called once, just before the blow. */
  readonly mark: () => void;
}

export type Mend = () => void | Promise<void>;

export interface Fault {
  readonly name: string;
  readonly title: string;
  /** Every host needs a disk that can be filled. */
  readonly smallDisks?: boolean;
  /** Every host needs a wall clock that can be moved. */
  readonly wallClocks?: boolean;
  /** Nothing that was acknowledged may be lost, and nobody need notice. */
  readonly planned?: boolean;
  /** Why it cannot be told here; null when it can. */
  readonly limit?: () => string | null;
  /** It has to do with this system. */
  readonly suits?: (kind: SystemKind) => boolean;
  readonly strike: (scene: Scene) => Promise<Mend | null>;
}

/** An agent that was restarted has this long until all is well, and has been for a while, before the next one's turn. */
const RESTART_MS = 40_000;
const HOUR_MS = 3_600_000;

const kill9 = async (pids: readonly number[], mark: () => void): Promise<void> => {
  mark();
  signal(pids, 'SIGKILL');
  await until(() => !pids.some(isAlive), { what: 'the killed to be gone', interval_ms: 1 });
};

const freeze = (pids: readonly number[], mark: () => void): Mend => {
  mark();
  signal(pids, 'SIGSTOP');
  return () => signal(pids, 'SIGCONT');
};

/** What a check script has stopped, its operator starts again once the fault is mended. */
export async function startStoppedAgents(system: System): Promise<void> {
  for (const member of system.members) if (agentPids(member).length === 0) await member.startAgent();
}

const redisPids = ({ target, redis }: Scene): number[] => pidsOn(target.host, redis.processPattern);

/** The other hosts that keep a Redis of the group. */
const others = ({ system, target }: Scene): Member[] =>
  system.members.filter((member) => member !== target && redisOf(member, system.group) !== undefined);

async function untilWell(system: System): Promise<void> {
  let since = performance.now();
  const look = async (): Promise<boolean> => {
    const flaw = await system.flaw();
    if (flaw === null) return performance.now() - since >= system.calm_ms;
    since = performance.now();
    throw new Error(flaw);
  };
  await until(look, { what: 'all to be well', deadline_ms: RESTART_MS, interval_ms: 200 }).catch(() => {
    // The next one is restarted all the same, as in life; what is wrong shows in the end.
  });
}

const killRedis: Fault = {
  name: 'kill-redis',
  title: 'kill -9 of the master',
  strike: async (scene) => {
    await kill9(redisPids(scene), scene.mark);
    return () => scene.redis.start();
  },
};

const killAgent: Fault = {
  name: 'kill-agent',
  title: "kill -9 of what controls the master's host",
  strike: async ({ target, mark }) => {
    await kill9(agentPids(target), mark);
    return () => target.startAgent();
  },
};

const killProxy: Fault = {
  name: 'kill-proxy',
  title: 'kill -9 of the proxy',
  suits: ({ hasProxy }) => hasProxy === true,
  strike: async ({ system, target, mark }) => {
    const proxy = system.proxy?.(target);
    if (proxy === undefined) throw new Error(`${system.name} has no proxy`);
    await kill9(pidsOn(proxy.host, proxy.pattern), mark);
    return () => proxy.start();
  },
};

const freezeRedis: Fault = {
  name: 'freeze-redis',
  title: 'the master frozen (SIGSTOP), later thawed',
  strike: async (scene) => freeze(redisPids(scene), scene.mark),
};

const freezeAgent: Fault = {
  name: 'freeze-agent',
  title: "what controls the master's host frozen, later thawed",
  strike: async ({ target, mark }) => freeze(agentPids(target), mark),
};

const freezeHost: Fault = {
  name: 'freeze-host',
  title: "everything on the master's host frozen, later thawed",
  strike: async ({ target, mark }) => {
    const pids = processesOn(target.host).map(({ pid }) => pid);
    return freeze(pids, mark);
  },
};

const unplug: Fault = {
  name: 'unplug',
  title: "the master's host unplugged, later plugged in again",
  strike: async ({ target, mark }) => {
    mark();
    target.host.unplug();
    return () => target.host.plug();
  },
};

const deaf: Fault = {
  name: 'one-way-in',
  title: "nothing reaches the master's host; what it sends gets out",
  strike: async ({ target, mark }) => {
    mark();
    return target.host.block({ direction: 'in', match: `iifname "${target.host.device}"` });
  },
};

const mute: Fault = {
  name: 'one-way-out',
  title: "nothing leaves the master's host; what is sent to it gets in",
  strike: async ({ target, mark }) => {
    mark();
    return target.host.block({ direction: 'out', match: `oifname "${target.host.device}"` });
  },
};

const cutLink: Fault = {
  name: 'cut-link',
  title: 'the master and one replica cannot hear each other; both hear all others',
  strike: async (scene) => {
    const { target, mark } = scene;
    const [other] = others(scene);
    if (other === undefined) throw new Error('there is no other host');
    mark();
    const heals = [
      target.host.block({ direction: 'in', match: `ip saddr ${other.host.address}` }),
      other.host.block({ direction: 'in', match: `ip saddr ${target.host.address}` }),
    ];
    return () => {
      for (const heal of heals) heal();
    };
  },
};

const fullDisk: Fault = {
  name: 'full-disk',
  title: "the master's disk full, later with room again",
  smallDisks: true,
  strike: async ({ stage, target, mark }) => {
    mark();
    stage.fillDisk(target.host.name);
    return () => stage.drainDisk(target.host.name);
  },
};

const clockJump: Fault = {
  name: 'clock-jump',
  title: "the wall clock of the master's host one hour ahead, later back",
  wallClocks: true,
  limit: wallClockLimit,
  strike: async ({ stage, target, mark }) => {
    mark();
    stage.moveWallClock(target.host.name, HOUR_MS);
    return () => stage.moveWallClock(target.host.name, 0);
  },
};

const restartAll: Fault = {
  name: 'restart-all',
  title: 'kill -9 of everything everywhere, and all started at once',
  strike: async ({ system, target, mark }) => {
    const pids = system.members.flatMap(({ host }) => processesOn(host).map(({ pid }) => pid));
    await kill9(pids, mark);
    for (const { redis } of system.members) for (const each of redis) each.start();
    system.proxy?.(target).start();
    await Promise.all(system.members.map((member) => member.startAgent()));
    return null;
  },
};

const emptied: Fault = {
  name: 'redis-empty',
  title: 'kill -9 of the master, its files removed, and started again at once',
  strike: async (scene) => {
    await kill9(redisPids(scene), scene.mark);
    scene.redis.wipe();
    scene.redis.start();
    // Nothing is left to mend; what a check script has stopped meanwhile is started again as after every other fault.
    return () => {};
  },
};

const upgrade: Fault = {
  name: 'upgrade',
  title: "what controls the hosts restarted one by one, the master's last",
  planned: true,
  strike: async (scene) => {
    const { system, target, mark } = scene;
    mark();
    for (const member of [...system.members.filter((each) => each !== target), target]) {
      await member.stopAgent();
      await member.startAgent();
      await untilWell(system);
    }
    return null;
  },
};

const switchover: Fault = {
  name: 'switchover',
  title: "the master's role handed over by its operator",
  planned: true,
  strike: async ({ system, target, mark }) => {
    mark();
    await system.switchover(target);
    return null;
  },
};

const failback: Fault = {
  name: 'failback',
  title: 'the role given back after a switchover',
  planned: true,
  strike: async ({ system, target, mark }) => {
    await system.switchover(target);
    await untilWell(system);
    mark();
    await system.failback(target);
    return null;
  },
};

const nothing: Fault = {
  name: 'nothing',
  title: 'nothing happens',
  planned: true,
  strike: async ({ mark }) => {
    mark();
    return null;
  },
};

export const FAULTS: readonly Fault[] = [
  nothing,
  killRedis,
  killAgent,
  killProxy,
  freezeRedis,
  freezeAgent,
  freezeHost,
  unplug,
  deaf,
  mute,
  cutLink,
  fullDisk,
  clockJump,
  restartAll,
  emptied,
  upgrade,
  switchover,
  failback,
];
