/**
 * A link to one Redis that outlives its connections: requests with deadlines, subscriptions that come back, reconnection
 * with backoff. Built on `connection.ts`.
 */
import { randomInt } from 'node:crypto';
import { Backoff, type BackoffOptions } from './backoff.js';
import type { CloseReason } from './close-reason.js';
import { type Connection, type ConnectionOptions, openConnection } from './connection.js';
import { describeEndpoint } from './endpoint.js';
import { codeOf, LinkError } from './link-error.js';
import { ErrorReply, type Reply } from './reply.js';

/** What a link is doing, for logs and status. `retryIn_ms` is null when it has given up. */
export type LinkState =
  | { readonly is: 'up' }
  | {
      readonly is: 'down';
      readonly why: CloseReason;
      readonly detail: string;
      readonly retryIn_ms: number | null;
    };

export interface LinkOptions extends ConnectionOptions {
  /** Default: 50 ms, doubling up to 5 s, for ever. */
  readonly backoff?: Partial<BackoffOptions>;
  /**
   * What becomes of a request made while the link waits for its next attempt. `fail`, the default: it is rejected with
   * the reason of the last one. `wait`: it waits for the connection until its deadline. While an attempt is under way
   * requests wait in both cases, and if it fails, `fail` rejects them.
   */
  readonly whileDown?: 'fail' | 'wait';
  /**
   * A missed deadline drops the connection, and with it every other request on it. Default false: the request fails
   * alone, its place in the order is kept, and a late reply is discarded.
   */
  readonly closeOnTimeout?: boolean;
  /**
   * With `closeOnTimeout` off: when a deadline is missed and nothing has been heard for this long, the connection is
   * dropped all the same, for its peer may be gone without a word. Default 10 s.
   */
  readonly silence_ms?: number;
  /** Draws from [0, 1), for jitter. Default: node:crypto. */
  readonly random?: () => number;
  readonly onState?: (state: LinkState) => void;
  /** Something odd but harmless, for the log. */
  readonly onNote?: (text: string) => void;
  /** RESP3 pushes that are no messages. */
  readonly onPush?: (items: readonly Reply[]) => void;
}

export interface RequestOptions {
  /** From now to the reply; a wait for the connection counts. */
  readonly deadline_ms: number;
}

export type MessageHandler = (message: string, channel: string) => void;

const DEFAULT_BACKOFF: BackoffOptions = { base_ms: 50, max_ms: 5_000, attempts_max: Number.POSITIVE_INFINITY };

interface Request {
  readonly args: readonly (string | Uint8Array)[];
  readonly settle: (outcome: { readonly reply: Reply } | { readonly error: LinkError }) => void;
  readonly timer: NodeJS.Timeout;
}

interface Failure {
  readonly why: CloseReason;
  readonly detail: string;
}

interface Subscription {
  readonly verb: 'SUBSCRIBE' | 'PSUBSCRIBE';
  /** The channel or the pattern. */
  readonly topic: string;
  readonly handler: MessageHandler;
  /** Acknowledged once: to be renewed on every new connection. */
  held: boolean;
}

/**
 * Connects at once and stays so until `close`. Under RESP2 a link with a subscription can do nothing else; use a link of
 * its own for it, or RESP3.
 */
