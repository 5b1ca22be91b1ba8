/** Everything one `tanist vrrp` process does: the virtual routers, and the scripts around them. */
import type { Command, Fifo, Notifies, TrackFile, TrackProcess, VrrpScript } from '../config/keepalived/model.js';
import type { RouterConfig } from './core/config.js';

export interface VrrpPlan {
  readonly router: RouterConfig;
  /** Only those that something tracks. */
  readonly scripts: readonly (VrrpScript & { readonly command: Command })[];
  readonly files: readonly TrackFile[];
  readonly processes: readonly TrackProcess[];
  readonly instanceNotifies: ReadonlyMap<string, Notifies>;
  readonly groupNotifies: ReadonlyMap<string, Notifies>;
  readonly fifos: readonly Fifo[];
  /** Priority changes of these instances go to the FIFOs. */
  readonly priorityNotifies: ReadonlySet<string>;
  /** Refuse scripts that others than root could change, when they would run as root. */
  readonly scriptSecurity: boolean;
  readonly scriptUser: { readonly user: string; readonly group: string | null } | null;
}
