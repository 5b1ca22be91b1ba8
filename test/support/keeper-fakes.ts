/** What a keeper core speaks with, as data: a redis-server, Sentinels as voters, siblings. */
import type { Effect, Input, LeaderRecord, Place, Sibling } from '../../src/keeper/core/io.js';
import { ErrorReply, OK, type Reply } from '../../src/redis/reply.js';

export const SELF: Place = { host: '10.0.0.1', port: 6379 };
export const B: Place = { host: '10.0.0.2', port: 6379 };
export const C: Place = { host: '10.0.0.3', port: 6379 };

export function sibling(place: Place, more: Partial<Sibling> = {}): Sibling {
  return {
    place,
    alive: true,
    role: 'replica',
    replId: 'r'.repeat(40),
    replId2: '0'.repeat(40),
    secondOffset: -1,
    offset: 1_000,
    keys: 10,
    linkUp: true,
    diskFails: false,
    age_ms: 0,
    ...more,
  };
}

/** A redis-server, as far as a keeper can tell. */
export class FakeRedis {
  state: 'gone' | 'starting' | 'up' | 'stopped' | 'busy' = 'gone';
  pid = 100;
  run = 1;
  role: 'master' | 'replica' = 'replica';
  follows: Place = { host: '127.0.0.1', port: 1 };
  linkUp = false;
  loading = false;
  syncing = false;
  replId = 'r'.repeat(40);
  replId2 = '0'.repeat(40);
  secondOffset = -1;
  offset = 1_000;
  keys = 10;
  pausedUntil = 0;
  minReplicas = 0;
  clientsKilled = 0;
  /** Commands that are answered with an error, by their first two words. */
  readonly refuses = new Map<string, string>();
  /** `slaveN` lines of INFO. */
  replicas: string[] = [];
  #queued: string[] | null = null;

  answer(args: readonly string[], now: number): Reply {
    const text = args.join(' ');
    for (const [words, error] of this.refuses) {
      if (!text.startsWith(words)) continue;
      if (text === 'EXEC') this.#queued = null;
      return new ErrorReply(error);
    }
    if (text === 'MULTI') {
      this.#queued = [];
      return OK;
    }
    if (text === 'EXEC') {
      const queued = this.#queued ?? [];
      this.#queued = null;
      return queued.map((each) => this.#execute(each, now));
    }
    if (this.#queued !== null) {
      this.#queued.push(text);
      return 'QUEUED';
    }
    return this.#execute(text, now);
  }

  #execute(text: string, now: number): Reply {
    const words = text.split(' ');
    if (text === 'INFO') return this.#info();
    if (text === 'PING') return this.loading ? new ErrorReply('LOADING Redis is loading') : 'PONG';
    if (text === 'REPLICAOF NO ONE') return this.#promote();
    if (words[0] === 'REPLICAOF') return this.#follow({ host: words[1] ?? '', port: Number(words[2]) });
    if (text.startsWith('CLIENT PAUSE')) this.pausedUntil = Math.max(this.pausedUntil, now + Number(words[2]));
    if (text === 'CLIENT UNPAUSE') this.pausedUntil = 0;
    if (text.startsWith('CLIENT KILL')) this.clientsKilled += 1;
    if (text.startsWith('CONFIG SET min-replicas-to-write')) this.minReplicas = Number(words[3]);
    return OK;
  }

  #promote(): Reply {
    if (this.role === 'replica') {
      this.role = 'master';
      this.replId2 = this.replId;
      this.secondOffset = this.offset + 1;
      this.replId = `${this.run}${this.replId}`.slice(0, 40);
    }
    return OK;
  }

  #follow(place: Place): Reply {
    this.role = 'replica';
    if (this.follows.host !== place.host || this.follows.port !== place.port) this.linkUp = false;
    this.follows = place;
    return OK;
  }

  #info(): string {
    return [
      '# Server',
      'redis_version:7.2.0',
      `run_id:${this.run}`,
      `loading:${this.loading ? 1 : 0}`,
      `role:${this.role === 'master' ? 'master' : 'slave'}`,
      ...(this.role === 'replica'
        ? [
            `master_host:${this.follows.host}`,
            `master_port:${this.follows.port}`,
            `master_link_status:${this.linkUp ? 'up' : 'down'}`,
            `master_sync_in_progress:${this.syncing ? 1 : 0}`,
          ]
        : []),
      `connected_slaves:${this.replicas.length}`,
      ...this.replicas.map((line, index) => `slave${index}:${line}`),
      `master_replid:${this.replId}`,
      `master_replid2:${this.replId2}`,
      `master_repl_offset:${this.offset}`,
      `second_repl_offset:${this.secondOffset}`,
      '# Keyspace',
      ...(this.keys === 0 ? [] : [`db0:keys=${this.keys},expires=0,avg_ttl=0`]),
      '',
    ].join('\r\n');
  }
}

/** A Sentinel as a voter: its record, and the one grant that it may have given. */
export class FakeVoter {
  reachable = true;
  /** Time of one way. */
  delay_ms = 1;
  /** When what is under way to it will have arrived. */
  busyUntil = 0;
  paused = false;
  grant: { readonly to: Place; readonly until: number } | null = null;
  /** To the master of its record, when that is not ours. */
  leased_ms = 1_000;
  releases: string[] = [];
  refuses: string | null = null;
  /** The epoch of a vote because of which it refuses whoever has no majority without it. */
  vote: number | null = null;

  constructor(
    readonly id: string,
    public record: LeaderRecord | null,
  ) {}

  ask(ask: Extract<Effect, { do: 'ask-lease' }>, now: number): Input {
    const leased_ms = this.grant === null ? this.leased_ms : 0;
    const { record, vote } = this;
    const base = { on: 'lease', voter: this.id, ask: ask.ask, record, leased_ms, vote } as const;
    if (ask.ttl_ms === 0) {
      this.grant = null;
      this.releases.push(ask.reason);
      return { ...base, granted: false, reason: 'given back' };
    }
    if (ask.held !== null && ask.held === this.vote) this.vote = null;
    const reason = this.#refusal(ask, now);
    if (reason !== null) return { ...base, granted: false, reason };
    this.grant = { to: SELF, until: now + ask.ttl_ms };
    return { ...base, granted: true, reason: '', vote: null };
  }

  #refusal(ask: Extract<Effect, { do: 'ask-lease' }>, now: number): string | null {
    if (this.refuses !== null) return this.refuses;
    if (this.vote !== null) return `our vote in epoch ${this.vote} may have made another the master`;
    if (this.record === null) return 'no such group';
    if (this.record.master.host !== SELF.host) return `the master is ${this.record.master.host}`;
    if (this.record.epoch !== ask.epoch) return `the epoch is ${this.record.epoch}`;
    if (this.grant !== null && this.grant.until > now && this.grant.to.host !== SELF.host) return 'granted to another';
    return null;
  }
}
