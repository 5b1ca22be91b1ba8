/**
 * What keeps the VIP of a group on a host, however it is decided who has it: a process beside the agent, with a pipe from
 * the agent to it. If it dies, the kernel drops the address at the end of its lifetime.
 */
import type { Context } from '../context.js';
import { Gate } from '../gate.js';

/** From agent to router. */
export const PIPE_MS = 0.1;

export interface VipEvents {
  /** The address has come to the host, or has left it: for the keeper. */
  held(held: boolean): void;
  /** Something has changed that checkers look at. */
  changed(): void;
}

export abstract class VipRouter {
  readonly gate = new Gate();
  alive = false;
  /** Which start this is; it changes at each end, too. */
  life = 0;
  /** When it was last killed, frozen, or came back from either. */
  disturbedAt = Number.NEGATIVE_INFINITY;
  /** When the address came to the host last. */
  claimedAt = 0;
  /** The kernel drops the address then. */
  #addressUntil = Number.NEGATIVE_INFINITY;
  #told = false;

  constructor(
    protected readonly context: Context,
    private readonly events: VipEvents,
  ) {}

  /** The process begins: nothing has been lent yet. */
  protected abstract begin(): void;
  /** What the agent lends has arrived. */
  protected abstract lent(until: number | null): void;
  /** The process knows that its agent is gone; the address leaves in any case. */
  protected abstract farewell(): void;

  /** Whether the address is on the host. */
  get holds(): boolean {
    return this.context.loop.now < this.#addressUntil;
  }

  start(): void {
    this.alive = true;
    this.life += 1;
    // A halt of the process before, which may have outlived its agent, is none of this one.
    this.gate.reset(false);
    // What a former process has left behind is removed.
    this.leave();
    this.begin();
  }

  /** kill -9: the address stays for the rest of its lifetime. */
  kill(): void {
    this.#end();
    this.gate.reset(false);
    this.disturbedAt = this.context.loop.now;
  }

  /** The host is gone, and its kernel. */
  vanish(): void {
    this.kill();
    this.#addressUntil = Number.NEGATIVE_INFINITY;
    this.#told = false;
  }

  /** The agent is gone: its end of the pipe is closed. */
  orphan(): void {
    this.#fromAgent(() => {
      this.farewell();
      this.leave();
      this.#end();
    });
  }

  /** @param until virtual time; null takes the VIP back */
  lend(until: number | null): void {
    this.#fromAgent(() => this.lent(until));
  }

  /** The process does it, now or once it is not halted any more: this one, and not another that has taken its place since. */
  protected pass(run: () => void): void {
    const { life } = this;
    if (!this.alive) return;
    this.gate.pass(() => {
      if (life === this.life) run();
    });
  }

  /** The process sets itself a timer. */
  protected at(moment: number, run: () => void): void {
    const { life } = this;
    this.context.loop.at(moment, () => {
      if (life === this.life) this.pass(run);
    });
  }

  /** Puts the address on the host, or refreshes its lifetime. */
  protected keep(until: number): void {
    if (!this.holds) this.claimedAt = this.context.loop.now;
    this.#addressUntil = until;
    this.#tell();
  }

  protected leave(): void {
    this.#addressUntil = Number.NEGATIVE_INFINITY;
    this.#tell();
  }

  #fromAgent(run: () => void): void {
    this.at(this.context.loop.now + PIPE_MS, run);
  }

  #end(): void {
    this.alive = false;
    this.life += 1;
  }

  #tell(): void {
    if (this.#told === this.holds) return;
    this.#told = this.holds;
    this.events.held(this.#told);
    this.events.changed();
  }
}