export class RedisLink {
  readonly #options: LinkOptions;
  readonly #backoff: Backoff;
  readonly #pendingMax: number;
  readonly #silence_ms: number;
  /** Not yet sent, in order. */
  readonly #waiting = new Set<Request>();
  /** Sent, and neither answered nor given up. */
  readonly #inFlight = new Set<Request>();
  readonly #subscriptions = new Map<string, Subscription>();
  #connection: Connection<Request> | null = null;
  #retry: NodeJS.Timeout | null = null;
  /** Why there is no connection; null while there is one, or a first attempt. */
  #failure: Failure | null = null;
  /** Since when a request has been without any reply at all; null when none is. Monotonic ms. */
  #silentSince_ms: number | null = null;
  /** Monotonic ms; Infinity while there is no connection. */
  #upSince_ms = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#pendingMax = options.pending_max ?? 1024;
    this.#silence_ms = options.silence_ms ?? 10_000;
    this.#backoff = new Backoff({ ...DEFAULT_BACKOFF, ...options.backoff }, options.random ?? cryptoRandom);
    this.#connect();
  }

  /** True while requests go straight out. */
  get up(): boolean {
    return this.#connection?.up === true;
  }

  /**
   * Sends a command. It is never sent twice.
   * @returns the reply; a server's error is a value (`ErrorReply`).
   * @throws {LinkError} (rejects) when there is no reply; `sent` says whether it may have been carried out.
   */
  request(args: readonly (string | Uint8Array)[], options: RequestOptions): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const request: Request = {
        args,
        timer: setTimeout(() => this.#missed(request, options.deadline_ms), options.deadline_ms),
        settle: (outcome) => {
          clearTimeout(request.timer);
          if ('reply' in outcome) resolve(outcome.reply);
          else reject(outcome.error);
        },
      };
      this.#take(request);
    });
  }

  /**
   * Subscribes to a channel, and again after every reconnection; messages published in between are lost, as ever with
   * Redis. A channel has one handler; a second call replaces it.
   * @throws {LinkError} (rejects) when it was not acknowledged; then it is not subscribed.
   */
  subscribe(channel: string, handler: MessageHandler, options: RequestOptions): Promise<void> {
    return this.#subscribe({ verb: 'SUBSCRIBE', topic: channel, handler, held: false }, options);
  }

  /** As `subscribe`, for all channels that match a pattern. */
  psubscribe(pattern: string, handler: MessageHandler, options: RequestOptions): Promise<void> {
    return this.#subscribe({ verb: 'PSUBSCRIBE', topic: pattern, handler, held: false }, options);
  }

  /** Ends a subscription to a channel; its handler is not called again. @throws {LinkError} (rejects) as `request`. */
  async unsubscribe(channel: string, options: RequestOptions): Promise<void> {
    if (this.#subscriptions.delete(`SUBSCRIBE ${channel}`)) await this.request(['UNSUBSCRIBE', channel], options);
  }

  /** As `unsubscribe`, for a pattern. */
  async punsubscribe(pattern: string, options: RequestOptions): Promise<void> {
    if (this.#subscriptions.delete(`PSUBSCRIBE ${pattern}`)) await this.request(['PUNSUBSCRIBE', pattern], options);
  }

  /** Ends the link for good; what has no reply yet is rejected with ERR_LINK_CLOSED. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#connection?.close();
    this.#connection = null;
    this.#subscriptions.clear();
    const error = (sent: boolean): LinkError => new LinkError('ERR_LINK_CLOSED', 'the link was closed', sent);
    this.#rejectAll(this.#inFlight, error(true));
    this.#rejectAll(this.#waiting, error(false));
  }

  #connect(): void {
    this.#retry = null;
    this.#connection = openConnection<Request>(this.#options, {
      onUp: () => this.#becomeUp(),
      onReply: (reply, request) => this.#answered(reply, request),
      onMessage: (channel, message, pattern) => this.#message(channel, message, pattern),
      onPush: (items) => this.#options.onPush?.(items),
      onNote: (text) => this.#options.onNote?.(text),
      onClosed: (why, detail) => this.#becomeDown({ why, detail }),
    });
  }

  #becomeUp(): void {
    this.#failure = null;
    this.#upSince_ms = performance.now();
    this.#silentSince_ms = null;
    this.#options.onState?.({ is: 'up' });
    for (const subscription of this.#subscriptions.values()) if (subscription.held) this.#renew(subscription);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const request of waiting) this.#take(request);
  }

  #becomeDown(failure: Failure): void {
    this.#connection = null;
    this.#failure = failure;
    // A server that lets us in and throws us out again must not be asked every few milliseconds.
    if (performance.now() - this.#upSince_ms >= this.#backoff.max_ms) this.#backoff.reset();
    this.#upSince_ms = Number.POSITIVE_INFINITY;
    const delay_ms = this.#backoff.next();
    if (delay_ms !== null) this.#retry = setTimeout(() => this.#connect(), delay_ms);
    this.#rejectAll(this.#inFlight, this.#errorFor(failure, true));
    if (this.#options.whileDown !== 'wait' || delay_ms === null) {
      this.#rejectAll(this.#waiting, this.#errorFor(failure, false));
    }
    this.#options.onState?.({ is: 'down', ...failure, retryIn_ms: delay_ms });
  }

  /** Ends a connection that has become useless, as if the peer had. */
  #drop(failure: Failure): void {
    this.#connection?.close();
    this.#becomeDown(failure);
  }

  /** Sends a request, lets it wait, or rejects it. */
  #take(request: Request): void {
    if (this.#closed) {
      request.settle({ error: new LinkError('ERR_LINK_CLOSED', 'the link was closed', false) });
      return;
    }
    switch (this.#connection?.send(request.args, request)) {
      case 'sent':
        this.#inFlight.add(request);
        this.#silentSince_ms ??= performance.now();
        break;
      case 'full':
        request.settle({ error: this.#overloaded() });
        break;
      case 'down':
      case undefined:
        this.#wait(request);
        break;
    }
  }

  #wait(request: Request): void {
    const failure = this.#connection === null ? this.#failure : null;
    const givenUp = this.#connection === null && this.#retry === null;
    if (failure !== null && (givenUp || this.#options.whileDown !== 'wait')) {
      request.settle({ error: this.#errorFor(failure, false) });
    } else if (this.#waiting.size >= this.#pendingMax) request.settle({ error: this.#overloaded() });
    else this.#waiting.add(request);
  }

  #answered(reply: Reply, request: Request): void {
    const silent = this.#connection === null || this.#connection.pending === 0;
    this.#silentSince_ms = silent ? null : performance.now();
    this.#backoff.reset();
    // A request that missed its deadline is no longer in flight: its late reply ends here.
    if (this.#inFlight.delete(request)) request.settle({ reply });
  }

  #missed(request: Request, deadline_ms: number): void {
    const where = describeEndpoint(this.#options.to);
    if (this.#waiting.delete(request)) {
      const last = this.#failure === null ? '' : `; the last attempt: ${this.#failure.detail}`;
      const text = `no connection to ${where} within ${deadline_ms} ms${last}`;
      request.settle({ error: new LinkError('ERR_LINK_TIMEOUT', text, false) });
      return;
    }
    if (!this.#inFlight.delete(request)) return;
    const text = `no reply from ${where} within ${deadline_ms} ms`;
    request.settle({ error: new LinkError('ERR_LINK_TIMEOUT', text, true) });
    const silent_ms = this.#silentSince_ms === null ? 0 : performance.now() - this.#silentSince_ms;
    if (this.#options.closeOnTimeout === true || silent_ms >= this.#silence_ms) {
      this.#drop({ why: 'timeout', detail: text });
    }
  }

  #message(channel: string, message: string, pattern: string | null): void {
    const key = pattern === null ? `SUBSCRIBE ${channel}` : `PSUBSCRIBE ${pattern}`;
    this.#subscriptions.get(key)?.handler(message, channel);
  }

  async #subscribe(subscription: Subscription, options: RequestOptions): Promise<void> {
    const { verb, topic } = subscription;
    const key = `${verb} ${topic}`;
    this.#subscriptions.set(key, subscription);
    const forget = (): void => {
      if (this.#subscriptions.get(key) === subscription) this.#subscriptions.delete(key);
    };
    const reply = await this.request([verb, topic], options).catch((error: unknown) => {
      forget();
      throw error;
    });
    if (reply instanceof ErrorReply) {
      forget();
      throw new LinkError('ERR_LINK_SUBSCRIBE', `${verb} ${topic}: ${reply.message}`, true);
    }
    subscription.held = true;
  }

  /** Subscribes again on a new connection. Without an answer the connection is of no use. */
  #renew(subscription: Subscription): void {
    const { verb, topic } = subscription;
    const deadline_ms = this.#options.connectTimeout_ms;
    const connection = this.#connection;
    this.request([verb, topic], { deadline_ms }).then(
      (reply) => {
        if (reply instanceof ErrorReply) this.#options.onNote?.(`${verb} ${topic}: ${reply.message}`);
      },
      (error: unknown) => {
        if (connection !== null && this.#connection === connection) {
          this.#drop({ why: 'timeout', detail: `${verb} ${topic} after reconnecting: ${String(error)}` });
        }
      },
    );
  }

  #rejectAll(requests: Set<Request>, error: LinkError): void {
    for (const request of requests) {
      requests.delete(request);
      request.settle({ error });
    }
  }

  #errorFor(failure: Failure, sent: boolean): LinkError {
    const where = describeEndpoint(this.#options.to);
    return new LinkError(codeOf(failure.why), `${where}: ${failure.detail}`, sent);
  }

  #overloaded(): LinkError {
    return new LinkError(
      'ERR_LINK_OVERLOADED',
      `too many requests wait for ${describeEndpoint(this.#options.to)}`,
      false,
    );
  }
}

function cryptoRandom(): number {
  return randomInt(2 ** 32) / 2 ** 32;
}
