/** What a virtual host does with what its VRRP core says, and what it tells the core of itself. */
import { unreachable } from '../../base/assert.js';
import type { InstanceConfig } from '../../vrrp/core/config.js';
import type { Effect, Input, Packet } from '../../vrrp/core/io.js';

export interface VirtualHost {
  /** The packet leaves the host; `ttl` is what a neighbour on the link sees. */
  send(packet: Packet): void;
  /** @param until virtual time (ms) at which the kernel drops the addresses; infinity for never */
  claim(effect: Extract<Effect, { do: 'claim' }>, until: number): void;
  release(effect: Extract<Effect, { do: 'release' }>): void;
  notify(effect: Extract<Effect, { do: 'notify' }>): void;
}

/** @param now virtual time (ms) */
export function carryOut(effect: Effect, now: number, host: VirtualHost): void {
  switch (effect.do) {
    case 'send': {
      const { interface: device, family, source, destination, ttl, payload } = effect;
      return host.send({ interface: device, family, source, destination, ttl, payload });
    }
    case 'claim': {
      const { lifetime_s } = effect;
      return host.claim(effect, lifetime_s === null ? Number.POSITIVE_INFINITY : now + lifetime_s * 1_000);
    }
    case 'release':
      return host.release(effect);
    case 'notify':
      return host.notify(effect);
    // Virtual hosts have no ARP, and nobody who reads.
    case 'announce':
    case 'probe':
    case 'lower-heard':
    case 'priority':
    case 'log':
      return;
    default:
      unreachable(effect, 'effect');
  }
}

/** How the host's link and address stand: what `src/vrrp/run/kernel.ts` tells a core before it starts. */
export function standing(config: InstanceConfig, address: string, up: boolean): Input[] {
  const { interface: device, family, source } = config;
  const inputs: Input[] = [
    { on: 'link', interface: device, up },
    { on: 'source', interface: device, family, address },
  ];
  if (source !== null) inputs.push({ on: 'local', address: source, present: source === address });
  return inputs;
}
