/** What a keepalived.conf means for Tanist: keepalived's defaults filled in, its rules between words checked. */
import { canonicalIp, type Family, familyOf, isLinkLocal } from '../base/ip-bytes.js';
import { type Diagnostic, Diagnostics } from '../config/keepalived/diagnostics.js';
import type {
  Garp,
  Globals,
  IpAddress,
  KeepalivedConf,
  Notifies,
  SyncGroup,
  Tracking,
  VrrpInstance,
} from '../config/keepalived/model.js';
import type { AnnouncePlan, GroupConfig, InstanceConfig, TrackedItem, VirtualAddress } from './core/config.js';
import { DEFAULT_ANNOUNCE, defaultAddress, defaultInstance } from './core/defaults.js';
import { type Auth, MAX_INTERVAL_V3_MS, VRRP_GROUP } from './packet/packet.js';
import type { VrrpPlan } from './plan.js';

export interface PlanOptions {
  /** Overrides `vip_lifetime` everywhere. */
  readonly vipLifetime_s?: number;
  /** Keep `nopreempt` in force beside `state MASTER`, where keepalived clears it. */
  readonly honourNopreempt?: boolean;
}

export interface PlanResult {
  readonly plan: VrrpPlan;
  readonly diagnostics: readonly Diagnostic[];
}

export function planFromKeepalived(conf: KeepalivedConf, options: PlanOptions = {}): PlanResult {
  const planner = new Planner(conf, options);
  return { plan: planner.plan(), diagnostics: planner.diagnostics.list };
}

class Planner {
  readonly diagnostics = new Diagnostics();
  readonly #conf: KeepalivedConf;
  readonly #options: PlanOptions;
  readonly #tracked = new Set<string>();

  constructor(conf: KeepalivedConf, options: PlanOptions) {
    this.#conf = conf;
    this.#options = options;
  }

