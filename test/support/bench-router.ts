/** A router on a workbench, for tests: a clock in the hand, and effects gathered by kind. */

import type { InstanceConfig, RouterConfig } from '../../src/vrrp/core/config.js';
import { defaultAddress, defaultInstance } from '../../src/vrrp/core/defaults.js';
import type { Effect, Input, State } from '../../src/vrrp/core/io.js';
import { Router } from '../../src/vrrp/core/router.js';
import { type Advert, decodeAdvert, encodeAdvert } from '../../src/vrrp/packet/packet.js';

export const VIP = '10.0.0.100';
export const OWN = '10.0.0.1';
export const OTHER = '10.0.0.2';

export type EffectOf<K extends Effect['do']> = Extract<Effect, { do: K }>;

/** An instance A with VRID 51 and one address on eth0. */
export function instanceA(given: Partial<InstanceConfig> = {}): InstanceConfig {
  return defaultInstance({
    name: 'A',
    vrid: 51,
    interface: 'eth0',
    addresses: [defaultAddress(VIP, 'eth0')],
    ...given,
  });
}

export class BenchRouter {
  readonly router: Router;
  now = 1000;
  /** Everything since the last `take`. */
  effects: Effect[] = [];

  constructor(...instances: InstanceConfig[]) {
    this.router = new Router({ instances, groups: [], startupDelay_ms: 0 });
  }

  static of(config: RouterConfig): BenchRouter {
    const bench = new BenchRouter();
    bench.feed({ on: 'configure', config });
    return bench;
  }

  feed(input: Input): readonly Effect[] {
    const effects = this.router.step(this.now, input);
    this.effects.push(...effects);
    return effects;
  }

  /** Starts on a healthy host whose eth0 is up and has the address OWN. */
  start(): this {
    this.feed({ on: 'link', interface: 'eth0', up: true });
    this.feed({ on: 'source', interface: 'eth0', family: 'ipv4', address: OWN });
    this.feed({ on: 'source', interface: 'eth0', family: 'ipv6', address: 'fe80::1' });
    this.feed({ on: 'start' });
    return this;
  }

  /** Lets time pass, with every deadline met on time. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.router.nextDeadline() <= end) {
      this.now = Math.max(this.now, this.router.nextDeadline());
      this.feed({ on: 'tick' });
    }
    this.now = end;
  }

  /** An advert like ours, as another router would send it. */
  hear(change: Partial<Advert> = {}, from = OTHER, ttl = 255, destination = '224.0.0.18'): readonly Effect[] {
    const config = this.router.snapshot(this.now)[0];
    const advert: Advert = {
      version: config?.version ?? 2,
      vrid: config?.vrid ?? 51,
      priority: 100,
      interval_ms: config?.advertInterval_ms ?? 1000,
      auth: { kind: 'none' },
      addresses: [VIP],
      ...change,
    };
    const ends = { source: from, destination };
    const payload = encodeAdvert(advert, ends);
    return this.feed({ on: 'packet', packet: { interface: 'eth0', family: 'ipv4', ...ends, ttl, payload } });
  }

  state(name = 'A'): State | undefined {
    return this.router.snapshot(this.now).find((i) => i.name === name)?.state;
  }

  reason(name = 'A'): string {
    return this.router.snapshot(this.now).find((i) => i.name === name)?.reason ?? '';
  }

  /** The effects of one kind since the last `take`, which are then forgotten with all others. */
  take<K extends Effect['do']>(kind: K): EffectOf<K>[] {
    const found = this.effects.filter((e): e is EffectOf<K> => e.do === kind);
    this.effects = [];
    return found;
  }

  /** The order of the effects since the last `take`, with the details that matter for it. */
  order(): string[] {
    const words = this.effects.flatMap((e) => {
      if (e.do === 'send') return [`send ${this.sent(e).priority}`];
      if (e.do === 'notify') return [`notify ${e.name} ${e.state}`];
      return e.do === 'log' || e.do === 'priority' ? [] : [e.do];
    });
    this.effects = [];
    return words;
  }

  sent(effect: EffectOf<'send'>): Advert {
    const decoded = decodeAdvert(effect.payload, effect);
    if (!decoded.ok) throw new Error(`sent what it could not read: ${decoded.fault}`);
    return decoded.advert;
  }
}
