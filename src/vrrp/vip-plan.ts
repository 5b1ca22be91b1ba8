/** What keeps the VIPs of one host: the virtual routers, and which tracked item lets each group have its own. */
import type { ClusterMode } from '../config/tanist/model.js';
import type { RouterConfig } from './core/config.js';

/** A group's addresses, all on one host or none. */
export interface VipGroup {
  readonly name: string;
  /** The item that must be up: `lease:<group>` in quorum mode, `redis:<group>` in pair mode. */
  readonly item: string;
  readonly instances: readonly string[];
  readonly addresses: readonly string[];
}

export interface VipPlan {
  /** `quorum`: whoever is granted a VIP has it. `pair`: those to whom it is granted elect one among themselves. */
  readonly mode: ClusterMode;
  readonly router: RouterConfig;
  readonly groups: readonly VipGroup[];
}