  plan(): VrrpPlan {
    const { globals } = this.#conf;
    const instances = this.#withoutTwins([...this.#conf.instances.values()].flatMap((i) => this.#instance(i) ?? []));
    const groups = [...this.#conf.groups.values()].flatMap((g) => this.#group(g, instances) ?? []);
    if (this.#conf.instances.size > 0 && instances.length === 0) {
      this.diagnostics.fatal({ file: this.#conf.path, line: 1, column: 1 }, 'no vrrp_instance is left that can run');
    }
    this.#checkSecurity();
    const tracked = <T extends { name: string }>(kind: string, from: ReadonlyMap<string, T>): T[] =>
      [...from.values()].filter((item) => this.#tracked.has(`${kind}:${item.name}`));
    const running = new Set(instances.map((i) => i.name));
    const notifies = (from: ReadonlyMap<string, { notifies: Notifies }>): Map<string, Notifies> =>
      new Map([...from].map(([name, { notifies: n }]) => [name, n]));
    return {
      router: { instances, groups, startupDelay_ms: globals.startupDelay_ms },
      scripts: tracked('script', this.#conf.scripts).flatMap(({ command, ...s }) =>
        command === null ? [] : { ...s, command },
      ),
      files: tracked('file', this.#conf.files),
      processes: tracked('process', this.#conf.processes),
      instanceNotifies: notifies(this.#conf.instances),
      groupNotifies: notifies(this.#conf.groups),
      fifos: [globals.notifyFifo, globals.vrrpNotifyFifo].filter((f) => f.path !== null),
      priorityNotifies: new Set(
        [...this.#conf.instances.values()]
          .filter((i) => running.has(i.name) && (i.notifies.priorityChanges ?? globals.priorityChanges))
          .map((i) => i.name),
      ),
      scriptSecurity: globals.scriptSecurity,
      scriptUser: globals.scriptUser,
    };
  }

  /** null when it cannot run; the reason is reported. */
  #instance(i: VrrpInstance): InstanceConfig | null {
    const { globals } = this.#conf;
    const drop = (why: string): null => {
      this.diagnostics.error(i.place, `vrrp_instance ${i.name} cannot run: ${why}`);
      return null;
    };
    if (i.vrid === null) return drop('virtual_router_id is not set');
    if (i.interface === null) return drop('interface is not set');
    const family = this.#family(i);
    const version = this.#version(i, family);
    const peers = this.#peers(i, family);
    if (peers === null) return drop('it has no unicast peer of its family');
    const strict = i.strict ?? globals.strict;
    if (strict && i.addresses.length === 0) return drop('strict mode demands an address');
    if (strict && peers.length > 0) return drop('strict mode forbids unicast peers');
    if (strict && i.priority !== 255) {
      this.diagnostics.error(
        i.place,
        `${i.name}: strict mode would drop packets to the addresses (no_accept), which is not handled`,
      );
    }
    if (i.addresses.length === 0 && i.excluded.length === 0) {
      this.diagnostics.error(i.place, `vrrp_instance ${i.name} has no address: it only elects a master`);
    }
    const config = defaultInstance({
      name: i.name,
      vrid: i.vrid,
      interface: i.interface,
      family,
      version,
      priority: this.#priority(i, strict),
      interval_ms: this.#interval(i, version),
      downAdverts: i.downAdverts ?? globals.downAdverts,
      preempt: true,
      source: this.#source(i, family, peers.length > 0),
      trackSource: i.trackSource,
      peers,
      group: this.#mcastGroup(i, family),
      unicastTtl: i.unicastTtl ?? 255,
      checkPeers: (i.checkPeers ?? globals.checkPeers) || peers.some((p) => p.minTtl !== null || p.maxTtl !== null),
      auth: this.#auth(i, version, strict),
      addresses: this.#addresses(i, i.addresses, family),
      excluded: this.#addresses(i, i.excluded, null),
      skipAddressCheck: i.skipAddressCheck ?? globals.skipAddressCheck,
      announce: announcePlan(i.garp, globals, family),
      lowerPrioNoAdvert: strict || (i.lowerPrioNoAdvert ?? globals.lowerPrioNoAdvert),
      higherPrioSendAdvert: !strict && (i.higherPrioSendAdvert ?? globals.higherPrioSendAdvert),
      trackPrimary: !i.dontTrackPrimary,
      trackInterfaces: i.tracking.interfaces.map((t) => ({
        interface: t.name,
        weight: t.weight ?? 0,
        reverse: t.reverse,
      })),
      tracks: this.#tracks(i.tracking, i.name),
      vipLifetime_s: this.#options.vipLifetime_s ?? i.vipLifetime_s ?? globals.vipLifetime_s,
    });
    return { ...config, ...this.#preemption(i, config.priority, strict) };
  }

  #family(i: VrrpInstance): Family {
    const first = i.addresses[0]?.ip ?? i.source ?? i.peers?.[0]?.address ?? i.group ?? i.excluded[0]?.ip;
    return (first === undefined ? null : familyOf(first)) ?? 'ipv4';
  }

  #version(i: VrrpInstance, family: Family): 2 | 3 {
    if (family === 'ipv4') return i.version ?? this.#conf.globals.version;
    if (i.version === 2) this.diagnostics.error(i.place, `${i.name}: IPv6 needs VRRP version 3: taken as version 3`);
    return 3;
  }

  #peers(i: VrrpInstance, family: Family): InstanceConfig['peers'] | null {
    const peers = (i.peers ?? []).filter((p) => familyOf(p.address) === family);
    if (peers.length < (i.peers?.length ?? 0)) {
      this.diagnostics.error(
        i.peersPlace ?? i.place,
        `${i.name}: peers of another family than the addresses are left out`,
      );
    }
    if (peers.length > 0 || i.peers === null) return peers;
    if (i.faultWithoutPeers) return null;
    this.diagnostics.error(i.peersPlace ?? i.place, `${i.name}: unicast_peer names no peer: multicast is used`);
    return [];
  }

  /** keepalived's default is 100, but 255 beside `state MASTER`. */
  #priority(i: VrrpInstance, strict: boolean): number {
    const priority = i.priority ?? (i.state === 'MASTER' ? 255 : 100);
    if (strict && (i.state === 'MASTER') !== (priority === 255)) {
      this.diagnostics.error(
        i.place,
        `${i.name}: in strict mode state MASTER belongs to priority 255, and to no other`,
      );
    }
    return priority;
  }

  #interval(i: VrrpInstance, version: 2 | 3): number {
    const wanted = i.interval_ms ?? 1000;
    const took = (what: string, ms: number): number => {
      this.diagnostics.error(
        i.place,
        `${i.name}: version ${version} cannot advert every ${wanted / 1000} s (${what}): taken as ${ms / 1000} s`,
      );
      return ms;
    };
    if (version === 2)
      return wanted % 1000 === 0 ? wanted : took('whole seconds', Math.max(1000, Math.round(wanted / 1000) * 1000));
    if (wanted > MAX_INTERVAL_V3_MS) return took('at most 40.95', MAX_INTERVAL_V3_MS);
    return wanted % 10 === 0 ? wanted : took('hundredths', Math.max(10, Math.round(wanted / 10) * 10));
  }

  #source(i: VrrpInstance, family: Family, unicast: boolean): string | null {
    if (i.source === null) return null;
    if (familyOf(i.source) !== family) {
      this.diagnostics.error(i.place, `${i.name}: source address ${i.source} is not ${family}: ignored`);
      return null;
    }
    if (family === 'ipv6' && !unicast && !isLinkLocal(i.source)) {
      this.diagnostics.error(
        i.place,
        `${i.name}: IPv6 adverts must come from a link-local address: ${i.source} ignored`,
      );
      return null;
    }
    return canonicalIp(i.source);
  }

  #mcastGroup(i: VrrpInstance, family: Family): string {
    const { group4, group6 } = this.#conf.globals;
    if (i.group !== null && familyOf(i.group) === family) return i.group;
    if (i.group !== null)
      this.diagnostics.error(i.place, `${i.name}: mcast_dst_ip ${i.group} is not ${family}: ignored`);
    return (family === 'ipv4' ? group4 : group6) ?? VRRP_GROUP[family];
  }

  #auth(i: VrrpInstance, version: 2 | 3, strict: boolean): Auth {
    if (i.auth === null) return { kind: 'none' };
    const without = (why: string): Auth => {
      this.diagnostics.error(i.auth?.place ?? i.place, `${i.name}: ${why}: runs without authentication`);
      return { kind: 'none' };
    };
    if (version === 3) return without('VRRP version 3 has no authentication');
    if (strict) return without('strict mode forbids authentication');
    if (i.auth.type === 'AH') return without('auth_type AH (IPSEC) is not handled');
    if (i.auth.password === null) return without('authentication has no auth_pass');
    return { kind: 'pass', password: i.auth.password };
  }

  #addresses(i: VrrpInstance, list: readonly IpAddress[], family: Family | null): VirtualAddress[] {
    return list.flatMap((a) => {
      const own = familyOf(a.ip);
      if (family !== null && own !== family) {
        this.diagnostics.error(
          a.place,
          `${i.name}: ${a.ip} is of another family than the first address: skipped (virtual_ipaddress_excluded takes both)`,
        );
        return [];
      }
      const device = a.device ?? i.interface ?? this.#conf.globals.defaultInterface;
      const made = defaultAddress(a.prefix === null ? a.ip : `${a.ip}/${a.prefix}`, device);
      if (a.label !== null && new TextEncoder().encode(a.label).length > 15) {
        this.diagnostics.error(a.place, `label ${a.label} is longer than 15 characters: left out`);
      }
      const label = a.label !== null && new TextEncoder().encode(a.label).length <= 15 ? a.label : null;
      const { scope, broadcast, peer, home, noPrefixRoute, noTrack } = a;
      return [
        {
          ...made,
          label,
          scope,
          broadcast,
          peer,
          home,
          noPrefixRoute,
          noTrack,
          deprecated: a.deprecated ?? made.deprecated,
        },
      ];
    });
  }

