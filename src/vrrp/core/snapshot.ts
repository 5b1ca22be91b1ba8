/** One instance as status pages and dumps show it. */
import { allAddresses } from './config.js';
import type { Instance } from './instance.js';
import type { State } from './io.js';
import type { Stats } from './stats.js';

export interface InstanceSnapshot {
  readonly name: string;
  readonly state: State;
  /** Why it is in this state. */
  readonly reason: string;
  readonly stateAge_ms: number;
  readonly vrid: number;
  readonly version: 2 | 3;
  readonly family: string;
  readonly interface: string;
  readonly basePriority: number;
  readonly priority: number;
  readonly advertInterval_ms: number;
  readonly preempt: boolean;
  readonly syncGroup: string | null;
  readonly master: { readonly source: string; readonly priority: number } | null;
  readonly faults: readonly string[];
  readonly addresses: readonly string[];
  readonly stats: Readonly<Stats>;
}

export function snapshotOf(instance: Instance, now: number): InstanceSnapshot {
  const { config, health } = instance;
  return {
    name: config.name,
    state: instance.state,
    reason: instance.reason,
    stateAge_ms: Math.round(now - instance.since),
    vrid: config.vrid,
    version: config.version,
    family: config.family,
    interface: config.interface,
    basePriority: config.priority,
    priority: health.priority,
    advertInterval_ms: config.interval_ms,
    preempt: config.preempt,
    syncGroup: instance.group?.name ?? null,
    master: instance.master,
    faults: health.faults,
    addresses: allAddresses(config).map((a) => `${a.ip}/${a.prefix} dev ${a.device}`),
    stats: instance.stats,
  };
}
