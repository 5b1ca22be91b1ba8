import type { HostSight } from '../sight.js';
import { SightChecker } from './agent-checker.js';

/** The router process wakes up late, or a message is on its way. */
const VIP_LATE_MS = 5;
/** An order to Redis is on its way, and a tick is late. */
const FENCE_LATE_MS = 30;

/** The VIP is on no host whose keeper does not hold the lease. A router process that was killed or halted keeps it for longer. */
export class VipLeased extends SightChecker {
  readonly property = 'no VIP without the lease';

  look(group: string, hosts: readonly HostSight[], now: number): string | null {
    for (const { name, vip, leasedUntil, routerSteady } of hosts) {
      if (!vip || !routerSteady || leasedUntil + VIP_LATE_MS >= now) continue;
      return `${name} has the VIP of ${group} ${(now - leasedUntil).toFixed(1)} ms after its lease`;
    }
    return null;
  }
}

/** A master whose lease is over takes no writes, if its agent is there to see to it. */
export class Fenced extends SightChecker {
  readonly property = 'a master whose lease is over is fenced';
  /** By group and host: the lease that it has led with. */
  readonly #led = new Map<string, number>();

  look(group: string, hosts: readonly HostSight[], now: number): string | null {
    for (const { name, writable, leasedUntil, agentSteady, redisSteady } of hosts) {
      const key = `${group} ${name}`;
      if (!writable) this.#led.delete(key);
      else if (leasedUntil > now) this.#led.set(key, leasedUntil);
      const led = this.#led.get(key);
      if (led === undefined || !agentSteady || !redisSteady || leasedUntil + FENCE_LATE_MS >= now) continue;
      return `${name} takes writes of ${group} ${(now - leasedUntil).toFixed(1)} ms after its lease`;
    }
    return null;
  }
}
