/**
 * The link to the Redis that is kept: what it says goes to the core as inputs. What was sent is answered, or the link is
 * told to be down; how long a silence may last is for the core to say, by its own clock.
 */
import { errorText } from '../../base/error-text.js';
import type { Endpoint, TlsSettings } from '../../redis/endpoint.js';
import type { Credentials } from '../../redis/handshake.js';
import { type LinkState, RedisLink } from '../../redis/link.js';
import { LinkError } from '../../redis/link-error.js';
import type { Reply } from '../../redis/reply.js';
import type { Input, Tag } from '../core/io.js';

export interface LocalRedisOptions {
  readonly to: Endpoint;
  readonly tls: TlsSettings | null;
  readonly auth: Credentials | null;
  /** Whether a refusal is news before the first success: of a Redis whose process nobody tells of. */
  readonly tellsFirstRefusal: boolean;
  /** A late reply is still a sign of life; after this the connection is given up. Default 60 s. */
  readonly replyDeadline_ms?: number;
}

export interface LocalRedisHooks {
  readonly deliver: (input: Input) => void;
  readonly log: (level: 'debug' | 'verbose', text: string) => void;
  /** The connection is gone, or was refused. Before the core is told. */
  readonly onBroken: () => void;
  readonly onAnswer: () => void;
}

/** Redis is on this host: an attempt costs nothing, and every millisecond counts after its start. */
const BACKOFF = { base_ms: 5, max_ms: 100, attempts_max: Number.POSITIVE_INFINITY } as const;
const CONNECT_ms = 2_000;
const REPLY_DEADLINE_ms = 60_000;
/**
 * Requests of one kind that may be unanswered: a Redis that hangs must not fill a queue. Questions are soon at their bound,
 * so that they leave room for orders.
 */
const QUESTIONS_MAX = 8;
const ORDERS_MAX = 24;
const LIMITS = { bulk_bytes: 8 * 1024 * 1024, value_bytes: 16 * 1024 * 1024, element_count: 64 * 1024 } as const;

export class LocalRedis {
  readonly #options: LocalRedisOptions;
  readonly #hooks: LocalRedisHooks;
  readonly #unanswered = new Map<Tag, number>();
  readonly #requests = new Set<Promise<void>>();
  #link: RedisLink | null = null;
  /** What the core was told last. */
  #told: 'nothing' | 'up' | 'down' | 'refused' = 'nothing';

  constructor(options: LocalRedisOptions, hooks: LocalRedisHooks) {
    this.#options = options;
    this.#hooks = hooks;
  }

  /**
   * Connects, unless it has, and goes on trying until `close`. Unless wanted, refusals are not told before the first success: a process
   * that has just been started does not listen yet.
   */
  open(): void {
    if (this.#link !== null) return;
    const { to, tls, auth, replyDeadline_ms = REPLY_DEADLINE_ms } = this.#options;
    const link = new RedisLink({
      to,
      tls,
      auth,
      name: 'tanist-keeper',
      connectTimeout_ms: CONNECT_ms,
      backoff: BACKOFF,
      pending_max: 512,
      // It is we who end a silent connection (`#lost`), when a request of the core has been given up.
      silence_ms: 2 * replyDeadline_ms,
      limits: LIMITS,
      onState: (state) => {
        if (this.#link === link) this.#changed(state);
      },
      onNote: (text) => this.#hooks.log('debug', text),
    });
    this.#link = link;
  }

  /** Nothing is heard of it any more. */
  close(): void {
    this.#link?.close();
    this.#link = null;
    this.#unanswered.clear();
    this.#told = 'nothing';
  }

  /** Sends a command of the core; its reply comes as an input. */
  send(tag: Tag, args: readonly string[]): void {
    const unanswered = this.#unanswered.get(tag) ?? 0;
    const link = this.#link;
    const most = tag === 'ping' || tag === 'info' || tag === 'save-state' ? QUESTIONS_MAX : ORDERS_MAX;
    if (link === null || unanswered >= most) {
      this.#hooks.log('debug', `${args[0]} is not sent: ${link === null ? 'no process' : 'too much is unanswered'}`);
      return;
    }
    this.#unanswered.set(tag, unanswered + 1);
    const done = (): void => {
      if (this.#link === link) this.#unanswered.set(tag, Math.max(0, (this.#unanswered.get(tag) ?? 0) - 1));
    };
    const request = link.request(args, { deadline_ms: this.#options.replyDeadline_ms ?? REPLY_DEADLINE_ms }).then(
      (reply) => {
        done();
        if (this.#link !== link) return;
        this.#hooks.onAnswer();
        this.#hooks.deliver({ on: 'reply', tag, reply });
      },
      (error: unknown) => {
        done();
        this.#lost(link, errorText(error), error);
      },
    );
    this.#requests.add(request);
    void request.then(() => this.#requests.delete(request));
  }

  /** Settles when everything that was sent is answered, or given up. */
  async settled(): Promise<void> {
    await Promise.all(this.#requests);
  }

  /** A question of the runner's own. @throws {LinkError} (rejects) when there is no reply in time, or no process. */
  async ask(args: readonly string[], deadline_ms: number): Promise<Reply> {
    if (this.#link === null) throw new Error('no Redis is running');
    return this.#link.request(args, { deadline_ms });
  }

  /** A request without a reply: if the link goes on, a new one takes its place, so that the core knows. */
  #lost(link: RedisLink, why: string, error: unknown): void {
    this.#hooks.log('debug', why);
    if (this.#link !== link || !(error instanceof LinkError) || error.code !== 'ERR_LINK_TIMEOUT') return;
    this.close();
    this.#hooks.deliver({ on: 'redis-down', why, refused: false });
    this.open();
    this.#told = 'down';
  }

  #changed(state: LinkState): void {
    if (state.is === 'up') {
      this.#told = 'up';
      this.#hooks.deliver({ on: 'redis-up' });
      return;
    }
    const refused = state.why === 'refused';
    this.#hooks.onBroken();
    if (!this.#isNews(refused)) return;
    this.#told = refused ? 'refused' : 'down';
    const why = state.detail;
    this.#hooks.deliver(state.why === 'auth' ? { on: 'redis-login-refused', why } : { on: 'redis-down', why, refused });
  }

  #isNews(refused: boolean): boolean {
    switch (this.#told) {
      case 'nothing':
        return !refused || this.#options.tellsFirstRefusal;
      case 'up':
        return true;
      case 'down':
        return refused;
      case 'refused':
        return false;
    }
  }
}
