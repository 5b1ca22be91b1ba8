/** What a tanist.yml means for the VRRP router of one host: which virtual routers it is, and what decides over each. */
import { canonicalIp, type Family, familyOf } from '../base/ip-bytes.js';
import type { Failback, GroupConfig, HostConfig, TanistConfig, VipConfig } from '../config/tanist/model.js';
import type { AnnouncePlan, InstanceConfig, Peer, GroupConfig as SyncGroup, TrackedItem } from './core/config.js';
import { allAddresses } from './core/config.js';
import { defaultAddress, defaultInstance } from './core/defaults.js';
import { VRRP_TTL } from './packet/packet.js';
import type { VipGroup, VipPlan } from './vip-plan.js';

/** What must be asked of the host that the plan is for. */
export interface HostFacts {
  /** The interface that carries an address, or null. */
  interfaceOf(address: string): string | null;
}

/** What of a tanist.yml the plan is made of. */
export interface VipSettings extends Pick<TanistConfig, 'file' | 'mode' | 'hosts' | 'lease'> {
  readonly groups: readonly GroupVips[];
}

type GroupVips = Pick<GroupConfig, 'name' | 'hosts' | 'vips' | 'failback'>;

/** A tanist.yml whose VIPs cannot be kept on this host; the message ends with the fix. */
export class VipPlanError extends Error {
  override readonly name = 'VipPlanError';
}

/** Quorum mode has no election by adverts, so they only tell observers who is master. */
const QUORUM_INTERVAL_MS = 100;
/** Pair mode: three missed adverts and the skew take less than the lease that others are used to. */
const PAIR_INTERVALS_PER_LEASE = 4;
const PAIR_INTERVAL_MIN_MS = 50;
const PAIR_INTERVAL_MAX_MS = 10_000;
const PAIR_INTERVAL_MS = 250;
/**
 * Priorities in the order of the hosts: high, so that the skew after a priority 0 is short (RFC 5798 section 6.1: 6 ms and
 * 25 ms at the usual interval), and far enough apart for the first to be first when both wait.
 */
const PAIR_PRIORITY_FIRST = 250;
const PAIR_PRIORITY_STEP = 20;
/**
 * The kernel counts in whole seconds, and looks about once a second. The router refreshes every 0.9 s, and survives a
 * stall of 1.1 s; an address that nobody refreshes is gone after 2 to 3.3 s.
 */
export const VIP_LIFETIME_S = 2;
/** One lost frame must not cost a second, and a switch that forgets must be reminded. */
const ANNOUNCE: AnnouncePlan = {
  repeat: 5,
  delay_ms: 1000,
  refresh_ms: 10_000,
  refreshRepeat: 1,
  lowerRepeat: 3,
  lowerDelay_ms: 1000,
  gap_ms: 50,
};

/**
 * The virtual routers of `host`: for each group that has a Redis there, one for each address family and virtual router id.
 * @throws {VipPlanError} when the host lacks what they need.
 */
export function planVips(config: VipSettings, host: string, facts: HostFacts): VipPlan {
  const self = config.hosts.find((h) => h.name === host);
  if (self === undefined) throw new VipPlanError(`${config.file}: there is no host ${host}`);
  const groups = config.groups.filter((g) => g.vips.length > 0 && g.hosts.includes(host));
  const planned = groups.map((group) => new GroupPlanner(config, group, self, facts).plan());
  const instances = planned.flatMap((p) => p.instances);
  refuseTwins(config.file, instances);
  return {
    mode: config.mode,
    router: { instances, groups: planned.flatMap((p) => p.sync ?? []), startupDelay_ms: 0 },
    groups: planned.map((p) => p.group),
  };
}

interface PlannedGroup {
  readonly group: VipGroup;
  readonly instances: readonly InstanceConfig[];
  readonly sync: SyncGroup | null;
}

class GroupPlanner {
  readonly #config: VipSettings;
  readonly #group: GroupVips;
  readonly #self: HostConfig;
  readonly #facts: HostFacts;

  constructor(config: VipSettings, group: GroupVips, self: HostConfig, facts: HostFacts) {
    this.#config = config;
    this.#group = group;
    this.#self = self;
    this.#facts = facts;
  }

  plan(): PlannedGroup {
    const { name, vips } = this.#group;
    const item = this.#config.mode === 'quorum' ? `lease:${name}` : `redis:${name}`;
    const track: TrackedItem = { id: item, weight: 0, reverse: false };
    const instances = routersOf(vips).map((together, _, all) =>
      this.#instance(all.length === 1 ? name : `${name}/${familyAndId(together)}`, together, track),
    );
    const names = instances.map((i) => i.name);
    const addresses = instances.flatMap((i) => allAddresses(i).map((a) => a.ip));
    // Elected apart, two families could end on two hosts; one loan cannot be torn apart.
    const torn = this.#config.mode === 'pair' && names.length > 1;
    const sync = { name, members: names, trackInterfaces: [], tracks: [], memberWeights: false };
    return { group: { name, item, instances: names, addresses }, instances, sync: torn ? sync : null };
  }

