/**
 * The VRRP router process of a host: it holds the VIP until the moment that the agent has granted, by itself, whatever
 * becomes of the agent. If it dies, the kernel drops the address at the end of its lifetime.
 */
import type { Context } from '../context.js';
import { Gate } from '../gate.js';

/** As in `src/vrrp`: the lifetime of an address, and after how much of it the address is refreshed. */
const LIFETIME_MS = 2_000;
const REFRESH_MS = 900;
/** From agent to router. */
export const PIPE_MS = 0.1;

/** What keeps the VIP of a group on a host, however it is decided who has it. */
export interface VipRouter {
  readonly gate: Gate;
  readonly alive: boolean;
  /** Which start this is. */
  readonly life: number;
  /** When it was last killed, frozen, or came back from either. */
  disturbedAt: number;
  /** Whether the address is on the host. */
  readonly holds: boolean;
  /** When the address came to the host last. */
  readonly claimedAt: number;
  start(): void;
  /** kill -9: the address stays for the rest of its lifetime. */
  kill(): void;
  /** The host is gone, and its kernel. */
  vanish(): void;
  /** The agent is gone: its end of the pipe is closed. */
  orphan(): void;
  /** @param until virtual time; null takes the VIP back */
  lend(until: number | null): void;
}

export class Router implements VipRouter {
  readonly gate = new Gate();
  alive = false;
  disturbedAt = Number.NEGATIVE_INFINITY;
  life = 0;
  /** Granted until then (virtual time); null: not at all. */
  #until: number | null = null;
  /** The kernel drops the address then. */
  #addressUntil = Number.NEGATIVE_INFINITY;
  #told = false;
  claimedAt = 0;

  constructor(
    private readonly context: Context,
    /** Whether the address is there now: for the keeper. */
    private readonly onHeld: (held: boolean) => void,
    /** Something has changed that checkers look at. */
    private readonly changed: () => void,
  ) {}

  get holds(): boolean {
    return this.context.loop.now < this.#addressUntil;
  }

  start(): void {
    this.alive = true;
    this.life += 1;
    // A halt of the process before, which may have outlived its agent, is none of this one.
    this.gate.reset(false);
    this.#until = null;
    // What a former process has left behind is removed.
    this.#leave();
    this.#refresh(this.life);
  }

  kill(): void {
    this.alive = false;
    this.life += 1;
    this.gate.reset(false);
    this.disturbedAt = this.context.loop.now;
  }

  vanish(): void {
    this.kill();
    this.#addressUntil = Number.NEGATIVE_INFINITY;
    this.#told = false;
  }

  orphan(): void {
    this.#later(() => {
      this.#leave();
      this.alive = false;
      this.life += 1;
    });
  }

  lend(until: number | null): void {
    this.#later(() => {
      this.#until = until;
      this.#settle();
    });
  }

  #later(run: () => void): void {
    const life = this.life;
    this.context.loop.after(PIPE_MS, () => {
      if (!this.alive || life !== this.life) return;
      // What reaches a halted process is for that one alone, also when another has taken its place by the time it goes on.
      this.gate.pass(() => {
        if (life === this.life) run();
      });
    });
  }

  #settle(): void {
    const { loop } = this.context;
    const until = this.#until;
    if (until === null || until <= loop.now) return this.#leave();
    if (!this.holds) this.#claim();
    const life = this.life;
    // A real-time process is woken in good time, mostly.
    loop.at(until + this.context.prng.below(10) / 10, () => {
      if (life !== this.life || this.#until !== until) return;
      this.gate.pass(() => {
        if (this.#until === until) this.#leave();
      });
    });
  }

  #claim(): void {
    this.claimedAt = this.context.loop.now;
    this.#addressUntil = this.context.loop.now + LIFETIME_MS;
    this.#tell();
  }

  #refresh(life: number): void {
    this.context.loop.after(REFRESH_MS, () => {
      if (life !== this.life) return;
      this.gate.pass(() => {
        // After a halt: what was lent until a time that has passed is over, before anything else is done.
        if (this.#until !== null && this.#until <= this.context.loop.now) this.#leave();
        else if (this.#until !== null) this.#addressUntil = this.context.loop.now + LIFETIME_MS;
      });
      this.#refresh(life);
    });
  }

  #leave(): void {
    this.#addressUntil = Number.NEGATIVE_INFINITY;
    this.#tell();
  }

  #tell(): void {
    if (this.#told === this.holds) return;
    this.#told = this.holds;
    this.onHeld(this.#told);
    this.changed();
  }
}