  #preemption(i: VrrpInstance, priority: number, strict: boolean): Pick<InstanceConfig, 'preempt' | 'preemptDelay_ms'> {
    let preempt = i.nopreempt === null;
    let preemptDelay_ms = i.preemptDelay_ms;
    if (i.nopreempt !== null && priority === 255) {
      this.diagnostics.error(
        i.nopreempt,
        `${i.name}: nopreempt has no effect on the owner of the addresses (priority 255)`,
      );
      preempt = true;
    } else if (i.nopreempt !== null && i.state === 'MASTER') {
      if (this.#options.honourNopreempt !== true) preempt = true;
      const what = preempt
        ? 'nopreempt has no effect beside state MASTER, as in keepalived: write state BACKUP to have it'
        : 'nopreempt is kept in force beside state MASTER, where keepalived would ignore it';
      this.diagnostics.error(i.nopreempt, `${i.name}: ${what}`);
    }
    const place = i.preemptDelayPlace;
    if (preemptDelay_ms > 0 && place !== null && (i.state === 'MASTER' || strict)) {
      this.diagnostics.error(
        place,
        `${i.name}: preempt_delay has no effect ${strict ? 'in strict mode' : 'beside state MASTER: write state BACKUP to have it'}`,
      );
      preemptDelay_ms = 0;
    }
    if (preemptDelay_ms > 0 && place !== null && !preempt) {
      this.diagnostics.error(place, `${i.name}: preempt_delay has no effect beside nopreempt`);
    }
    return { preempt, preemptDelay_ms };
  }

