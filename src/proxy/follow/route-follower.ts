/**
 * Keeps the shards of a pool pointed at the masters of their groups, as routes say. A route is used only once the server
 * there has said by ROLE that it is a master (see Shard); until it has, and whenever a master is in doubt, whoever gives
 * the routes is told, and the last one is tried again, ever more slowly: the master may only have been restarted.
 */
import { Backoff } from '../../redis/backoff.js';
import type { Pool } from '../forward/pool.js';
import type { MasterSeeker, Shard } from '../forward/shard.js';
import type { Hold, Route, RouteTable } from './routes.js';

const RETRY = { base_ms: 25, max_ms: 1_000, attempts_max: Number.POSITIVE_INFINITY };
/** A shard in doubt is told of no more often. */
const TELL_MS = 100;

/** Told that the master of a group does not answer as one. */
export type TellDoubt = (group: string, reason: string) => void;

/** One shard and how its master is looked for. */
interface Aim {
  readonly shard: Shard;
  readonly group: string;
  readonly backoff: Backoff;
  timer: NodeJS.Timeout | null;
  toldAt_ms: number;
  /** The route that is not to be used yet, since its master is about to step down. */
  held: Route | null;
}

export class RouteFollower implements MasterSeeker {
  readonly #pool: Pool;
  readonly #routes: RouteTable;
  readonly #tell: TellDoubt;
  readonly #aims = new Map<Shard, Aim>();
  #stopped = false;

  constructor(pool: Pool, routes: RouteTable, tell: TellDoubt) {
    this.#pool = pool;
    this.#routes = routes;
    this.#tell = tell;
    for (const shard of pool.shards) {
      const { target } = shard.config;
      if (target.kind !== 'group') continue;
      const backoff = new Backoff(RETRY, Math.random);
      const aim = { shard, group: target.group, backoff, timer: null, toldAt_ms: -TELL_MS, held: null };
      this.#aims.set(shard, aim);
      shard.seeker = this;
      shard.explain('no master has been named yet');
      this.#point(aim);
    }
  }

  /** The table has a route for this group, which may be new. */
  routed(group: string): void {
    for (const aim of this.#aims.values()) {
      if (aim.group !== group) continue;
      const route = this.#routes.get(group);
      // Routes are repeated; one that is to be left does not end the hold.
      if (aim.held !== null && route !== null && isSamePlace(route, aim.held)) continue;
      aim.held = null;
      aim.backoff.reset();
      this.#point(aim);
    }
  }

  /** Requests for this group wait until a route to another place comes, or the time is over. */
  hold({ group, for_ms, reason }: Hold): void {
    for (const aim of this.#aims.values()) {
      if (aim.group !== group) continue;
      aim.held = this.#routes.get(group);
      this.#pool.turn.begin();
      aim.shard.pause(reason);
      this.#again(aim, for_ms);
    }
  }

  doubted(shard: Shard, reason: string): void {
    const aim = this.#aims.get(shard);
    if (aim === undefined) return;
    const { now } = this.#pool.turn;
    if (now - aim.toldAt_ms >= TELL_MS) {
      aim.toldAt_ms = now;
      this.#tell(aim.group, reason);
    }
    if (aim.timer === null) this.#again(aim, aim.backoff.next() ?? RETRY.max_ms);
  }

  verified(shard: Shard): void {
    const aim = this.#aims.get(shard);
    if (aim === undefined) return;
    aim.backoff.reset();
    this.#forgetTimer(aim);
  }

  #again(aim: Aim, wait_ms: number): void {
    this.#forgetTimer(aim);
    if (this.#stopped) return;
    aim.timer = setTimeout(() => {
      aim.timer = null;
      aim.held = null;
      this.#point(aim);
    }, wait_ms);
  }

  #point(aim: Aim): void {
    const { shard, group } = aim;
    const route = this.#routes.get(group);
    if (route === null || this.#stopped) return;
    this.#forgetTimer(aim);
    this.#pool.turn.begin();
    shard.point({ kind: 'tcp', host: route.host, port: route.port });
    // The last replies of a master that steps down may be waited for, or the server may say nothing at all.
    if (!shard.open) this.#again(aim, aim.backoff.next() ?? RETRY.max_ms);
  }

  #forgetTimer(aim: Aim): void {
    if (aim.timer !== null) clearTimeout(aim.timer);
    aim.timer = null;
  }

  stop(): void {
    this.#stopped = true;
    for (const aim of this.#aims.values()) this.#forgetTimer(aim);
  }
}

function isSamePlace(a: Route, b: Route): boolean {
  return a.host === b.host && a.port === b.port;
}
