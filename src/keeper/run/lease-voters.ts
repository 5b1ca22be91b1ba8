/**
 * Asks the Sentinels for the lease, and gives it back: one link to each, and a function for the one in this process. A
 * Sentinel that is not there costs no time: what it is asked fails at once, and its link comes back by itself.
 */
import { errorText } from '../../base/error-text.js';
import type { ConnectionOptions } from '../../redis/connection.js';
import { RedisLink } from '../../redis/link.js';
import type { Reply } from '../../redis/reply.js';
import type { Input, Place, VoterId } from '../core/io.js';
import { type AskLease, leaseCommand, readLeaseReply } from './lease-reply.pure.js';

export interface Voter {
  readonly id: VoterId;
  /** How it is reached: over the network, or, in this process, by a call. */
  readonly by:
    | { readonly link: Pick<ConnectionOptions, 'to' | 'auth' | 'tls' | 'localAddress'> }
    | { readonly ask: (args: readonly string[]) => Promise<Reply> };
}

export interface LeaseVotersOptions {
  readonly group: string;
  /** Our Redis, as the leader record names it. */
  readonly place: Place;
  readonly voters: readonly Voter[];
  readonly deliver: (input: Input) => void;
  readonly log: (level: 'debug' | 'verbose', text: string) => void;
}

/** How long is waited for an answer where no ttl says so: the lease is given back. */
const RELEASE_DEADLINE_ms = 1_000;
const CONNECT_ms = 1_000;
const BACKOFF = { base_ms: 25, max_ms: 1_000, attempts_max: Number.POSITIVE_INFINITY } as const;
/** Questions to one voter that may be unanswered; beyond, the oldest counts as failed. */
const UNANSWERED_MAX = 16;
const LIMITS = { bulk_bytes: 64 * 1024, value_bytes: 256 * 1024, element_count: 256 } as const;

type Ask = (args: readonly string[], deadline_ms: number) => Promise<Reply>;

interface Reached {
  readonly ask: Ask;
  readonly close: () => void;
  /** By their number, oldest first. */
  readonly unanswered: Set<number>;
}

export class LeaseVoters {
  readonly #options: LeaseVotersOptions;
  readonly #voters: ReadonlyMap<VoterId, Reached>;
  readonly #releases = new Set<Promise<void>>();
  #closed = false;

  constructor(options: LeaseVotersOptions) {
    this.#options = options;
    this.#voters = new Map(options.voters.map((voter) => [voter.id, this.#reach(voter)]));
  }

  /** Carries out `ask-lease`. Answered by `lease` or `lease-failed` within the ttl, unless it gives the lease back. */
  ask(effect: AskLease): void {
    const voter = this.#voters.get(effect.voter);
    if (voter === undefined || this.#closed) return this.#failed(effect, `${effect.voter} is no voter`);
    if (effect.ttl_ms === 0) return this.#release(voter, effect);
    const { ask: id, ttl_ms } = effect;
    const oldest = voter.unanswered.size < UNANSWERED_MAX ? undefined : voter.unanswered.values().next().value;
    if (oldest !== undefined) {
      voter.unanswered.delete(oldest);
      this.#failed({ voter: effect.voter, ask: oldest }, 'too much is unanswered');
    }
    voter.unanswered.add(id);
    voter.ask(this.#command(effect), ttl_ms).then(
      (reply) => {
        if (voter.unanswered.delete(id)) this.#answered(effect, reply);
      },
      (error: unknown) => {
        if (voter.unanswered.delete(id)) this.#failed(effect, errorText(error));
      },
    );
  }

  /** Settles when what was given back has been taken note of, or no answer comes. */
  async released(): Promise<void> {
    await Promise.all(this.#releases);
  }

  close(): void {
    this.#closed = true;
    for (const voter of this.#voters.values()) voter.close();
  }

  #reach({ id, by }: Voter): Reached {
    const unanswered = new Set<number>();
    if ('ask' in by) return { ask: withDeadline(by.ask), close: () => {}, unanswered };
    const link = new RedisLink({
      ...by.link,
      connectTimeout_ms: CONNECT_ms,
      backoff: BACKOFF,
      // After a cut of the network TCP itself would wait for longer and longer before it tries again.
      closeOnTimeout: true,
      pending_max: 256,
      limits: LIMITS,
      onState: (state) => {
        const text = state.is === 'up' ? 'up' : `down: ${state.detail}`;
        this.#options.log('verbose', `The link to the Sentinel of ${id} is ${text}`);
      },
    });
    return { ask: (args, deadline_ms) => link.request(args, { deadline_ms }), close: () => link.close(), unanswered };
  }

  #release(voter: Reached, effect: AskLease): void {
    const release = voter.ask(this.#command(effect), RELEASE_DEADLINE_ms).then(
      () => {},
      (error: unknown) => this.#options.log('verbose', `The lease could not be given back: ${String(error)}`),
    );
    this.#releases.add(release);
    void release.then(() => this.#releases.delete(release));
  }

  #command(effect: AskLease): string[] {
    return leaseCommand(this.#options.group, this.#options.place, effect);
  }

  #answered({ voter, ask }: AskLease, reply: Reply): void {
    const answer = readLeaseReply(reply);
    if (!answer.ok) return this.#failed({ voter, ask }, answer.why);
    const { granted, reason, record, leased_ms, vote } = answer;
    this.#options.deliver({ on: 'lease', voter, ask, granted, reason, record, leased_ms, vote });
  }

  #failed({ voter, ask }: Pick<AskLease, 'voter' | 'ask'>, why: string): void {
    if (!this.#closed) this.#options.deliver({ on: 'lease-failed', voter, ask, why });
  }
}

/** The Sentinel in this process answers at once, or never: it must not make the keeper wait either. */
function withDeadline(ask: (args: readonly string[]) => Promise<Reply>): Ask {
  return (args, deadline_ms) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer within ${deadline_ms} ms`)), deadline_ms);
      ask(args)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
}