  #tracks(tracking: Tracking, who: string): TrackedItem[] {
    const { scripts, files, processes } = this.#conf;
    const kinds = [
      ['script', tracking.scripts, scripts],
      ['file', tracking.files, files],
      ['process', tracking.processes, processes],
    ] as const;
    return kinds.flatMap(([kind, refs, known]) =>
      refs.flatMap((ref) => {
        const item = known.get(ref.name);
        if (item === undefined) {
          this.diagnostics.error(ref.place, `${who}: there is no ${kind} ${ref.name} to track: ignored`);
          return [];
        }
        const id = `${kind}:${ref.name}`;
        this.#tracked.add(id);
        return [
          {
            id,
            weight: ref.weight ?? item.weight,
            reverse: ref.weight === null ? item.reverse || ref.reverse : ref.reverse,
          },
        ];
      }),
    );
  }

  #group(g: SyncGroup, instances: readonly InstanceConfig[]): GroupConfig | null {
    const members = g.members.flatMap(({ name, place }) => {
      if (instances.some((i) => i.name === name)) return [name];
      this.diagnostics.error(place, `vrrp_sync_group ${g.name}: there is no vrrp_instance ${name}: ignored`);
      return [];
    });
    if (members.length < 2)
      this.diagnostics.error(
        g.place,
        `vrrp_sync_group ${g.name} has ${members.length} member: nothing to keep in step`,
      );
    if (members.length === 0) return null;
    const trackInterfaces = g.tracking.interfaces.map((t) => ({
      interface: t.name,
      weight: t.weight ?? 0,
      reverse: t.reverse,
    }));
    return {
      name: g.name,
      members,
      trackInterfaces,
      tracks: this.#tracks(g.tracking, g.name),
      memberWeights: g.memberWeights,
    };
  }

  /** Two instances that nobody could tell apart on the wire. */
  #withoutTwins(instances: readonly InstanceConfig[]): InstanceConfig[] {
    const seen = new Map<string, string>();
    return instances.filter((i) => {
      const where = i.peers.length === 0 ? i.group : i.peers.map((p) => p.address).join();
      const key = `${i.vrid} ${i.family} ${i.interface} ${where}`;
      const twin = seen.get(key);
      seen.set(key, twin ?? i.name);
      if (twin === undefined) return true;
      const place = this.#conf.instances.get(i.name)?.place ?? { file: this.#conf.path, line: 1, column: 1 };
      this.diagnostics.error(
        place,
        `${twin} and ${i.name} both use VRID ${i.vrid} with ${i.family} on ${i.interface}: ${i.name} is left out`,
      );
      return false;
    });
  }

  #checkSecurity(): void {
    if (this.#conf.globals.scriptSecurity) return;
    const commands = [
      ...[...this.#conf.scripts.values()].filter((s) => this.#tracked.has(`script:${s.name}`)).map((s) => s.command),
      ...[...this.#conf.instances.values(), ...this.#conf.groups.values()].flatMap(({ notifies: n }) => [
        n.master,
        n.backup,
        n.fault,
        n.stop,
        n.any,
        n.deleted,
        n.masterHearsLower,
      ]),
    ];
    const first = commands.find((c) => c !== null);
    if (first) {
      this.diagnostics.add(
        'unsafe',
        first.place,
        'scripts are run, but enable_script_security is not set in global_defs',
      );
    }
  }
}

/** keepalived's rules for which value stands in for which. */
function announcePlan(own: Garp, globals: Globals, family: Family): AnnouncePlan {
  const g = globals.garp;
  const base = globals.minGarp ? { repeat: 1, delay_ms: 0 } : DEFAULT_ANNOUNCE;
  const repeat = own.masterRepeat ?? g.masterRepeat ?? base.repeat;
  const delay_ms = own.masterDelay_ms ?? g.masterDelay_ms ?? base.delay_ms;
  return {
    repeat,
    delay_ms,
    refresh_ms: own.refresh_ms ?? g.refresh_ms ?? DEFAULT_ANNOUNCE.refresh_ms,
    refreshRepeat: own.refreshRepeat ?? g.refreshRepeat ?? DEFAULT_ANNOUNCE.refreshRepeat,
    lowerRepeat: own.lowerRepeat ?? g.lowerRepeat ?? repeat,
    lowerDelay_ms: own.lowerDelay_ms ?? g.lowerDelay_ms ?? delay_ms,
    gap_ms: family === 'ipv4' ? globals.garpGap_ms : globals.gnaGap_ms,
  };
}
