/** One host of a cluster: its clock, its disk, and the processes on it. */
import type { KeeperMemory } from '../../keeper/core/io.js';
import type { Context } from '../context.js';
import type { Write } from '../message.js';
import type { Host } from '../network.js';
import { NOWHERE, RedisProcess } from '../redis/process.js';
import type { Clock } from '../sentinel-process.js';
import type { GroupPlan } from './plan.js';

/** A data set as a dump holds it. */
export interface Dump {
  readonly writes: readonly Write[];
  readonly replid: string;
  readonly offset: number;
}

/** What a Redis finds when it is started again after its end. */
export type Survives =
  /** All, from an append-only file, which knows no history. */
  | 'log'
  /** What the last dump held. */
  | 'dump'
  | 'nothing';

export const REDIS_PORT = 6_379;

/** A group's Redis on a host, with its files. */
export class ManagedRedis {
  readonly process: RedisProcess;
  /** When it was last killed, frozen, or came back from either. */
  disturbedAt = Number.NEGATIVE_INFINITY;
  survives: Survives = 'log';
  /** When it was killed last in a way that has cost it data. */
  lostAt = Number.NEGATIVE_INFINITY;
  busy = false;
  /** What the keeper has written down. */
  memory: KeeperMemory | null = null;
  /** Numbers of the writes in the data sets that were put aside. */
  readonly saved = new Set<number>();
  #dump: Dump = { writes: [], replid: '', offset: 0 };

  constructor(
    readonly context: Context,
    readonly name: string,
    readonly group: GroupPlan,
    readonly host: Host,
    port: number,
  ) {
    const { options } = group;
    this.process = new RedisProcess(context, name, group.name, host, port, options, NOWHERE);
    this.process.pauseHoldsStream = true;
    this.process.ackReplicas = group.durability === 'replicated' ? 1 : 0;
    this.process.onReload = (data) => {
      const { survives } = this;
      if (survives === 'nothing') data.reload([], null);
      else if (survives === 'log') data.reload(data.writes, null);
      else data.reload(this.#dump.writes, this.#dump.replid === '' ? null : this.#dump);
    };
  }

  /** As BGSAVE does. */
  dump(): Dump {
    const { writes, replid, offset } = this.process.data;
    this.#dump = { writes: [...writes], replid, offset };
    return this.#dump;
  }

  /** kill -9; `silently` with the whole host. */
  kill(silently: boolean, survives: Survives): void {
    this.survives = survives;
    this.disturbedAt = this.context.loop.now;
    if (survives !== 'log') this.lostAt = this.disturbedAt;
    this.process.crash(silently);
  }
}

/** A clock that shows anything at the beginning, and runs at that rate. */
export function drawClock({ prng }: Context, rate: number): Clock {
  return { startedAt: 0, offset: prng.below(1_000_000), rate };
}
