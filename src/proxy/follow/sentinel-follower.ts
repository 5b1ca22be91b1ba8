/**
 * Keeps the shards of a pool pointed at the masters that its sentinels name: asks at the start, listens to every
 * sentinel's +switch-master, asks again now and then and often while a shard has no master. The address that comes out
 * is only used once the server there has said by ROLE that it is a master (see Shard). A node agent's sentinel also tells
 * by +hand-over that a master is about to step down as planned: requests then wait, so that none is under way when it does.
 */
import { RedisLink } from '../../redis/link.js';
import { ErrorReply } from '../../redis/reply.js';
import type { Pool } from '../forward/pool.js';
import type { MasterSeeker, Shard } from '../forward/shard.js';
import { tlsSettings } from '../tls-settings.js';
import { chooseMaster, type KnownMaster, readView, type SentinelView } from './choose-master.js';

const CALM_POLL_MS = 1_000;
const URGENT_POLL_MS = 50;
const ANSWER_MS = 500;
const CONNECT_MS = 500;
const BACKOFF = { base_ms: 50, max_ms: 1_000 };
/** Then a master that was to step down, and has not, is asked again. */
const HOLD_MS = 1_000;

interface Sentinel {
  readonly name: string;
  readonly ask: RedisLink;
  readonly listen: RedisLink;
}

export class SentinelFollower implements MasterSeeker {
  readonly #pool: Pool;
  readonly #sentinels: readonly Sentinel[];
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

  #connect(to: { readonly host: string; readonly port: number }): Sentinel {
    const name = `${to.host}:${to.port}`;
    const { sentinelAuth, sentinelTls } = this.#pool.config;
    const secured = {
      tls: sentinelTls === null ? null : tlsSettings(sentinelTls),
      auth: sentinelAuth === null ? null : { user: sentinelAuth.user, pass: sentinelAuth.password },
    };
    const ask = new RedisLink({
      to,
      ...secured,
      connectTimeout_ms: CONNECT_MS,
      backoff: BACKOFF,
      closeOnTimeout: true,
      name: 'tanist-proxy',
      onState: (state) => {
        if (state.is === 'up') this.#pollNow();
        else this.#pool.log.info(`${this.#pool.config.name}: sentinel ${name}: ${state.detail}`);
      },
    });
    const listen = new RedisLink({
      to,
      ...secured,
      connectTimeout_ms: CONNECT_MS,
      backoff: BACKOFF,
      whileDown: 'wait',
    });
    this.#subscribe(listen, name);
    return { name, ask, listen };
  }

  /** Once it has been acknowledged, the link renews it by itself; until then it is asked for again. */
  #subscribe(link: RedisLink, name: string): void {
    const heard = (message: string): void => this.#heard(name, message);
    const leaving = (message: string): void => this.#heardLeaving(name, message);
    const options = { deadline_ms: CALM_POLL_MS };
    Promise.all([
      link.subscribe('+switch-master', heard, options),
      link.subscribe('+hand-over', leaving, options),
    ]).catch(() => {
      if (!this.#stopped) setTimeout(() => this.#subscribe(link, name), CALM_POLL_MS).unref();
    });
  }

  /** `+hand-over master <master name> <ip> <port>`. Sentinels tell it one after the other; the first is enough. */
  #heardLeaving(sentinel: string, message: string): void {
    const [, label, host = '', port] = message.split(' ');
    for (const shard of this.#pool.shards) {
      const known = this.#known.get(shard);
      if (shard.config.label !== label || known?.host !== host || known.port !== Number(port)) continue;
      this.#pool.log.notice(`${this.#pool.config.name}: sentinel ${sentinel}: +hand-over ${message}`);
      this.#leaving.set(shard, { host, port: known.port, until_ms: performance.now() + HOLD_MS });
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
      const views = await Promise.all(this.#sentinels.map((sentinel) => ask(sentinel, shard.config.label)));
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
    for (const { ask: link, listen } of this.#sentinels) {
      link.close();
      listen.close();
    }
  }
}

/** Null when this sentinel has nothing to say about the master now. */
async function ask(sentinel: Sentinel, master: string): Promise<SentinelView | null> {
  const reply = await sentinel.ask
    .request(['SENTINEL', 'MASTER', master], { deadline_ms: ANSWER_MS })
    .catch((): null => null);
  return reply === null || reply instanceof ErrorReply ? null : readView(sentinel.name, reply);
}
