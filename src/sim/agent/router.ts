/** The router process of a host under a quorum: it holds the VIP until the moment that the agent has granted, by itself. */
import { REFRESH_PART } from '../../vrrp/core/instance.js';
import { VIP_LIFETIME_S } from '../../vrrp/from-tanist.js';
import { VipRouter } from './vip-router.js';

const LIFETIME_MS = VIP_LIFETIME_S * 1_000;

export class Router extends VipRouter {
  /** Granted until then (virtual time); null: not at all. */
  #until: number | null = null;

  protected override begin(): void {
    this.#until = null;
    this.#refreshLater();
  }

  protected override farewell(): void {
    this.#until = null;
  }

  protected override lent(until: number | null): void {
    const { loop, prng } = this.context;
    this.#until = until;
    if (until === null || until <= loop.now) return this.leave();
    if (!this.holds) this.#keep();
    // A real-time process is woken in good time, mostly.
    this.at(until + prng.below(10) / 10, () => {
      if (this.#until === until) this.leave();
    });
  }

  #refreshLater(): void {
    this.at(this.context.loop.now + LIFETIME_MS * REFRESH_PART, () => {
      // After a halt: what was lent until a time that has passed is over, before anything else is done.
      if (this.#until !== null && this.#until <= this.context.loop.now) this.leave();
      else if (this.#until !== null) this.#keep();
      this.#refreshLater();
    });
  }

  #keep(): void {
    this.keep(this.context.loop.now + LIFETIME_MS);
  }
}
