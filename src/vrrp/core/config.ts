/** What a virtual router is told to be. Plain data: whoever reads a file, or the agent, builds it. */
import type { Family } from '../../base/ip-bytes.js';
import { type Auth, PRIORITY_OWNER } from '../packet/packet.js';

/** One address that follows the master. */
export interface VirtualAddress {
  /** Canonical text. */
  readonly ip: string;
  readonly family: Family;
  readonly prefix: number;
  /** The interface that carries it while this host is master. */
  readonly device: string;
  /** An alias of the interface, as `ip addr` shows it; null for none. */
  readonly label: string | null;
  readonly scope: 'global' | 'site' | 'link' | 'host' | 'nowhere';
  readonly broadcast: string | null;
  readonly peer: string | null;
  /** Never chosen as the source of outgoing connections (IPv6 only; keepalived's default for a /128). */
  readonly deprecated: boolean;
  readonly home: boolean;
  readonly noPrefixRoute: boolean;
  /** Left alone when somebody else removes it. */
  readonly noTrack: boolean;
}

/** How something watched bears on the priority. A weight of 0 is not a weight: down means fault. */
export interface Weight {
  /** -254 to 254. Positive: added while up. Negative: added while down. 0: fault while down. */
  readonly weight: number;
  /** The other way round: subtracted while up, added while down; with weight 0, fault while up. */
  readonly reverse: boolean;
}

export interface TrackedInterface extends Weight {
  readonly interface: string;
}

/** A script, process or file that is watched; `id` names it uniquely, e.g. `script:chk_redis`. */
export interface TrackedItem extends Weight {
  readonly id: string;
}

/** One router that adverts are exchanged with directly instead of by multicast. */
export interface Peer {
  readonly address: string;
  /** Adverts whose TTL or hop limit lies outside are dropped; null for no limit. */
  readonly minTtl: number | null;
  readonly maxTtl: number | null;
}

/** How often, and how many times over, an address is announced by gratuitous ARP or unsolicited neighbour adverts. */
export interface AnnouncePlan {
  /** Announcements in the set sent on becoming master. */
  readonly repeat: number;
  /** The second such set comes this much later; 0 for none. */
  readonly delay_ms: number;
  /** Sets sent while master; 0 for none. */
  readonly refresh_ms: number;
  readonly refreshRepeat: number;
  /** The set sent when a router with a lower priority is heard while master. */
  readonly lowerRepeat: number;
  readonly lowerDelay_ms: number;
  /** Between two announcements of a set. */
  readonly gap_ms: number;
}

export interface InstanceConfig {
  readonly name: string;
  readonly vrid: number;
  readonly family: Family;
  readonly version: 2 | 3;
  readonly interface: string;
  /** 1 to 254, or 255 for the owner of the addresses. */
  readonly priority: number;
  readonly interval_ms: number;
  /** Adverts missed before the master counts as gone; 3 by the RFCs. */
  readonly downAdverts: number;
  readonly preempt: boolean;
  readonly preemptDelay_ms: number;
  /** Sent from here; null for the interface's own address. */
  readonly source: string | null;
  /** Fault while `source` is not on this host. */
  readonly trackSource: boolean;
  /** Empty for multicast. */
  readonly peers: readonly Peer[];
  readonly group: string;
  /** The TTL or hop limit of unicast adverts. */
  readonly unicastTtl: number;
  /** Drop unicast adverts from anybody who is not a peer. */
  readonly checkPeers: boolean;
  readonly auth: Auth;
  /** In adverts, and kept. */
  readonly addresses: readonly VirtualAddress[];
  /** Kept, but not in adverts. */
  readonly excluded: readonly VirtualAddress[];
  /** Check the address list of a router only when another one was heard before. */
  readonly skipAddressCheck: boolean;
  readonly announce: AnnouncePlan;
  /** Keep silent when a lower priority is heard while master. */
  readonly lowerPrioNoAdvert: boolean;
  /** Answer a higher priority with one last advert of our own. */
  readonly higherPrioSendAdvert: boolean;
  readonly trackPrimary: boolean;
  readonly trackInterfaces: readonly TrackedInterface[];
  readonly tracks: readonly TrackedItem[];
  /** The addresses vanish by themselves this long after the last refresh; null for never. Whole seconds. */
  readonly vipLifetime_s: number | null;
  /**
   * A quorum lends the addresses, by a tracked item with a deadline. Then priority 255 means "at once, and to nobody else",
   * not that the addresses are the host's own; and the loan, not an advert, says who is master.
   */
  readonly leased: boolean;
  /** When addresses leave this host, their TCP connections are ended, and whoever still sends to them is refused. */
  readonly farewell: boolean;
}

/** Instances that are master together or not at all. */
export interface GroupConfig {
  readonly name: string;
  readonly members: readonly string[];
  readonly trackInterfaces: readonly TrackedInterface[];
  readonly tracks: readonly TrackedItem[];
  /** Let the members' own weights count, though they may then differ. */
  readonly memberWeights: boolean;
}

export interface RouterConfig {
  readonly instances: readonly InstanceConfig[];
  readonly groups: readonly GroupConfig[];
  /** Nothing is sent or taken over for this long after the start. */
  readonly startupDelay_ms: number;
}

/** Every address of an instance, advertised or not. */
export function allAddresses(config: InstanceConfig): readonly VirtualAddress[] {
  return [...config.addresses, ...config.excluded];
}

/** Whether the addresses are the host's own, there before the router came and after it has gone. */
export function ownsAddresses(config: InstanceConfig): boolean {
  return config.priority === PRIORITY_OWNER && !config.leased;
}

/** An address as text, with what tells it apart from others on this host. */
export function addressKey(address: VirtualAddress): string {
  return `${address.ip}/${address.prefix}@${address.device}`;
}
