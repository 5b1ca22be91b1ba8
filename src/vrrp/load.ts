/** A keepalived.conf, from file to plan, with everything that is wrong with it. */
import type { Diagnostic } from '../config/keepalived/diagnostics.js';
import { readKeepalivedConf } from '../config/keepalived/read.js';
import { type PlanOptions, planFromKeepalived } from './from-keepalived.js';
import { checkHost } from './host-check.js';
import type { VrrpPlan } from './plan.js';

export interface LoadOptions extends PlanOptions {
  readonly configId?: string;
}

export interface Loaded {
  readonly plan: VrrpPlan;
  readonly diagnostics: readonly Diagnostic[];
}

export function loadVrrpPlan(path: string, options: LoadOptions): Loaded {
  const { conf, diagnostics: read } = readKeepalivedConf(
    path,
    options.configId === undefined ? {} : { configId: options.configId },
  );
  const { plan, diagnostics: planned } = planFromKeepalived(conf, options);
  return { plan, diagnostics: [...read, ...planned, ...checkHost(conf, plan)] };
}

/**
 * The faults of `next` that `current` does not have. A reload must bring no new fault; one that the running
 * configuration has already been started with is no reason to refuse it.
 */
export function newFaults(current: Loaded, next: Loaded): readonly Diagnostic[] {
  const known = new Set(current.diagnostics.map((d) => d.message));
  return next.diagnostics.filter((d) => d.severity === 'fatal' || (d.severity === 'error' && !known.has(d.message)));
}