  #instance(name: string, vips: readonly VipConfig[], track: TrackedItem): InstanceConfig {
    const family = familyOfVip(vips);
    const own = familyOf(this.#self.address) === family ? canonicalIp(this.#self.address) : null;
    const vipDevices = vips.map((v) => v.interface ?? this.#device());
    // Adverts go where the peers are: by the host's own address when it is of the family, else beside the VIP.
    const device = own === null ? (vipDevices[0] ?? this.#device()) : this.#carrier();
    const common = {
      name,
      vrid: vips[0]?.vrid ?? 0,
      family,
      version: 3 as const,
      interface: device,
      source: own,
      trackSource: own !== null,
      peers: own === null ? [] : this.#peers(family),
      addresses: vips.map((v) => defaultAddress(`${v.address}/${v.prefix}`, v.interface ?? this.#device())),
      announce: ANNOUNCE,
      trackInterfaces: [...new Set(vipDevices)].filter((d) => d !== device).map(alwaysUp),
      tracks: [track],
      vipLifetime_s: VIP_LIFETIME_S,
      farewell: true,
    };
    return defaultInstance({ ...common, checkPeers: common.peers.length > 0, ...this.#election() });
  }

  /** How it is decided who is master. */
  #election(): Pick<InstanceConfig, 'priority' | 'interval_ms' | 'leased' | 'preempt' | 'preemptDelay_ms'> {
    const { mode, lease } = this.#config;
    if (mode === 'quorum')
      return { priority: 255, interval_ms: QUORUM_INTERVAL_MS, leased: true, preempt: true, preemptDelay_ms: 0 };
    const place = this.#group.hosts.indexOf(this.#self.name);
    const interval = lease.ttl_ms === null ? PAIR_INTERVAL_MS : lease.ttl_ms / PAIR_INTERVALS_PER_LEASE;
    return {
      priority: Math.max(1, PAIR_PRIORITY_FIRST - PAIR_PRIORITY_STEP * place),
      // Version 3 counts in hundredths of a second.
      interval_ms: Math.round(Math.min(PAIR_INTERVAL_MAX_MS, Math.max(PAIR_INTERVAL_MIN_MS, interval)) / 10) * 10,
      leased: false,
      ...preemption(this.#group.failback),
    };
  }

  /** The group's other hosts, directly: clouds carry no multicast. None: multicast, so that observers still hear. */
  #peers(family: Family): Peer[] {
    const others = this.#config.hosts.filter((h) => h.name !== this.#self.name && this.#group.hosts.includes(h.name));
    // An address that moves by ARP stays within one link, where nothing lowers the TTL (RFC 5798 section 5.1.1.3).
    return others
      .filter((h) => familyOf(h.address) === family)
      .map((h) => ({ address: canonicalIp(h.address), minTtl: VRRP_TTL, maxTtl: null }));
  }

  #device(): string {
    return this.#self.interface ?? this.#carrier();
  }

  /** The interface of the host's own address. */
  #carrier(): string {
    const { name, address } = this.#self;
    const found = this.#facts.interfaceOf(address);
    if (found !== null) return found;
    throw new VipPlanError(
      `${this.#config.file}: no interface of this host carries ${address}, the address of ${name}, so its adverts have nowhere to go\n` +
        '  fix: bring the interface up, mend the address under `hosts`, or name the host this is with --host',
    );
  }
}

function alwaysUp(device: string): InstanceConfig['trackInterfaces'][number] {
  return { interface: device, weight: 0, reverse: false };
}

/** Only `failback: after` lets the preferred host take the address from one that works. */
function preemption(failback: Failback): Pick<InstanceConfig, 'preempt' | 'preemptDelay_ms'> {
  switch (failback.when) {
    case 'never':
    case 'manual':
      return { preempt: false, preemptDelay_ms: 0 };
    case 'after':
      return { preempt: true, preemptDelay_ms: failback.wait_ms };
  }
}

/** A virtual router has addresses of one family (RFC 5798 section 5.2.9), and one id. */
function routersOf(vips: readonly VipConfig[]): VipConfig[][] {
  const routers = new Map<string, VipConfig[]>();
  for (const vip of vips) {
    const key = familyAndId([vip]);
    routers.set(key, [...(routers.get(key) ?? []), vip]);
  }
  return [...routers.values()];
}

function familyAndId(vips: readonly VipConfig[]): string {
  return `${familyOfVip(vips)}-${vips[0]?.vrid ?? 0}`;
}

function familyOfVip([vip]: readonly VipConfig[]): Family {
  return (vip === undefined ? null : familyOf(vip.address)) ?? 'ipv4';
}

function refuseTwins(file: string, instances: readonly InstanceConfig[]): void {
  const known = new Map<string, string>();
  for (const { name, family, vrid, interface: device } of instances) {
    const key = `${family} ${vrid} ${device}`;
    const other = known.get(key);
    if (other !== undefined) {
      throw new VipPlanError(
        `${file}: groups ${other} and ${name} both have virtual router id ${vrid} on ${device}\n` +
          '  fix: give each VIP a `vrid` of its own, 1 to 255',
      );
    }
    known.set(key, name);
  }
}
