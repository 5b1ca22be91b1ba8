/**
 * Keeps the shards of a pool pointed at the masters that its sentinels name: asks at the start, listens to every
 * sentinel's +switch-master, asks again now and then and often while a shard has no master. The address that comes out
 * is only used once the server there has said by ROLE that it is a master (see Shard). A node agent's sentinel also tells
 * by +hand-over that a master is about to step down as planned: requests then wait, so that none is under way when it does.
 */
import type { Pool } from '../forward/pool.js';
import type { MasterSeeker, Shard } from '../forward/shard.js';
import { tlsSettings } from '../tls-settings.js';
import { chooseMaster, type KnownMaster, type SentinelView } from './choose-master.js';
import { type LeavingMaster, SentinelLinks } from './sentinel-links.js';

const CALM_POLL_MS = 1_000;
const URGENT_POLL_MS = 50;
const BACKOFF_MAX_MS = 1_000;
/** Then a master that was to step down, and has not, is asked again. */
const HOLD_MS = 1_000;

export class SentinelFollower implements MasterSeeker {
  readonly #pool: Pool;
  readonly #sentinels: readonly SentinelLinks[];
  readonly #known = new Map<Shard, KnownMaster>();
  /** The master a shard is pointed at, until it has proved to be one. */
  readonly #tried = new Map<Shard, KnownMaster>();
  /** Masters that are about to step down, and until when that is believed. */
  readonly #leaving = new Map<Shard, { readonly host: string; readonly port: number; readonly until_ms: number }>();
  #timer: NodeJS.Timeout | null = null;
  #polling = false;
  #again = false;
  #stopped = false;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#sentinels = pool.config.sentinels.map((to) => this.#connect(to));
    for (const shard of pool.shards) shard.seeker = this;
    this.#pollNow();
  }

  #connect(to: { readonly host: string; readonly port: number }): SentinelLinks {
    const { name, sentinelAuth: login, sentinelTls } = this.#pool.config;
    const tls = tlsSettings(sentinelTls);
    const sentinel = new SentinelLinks(
      { to, tls, login, backoffMax_ms: BACKOFF_MAX_MS },
      {
        state: (state) => {
          if (state.is === 'up') this.#pollNow();
          else this.#pool.log.info(`${name}: sentinel ${sentinel.name}: ${state.detail}`);
        },
        switched: (message) => this.#heard(sentinel.name, message),
        leaving: (master, message) => this.#heardLeaving(sentinel.name, master, message),
      },
    );
    return sentinel;
  }

  /** Sentinels tell it one after the other; the first is enough. */
  #heardLeaving(sentinel: string, { group, host, port }: LeavingMaster, message: string): void {
    for (const shard of this.#pool.shards) {
      const known = this.#known.get(shard);
      if (shard.config.label !== group || known?.host !== host || known.port !== port) continue;
      this.#pool.log.notice(`${this.#pool.config.name}: sentinel ${sentinel}: +hand-over ${message}`);
      this.#leaving.set(shard, { host, port, until_ms: performance.now() + HOLD_MS });
      this.#pool.turn.begin();
      shard.pause('a planned switchover has begun');
      this.#schedule(URGENT_POLL_MS);
    }
  }

  /** `+switch-master <master name> <old ip> <old port> <new ip> <new port>`. */
  #heard(sentinel: string, message: string): void {
    const [master = ''] = message.split(' ');
    if (!this.#pool.shards.some((shard) => shard.config.label === master)) return;
    this.#pool.log.notice(`${this.#pool.config.name}: sentinel ${sentinel}: +switch-master ${message}`);
    this.#pollNow();
  }

  /** A shard may have lost its master. */
  doubted(): void {
    this.#schedule(URGENT_POLL_MS);
  }

  /** A shard's master has said that it is one. */
  verified(shard: Shard): void {
    const master = this.#tried.get(shard);
    if (master !== undefined) this.#known.set(shard, master);
  }

  #schedule(delay_ms: number): void {
    if (this.#stopped) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#pollNow(), delay_ms);
  }

  #pollNow(): void {
    if (this.#polling) {
      this.#again = true;
      return;
    }
    this.#polling = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#poll().then(
      () => this.#polled(),
      (error: unknown) => {
        this.#pool.log.warn(`${this.#pool.config.name}: asking the sentinels failed: ${String(error)}`);
        this.#polled();
      },
    );
  }

  #polled(): void {
    this.#polling = false;
    if (this.#again) {
      this.#again = false;
      this.#pollNow();
      return;
    }
    this.#schedule(this.#pool.shards.every((shard) => shard.open) ? CALM_POLL_MS : URGENT_POLL_MS);
  }

  async #poll(): Promise<void> {
    const asked = this.#pool.shards.map(async (shard) => {
      const views = await Promise.all(this.#sentinels.map((sentinel) => sentinel.ask(shard.config.label)));
      if (this.#stopped) return;
      this.#point(
        shard,
        views.filter((view) => view !== null),
      );
    });
    await Promise.all(asked);
  }

  #point(shard: Shard, views: readonly SentinelView[]): void {
    const known = this.#known.get(shard) ?? null;
    const choice = chooseMaster(views, known, this.#sentinels.length);
    if (choice.kind === 'none') {
      shard.explain(choice.reason);
      return;
    }
    const { master } = choice;
    const leaving = this.#leaving.get(shard);
    if (leaving?.host === master.host && leaving.port === master.port && performance.now() < leaving.until_ms) return;
    this.#leaving.delete(shard);
    this.#tried.set(shard, master);
    // A master that stays is known at its newest epoch.
    if (shard.open && known?.host === master.host && known.port === master.port) this.#known.set(shard, master);
    this.#pool.turn.begin();
    shard.point({ kind: 'tcp', host: master.host, port: master.port });
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const sentinel of this.#sentinels) sentinel.close();
  }
}
