/** A link as `src/redis/link.ts` is one: requests with deadlines, and connections that come back by themselves. */
import type { Reply } from '../../redis/reply.js';
import type { Context } from '../context.js';
import type { Gate } from '../gate.js';
import { End, type Host } from '../network.js';
import type { Place } from '../redis/process.js';

/** What became of a request: an answer, or why there is none. */
export type Outcome = { readonly reply: Reply } | { readonly error: string; readonly timedOut: boolean };

export interface LinkOptions {
  readonly from: { readonly host: Host; readonly gate: Gate };
  readonly to: Place;
  readonly connectTimeout_ms: number;
  readonly backoff: { readonly base_ms: number; readonly max_ms: number };
  /** Requests that may be unanswered; beyond, they fail at once. */
  readonly pending_max: number;
  /** A missed deadline ends the connection. */
  readonly closeOnTimeout: boolean;
  readonly onUp?: () => void;
  readonly onDown?: (why: string) => void;
}

interface Request {
  readonly args: readonly string[];
  readonly done: (outcome: Outcome) => void;
  readonly dueAt: number;
  settled: boolean;
}

export class Link {
  /** The most that was unanswered at once. */
  peak = 0;
  #end: End | null = null;
  /** Null while an attempt is under way or the link is up. */
  #failure: string | null = null;
  #queue: Request[] = [];
  #tries = 0;
  #closed = false;
  #timerAt = Number.POSITIVE_INFINITY;

  constructor(
    private readonly context: Context,
    private readonly options: LinkOptions,
  ) {
    this.#connect();
  }

  get up(): boolean {
    return this.#end !== null;
  }

  request(args: readonly string[], deadline_ms: number, done: (outcome: Outcome) => void): void {
    if (this.#closed || this.#failure !== null) return done({ error: this.#failure ?? 'closed', timedOut: false });
    if (this.#queue.length >= this.options.pending_max) {
      return done({ error: 'too much is unanswered', timedOut: false });
    }
    this.#queue.push({ args, done, dueAt: this.context.loop.now + deadline_ms, settled: false });
    this.peak = Math.max(this.peak, this.#queue.length);
    this.#end?.send({ kind: 'request', args });
    this.#arm();
  }

  /** Ends it for good. @param silently the host is gone; else the peer is told */
  close(how: 'orderly' | 'reset' | 'silently' = 'orderly'): void {
    this.#closed = true;
    const end = this.#end;
    this.#end = null;
    this.#queue = [];
    if (how === 'silently') end?.vanish();
    else if (how === 'reset') end?.reset();
    else end?.close();
  }

  #connect(): void {
    this.#failure = null;
    const { from, to, connectTimeout_ms } = this.options;
    this.context.network.connect(from, to, connectTimeout_ms, (result) => {
      if (this.#closed) return result instanceof End ? result.close() : undefined;
      if (!(result instanceof End) || !result.open) return this.#lost(result instanceof End ? 'reset' : result);
      this.#connected(result);
    });
  }

  #connected(end: End): void {
    this.#end = end;
    this.#tries = 0;
    end.onMessage = (message) => {
      if (message.kind !== 'reply' || this.#end !== end) return;
      const request = this.#queue.shift();
      if (request?.settled === false) request.done({ reply: message.reply });
    };
    end.onClose = (why) => {
      if (this.#end === end) this.#lost(why);
    };
    for (const { args } of this.#queue) end.send({ kind: 'request', args });
    this.options.onUp?.();
  }

  #lost(why: string): void {
    this.#end = null;
    this.#failure = why;
    const queue = this.#queue;
    this.#queue = [];
    const { base_ms, max_ms } = this.options.backoff;
    const { loop, prng } = this.context;
    const wait_ms = Math.min(max_ms, base_ms * 2 ** Math.min(10, this.#tries++));
    loop.after(wait_ms * (0.5 + prng.below(500) / 1_000), () =>
      this.options.from.gate.pass(() => {
        if (!this.#closed) this.#connect();
      }),
    );
    for (const request of queue) if (!request.settled) request.done({ error: why, timedOut: false });
    this.options.onDown?.(why);
  }

  /** One timer for the oldest: deadlines of one link hardly differ. */
  #arm(): void {
    const due = this.#queue.find(({ settled }) => !settled)?.dueAt;
    if (due === undefined || due >= this.#timerAt) return;
    this.#timerAt = due;
    this.context.loop.at(due, () =>
      this.options.from.gate.pass(() => {
        if (this.#closed || this.#timerAt !== due) return;
        this.#timerAt = Number.POSITIVE_INFINITY;
        this.#expire();
        this.#arm();
      }),
    );
  }

  #expire(): void {
    const { now } = this.context.loop;
    const late = this.#queue.filter(({ settled, dueAt }) => !settled && dueAt <= now);
    if (late.length === 0) return;
    for (const request of late) {
      request.settled = true;
      request.done({ error: 'no answer in time', timedOut: true });
    }
    if (this.options.closeOnTimeout && this.#end !== null) {
      const end = this.#end;
      this.#end = null;
      end.close();
      this.#lost('no answer in time');
    }
  }
}
