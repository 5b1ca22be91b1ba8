/** Puts what one instance wants done into the router's list of effects, in the order in which it must happen. */
import { type Advert, encodeAdvert, VRRP_TTL } from '../packet/packet.js';
import { allAddresses, type InstanceConfig, type VirtualAddress } from './config.js';
import type { Effect, LogLevel, State } from './io.js';
import { Quiet } from './quiet.js';

export class Outbox {
  readonly #effects: Effect[];
  readonly #quiet = new Quiet();
  #config: InstanceConfig;

  constructor(config: InstanceConfig, effects: Effect[]) {
    this.#config = config;
    this.#effects = effects;
  }

  setConfig(config: InstanceConfig): void {
    this.#config = config;
  }

  /** One advert with this priority to the group, or to each peer. Returns how many packets that is. */
  advert(priority: number, source: string): number {
    const config = this.#config;
    const multicast = config.peers.length === 0;
    const advert: Advert = {
      version: config.version,
      vrid: config.vrid,
      priority,
      interval_ms: config.interval_ms,
      auth: config.auth,
      addresses: config.addresses.map((a) => a.ip),
    };
    const destinations = multicast ? [config.group] : config.peers.map((p) => p.address);
    for (const destination of destinations) {
      this.#effects.push({
        do: 'send',
        instance: config.name,
        interface: config.interface,
        family: config.family,
        source,
        destination,
        ttl: multicast ? VRRP_TTL : config.unicastTtl,
        payload: encodeAdvert(advert, { source, destination }),
      });
    }
    return destinations.length;
  }

  claim(addresses: readonly VirtualAddress[]): void {
    if (addresses.length === 0) return;
    const { name, vipLifetime_s } = this.#config;
    this.#effects.push({ do: 'claim', instance: name, addresses, lifetime_s: vipLifetime_s });
  }

  release(addresses: readonly VirtualAddress[], farewell_ms: number | null): void {
    if (addresses.length === 0) return;
    this.#effects.push({ do: 'release', instance: this.#config.name, addresses, farewell_ms });
  }

  announce(addresses: readonly VirtualAddress[]): void {
    if (addresses.length > 0) this.#effects.push({ do: 'announce', instance: this.#config.name, addresses });
  }

  probe(): void {
    const addresses = allAddresses(this.#config);
    if (addresses.length > 0) this.#effects.push({ do: 'probe', instance: this.#config.name, addresses });
  }

  notify(state: 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'DELETED', priority: number, reason: string): void {
    this.#effects.push({ do: 'notify', kind: 'INSTANCE', name: this.#config.name, state, priority, reason });
  }

  lowerHeard(priority: number): void {
    this.#effects.push({ do: 'lower-heard', instance: this.#config.name, priority });
  }

  priority(state: State, priority: number): void {
    this.#effects.push({ do: 'priority', instance: this.#config.name, state, priority });
  }

  log(level: LogLevel, message: string): void {
    this.#effects.push({ do: 'log', level, instance: this.#config.name, message });
  }

  /** Logs the first message of a kind, then at most one a minute. */
  logOnce(now: number, level: LogLevel, kind: string, message: string): void {
    const text = this.#quiet.pass(now, kind, message);
    if (text !== null) this.log(level, text);
  }
}
