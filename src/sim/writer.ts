/** A client that writes numbered keys to a group's master, wherever the sentinels say that it is. */
import { OK } from '../redis/reply.js';
import type { Context } from './context.js';
import { Gate } from './gate.js';
import type { Message } from './message.js';
import { End, type Host } from './network.js';
import type { Place } from './redis/process.js';

/** Gives up waiting for anything after this. */
const PATIENCE_MS = 2_000;
const RETRY_MS = 100;

export class Writer {
  readonly gate = new Gate();
  /** The numbers of the writes that were acknowledged. */
  readonly acknowledged: number[] = [];
  #next = 1;
  #end: End | null = null;
  /** Counts what is waited for: what comes later is for nobody. */
  #turn = 0;
  #stopped = false;

  constructor(
    private readonly context: Context,
    private readonly group: string,
    readonly host: Host,
    private readonly sentinels: readonly Place[],
    private readonly period_ms: number,
  ) {}

  /** Ends what it was doing and looks for the master. */
  seek(): void {
    this.#end?.close();
    this.#end = null;
    if (this.#stopped) return;
    this.#ask(
      this.context.prng.pick(this.sentinels),
      ['SENTINEL', 'get-master-addr-by-name', this.group],
      (reply, end) => {
        end.close();
        if (!Array.isArray(reply)) return this.#later();
        const [ip, port] = reply as [string, string];
        this.#connect({ ip, port: Number(port) });
      },
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#turn += 1;
  }

  #later(): void {
    const turn = ++this.#turn;
    this.context.loop.after(RETRY_MS, () => {
      if (turn === this.#turn) this.seek();
    });
  }

  #connect(master: Place): void {
    const turn = this.#expect();
    this.context.network.connect(this, master, PATIENCE_MS, (result) => {
      if (turn !== this.#turn) return result instanceof End ? result.close() : undefined;
      if (!(result instanceof End) || !result.open) return this.#later();
      this.#end = result;
      result.onClose = () => {
        if (this.#end !== result) return;
        this.#end = null;
        this.#later();
      };
      this.#write(result);
    });
  }

  #write(end: End): void {
    const turn = this.#expect();
    const id = this.#next++;
    end.onMessage = (message: Message) => {
      if (turn !== this.#turn || message.kind !== 'reply') return;
      if (message.reply !== OK) {
        end.close();
        this.#end = null;
        return this.#later();
      }
      this.acknowledged.push(id);
      const after = ++this.#turn;
      this.context.loop.after(this.period_ms, () => {
        if (after === this.#turn && this.#end === end) this.#write(end);
      });
    };
    end.send({ kind: 'request', args: ['SET', String(id)] });
  }

  /** Begins to wait for something; starts anew when it takes too long. */
  #expect(): number {
    const turn = ++this.#turn;
    this.context.loop.after(PATIENCE_MS * 4, () => {
      if (turn === this.#turn) this.seek();
    });
    return turn;
  }

  #ask(to: Place, args: readonly string[], then: (reply: unknown, end: End) => void): void {
    const turn = this.#expect();
    this.context.network.connect(this, to, PATIENCE_MS, (result) => {
      if (turn !== this.#turn) return result instanceof End ? result.close() : undefined;
      if (!(result instanceof End) || !result.open) return this.#later();
      result.onClose = () => {
        if (turn === this.#turn) this.#later();
      };
      result.onMessage = (message) => {
        if (turn === this.#turn && message.kind === 'reply') then(message.reply, result);
      };
      result.send({ kind: 'request', args });
    });
  }
}
