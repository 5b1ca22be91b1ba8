/** All virtual routers of one host: who gets which packet, and what members of a sync group do to each other. */
import { isMulticast } from '../../base/ip-bytes.js';
import { type Advert, decodeAdvert } from '../packet/packet.js';
import type { GroupConfig, InstanceConfig, RouterConfig } from './config.js';
import { HostView } from './health.js';
import { Instance, type Siblings } from './instance.js';
import type { Effect, Input, Packet, State } from './io.js';
import { Quiet } from './quiet.js';
import { type InstanceSnapshot, snapshotOf } from './snapshot.js';

export class Router {
  readonly #view = new HostView();
  readonly #instances = new Map<string, Instance>();
  readonly #groupStates = new Map<string, State>();
  readonly #quiet = new Quiet();
  #config: RouterConfig;
  #out: Effect[] = [];
  /** null: not started, or stopped. */
  #startAt: number | null = null;
  #running = false;

  constructor(config: RouterConfig) {
    this.#config = config;
    for (const instance of config.instances) this.#add(instance);
  }

  /** Takes one input at the monotonic time `now` (ms) and says, in order, what is to be done. */
  step(now: number, input: Input): readonly Effect[] {
    const before = this.#states();
    this.#apply(now, input);
    this.#settleGroups(now, before);
    const out = this.#out.slice();
    this.#out.length = 0;
    return out;
  }

  /** When `step` wants a `tick`; infinity for never. */
  nextDeadline(): number {
    if (this.#startAt !== null && !this.#running) return this.#startAt;
    let next = this.nextExpiry();
    for (const instance of this.#instances.values()) next = Math.min(next, instance.nextDeadline());
    return next;
  }

  /** When the first thing that was lent ends; infinity for never. */
  nextExpiry(): number {
    return this.#view.nextExpiry();
  }

  /** The state of every instance, for status pages and dumps. */
  snapshot(now: number): readonly InstanceSnapshot[] {
    return [...this.#instances.values()].map((i) => snapshotOf(i, now));
  }

  #apply(now: number, input: Input): void {
    const renewed = input.on === 'track' && !this.#view.setTrack(input.id, input);
    if (input.on === 'wake') this.#view.slept(input.slept_ms);
    // Whatever this input is: an address that was lent for a time that has passed must not live to see it.
    if (this.#view.expire(now)) this.#settle(now);
    switch (input.on) {
      case 'start':
        this.#startAt = now + this.#config.startupDelay_ms;
        this.#startIfDue(now);
        return;
      case 'tick':
        this.#startIfDue(now);
        for (const instance of this.#instances.values()) instance.tick(now);
        return;
      case 'packet':
        this.#packet(now, input.packet);
        return;
      case 'link':
        this.#link(now, input.interface, input.up);
        return;
      case 'source':
        this.#view.setSource(input.interface, input.family, input.address);
        this.#settle(now);
        return;
      case 'local':
        this.#view.setLocal(input.address, input.present);
        this.#settle(now);
        return;
      case 'track':
        if (!renewed) this.#settle(now);
        return;
      case 'wake':
        return;
      case 'address-lost':
        for (const instance of this.#instances.values()) instance.addressLost(now, input.ip, input.device);
        return;
      case 'conflict':
        for (const instance of this.#holders(input.ip)) instance.conflict(now, input.ip, input.mac);
        return;
      case 'send-failed':
        this.#instances.get(input.instance)?.sendFailed(now, input.error);
        return;
      case 'configure':
        this.#configure(now, input.config);
        return;
      case 'stop':
        this.#stop(now);
        return;
    }
  }

  #startIfDue(now: number): void {
    if (this.#running || this.#startAt === null || now < this.#startAt) return;
    this.#running = true;
    for (const instance of this.#instances.values()) instance.start(now);
    this.#settle(now);
  }

  #stop(now: number): void {
    for (const instance of this.#instances.values()) instance.stop(now, 'STOP');
    if (this.#running) {
      for (const { name } of this.#config.groups) {
        this.#groupStates.set(name, 'INIT');
        this.#out.push({ do: 'notify', kind: 'GROUP', name, state: 'STOP', priority: 0, reason: 'stopped' });
      }
    }
    this.#running = false;
    this.#startAt = null;
  }

  #link(now: number, name: string, up: boolean): void {
    const returned = up && !this.#view.linkUp(name);
    this.#view.setLink(name, up);
    this.#settle(now);
    if (!returned) return;
    for (const instance of this.#instances.values()) {
      if (instance.config.interface === name) instance.linkReturned(now);
    }
  }

  #packet(now: number, packet: Packet): void {
    const decoded = decodeAdvert(packet.payload, packet);
    const vrid = decoded.ok ? decoded.advert.vrid : decoded.vrid;
    const instance = vrid === null ? undefined : this.#find(packet, vrid);
    if (instance === undefined) {
      const text = this.#quiet.pass(
        now,
        `vrid ${vrid} ${packet.source}`,
        `a packet from ${packet.source} on ${packet.interface} is for VRID ${vrid ?? '?'}, which is not ours`,
      );
      if (text !== null) this.#out.push({ do: 'log', level: 'debug', instance: null, message: text });
    } else if (decoded.ok) {
      instance.advert(now, packet, decoded.advert satisfies Advert);
    } else {
      instance.damaged(now, packet.source, decoded.fault);
    }
  }

  /** Instances may share a VRID when they differ in family, interface, group or peers. */
  #find(packet: Packet, vrid: number): Instance | undefined {
    const candidates = [...this.#instances.values()].filter(
      ({ config: c }) => c.vrid === vrid && c.family === packet.family && c.interface === packet.interface,
    );
    if (isMulticast(packet.destination)) {
      return candidates.find((i) => i.config.peers.length === 0 && i.config.group === packet.destination);
    }
    const unicast = candidates.filter((i) => i.config.peers.length > 0);
    return unicast.find((i) => i.config.peers.some((p) => p.address === packet.source)) ?? unicast[0];
  }

  #holders(ip: string): Instance[] {
    return [...this.#instances.values()].filter(({ config }) =>
      [...config.addresses, ...config.excluded].some((a) => a.ip === ip),
    );
  }

  #settle(now: number): void {
    // Twice, since one member's fault is another's reason, and members may stand in any order.
    for (const round of [0, 1]) {
      for (const instance of this.#instances.values()) {
        if (round === 0 || instance.group !== null) instance.settle(now, this.#siblings(instance));
      }
    }
  }

  #siblings(instance: Instance): Siblings {
    const faults: string[] = [];
    const pending: string[] = [];
    for (const other of this.#members(instance.group)) {
      if (other === instance) continue;
      const { name } = other.config;
      for (const fault of other.health.faults) faults.push(`${name}, of the same sync group: ${fault}`);
      for (const item of other.health.pending) if (other.state === 'INIT') pending.push(`${item} (of ${name})`);
    }
    return { faults, pending };
  }

  #members(group: GroupConfig | null): Instance[] {
    if (group === null) return [];
    return group.members.flatMap((name) => this.#instances.get(name) ?? []);
  }

  #states(): Map<string, State> {
    return new Map([...this.#instances].map(([name, instance]) => [name, instance.state]));
  }

  /** A member that changed in this step takes the others along; BACKUP wins when members changed both ways. */
  #settleGroups(now: number, before: ReadonlyMap<string, State>): void {
    for (const group of this.#config.groups) {
      const members = this.#members(group);
      const moved = members.filter((m) => m.state !== before.get(m.config.name));
      const leader =
        moved.find((m) => m.state === 'BACKUP' && before.get(m.config.name) === 'MASTER') ??
        moved.find((m) => m.state === 'MASTER');
      if (leader !== undefined && (leader.state === 'MASTER' || leader.state === 'BACKUP')) {
        for (const member of members) member.follow(now, leader.state, leader.config.name);
      }
      this.#notifyGroup(group, members);
    }
  }

  #notifyGroup(group: GroupConfig, members: readonly Instance[]): void {
    const state = groupState(members);
    const before = this.#groupStates.get(group.name) ?? 'INIT';
    if (state === before) return;
    this.#groupStates.set(group.name, state);
    if (state === 'INIT') return;
    const reason = members.find((m) => m.state === state)?.reason ?? '';
    this.#out.push({ do: 'notify', kind: 'GROUP', name: group.name, state, priority: 0, reason });
  }

  #groupOf(config: RouterConfig, name: string): GroupConfig | null {
    return config.groups.find((g) => g.members.includes(name)) ?? null;
  }

  #add(config: InstanceConfig): Instance {
    const instance = new Instance(config, this.#groupOf(this.#config, config.name), this.#view, this.#out);
    this.#instances.set(config.name, instance);
    return instance;
  }

  #configure(now: number, config: RouterConfig): void {
    const wanted = new Map(config.instances.map((c) => [c.name, c]));
    for (const [name, instance] of this.#instances) {
      const next = wanted.get(name);
      if (next !== undefined && sameRouter(instance.config, next)) continue;
      instance.stop(now, next === undefined ? 'DELETED' : 'STOP');
      this.#instances.delete(name);
    }
    this.#config = config;
    for (const next of config.instances) {
      const group = this.#groupOf(config, next.name);
      const known = this.#instances.get(next.name);
      if (known === undefined) {
        const made = this.#add(next);
        if (this.#running) made.start(now);
      } else if (JSON.stringify(known.config) === JSON.stringify(next)) {
        known.setGroup(group);
      } else {
        known.reconfigure(now, next, group);
      }
    }
    this.#settle(now);
  }
}

function groupState(members: readonly Instance[]): State {
  for (const state of ['FAULT', 'INIT'] as const) if (members.some((m) => m.state === state)) return state;
  return members.length > 0 && members.every((m) => m.state === 'MASTER') ? 'MASTER' : 'BACKUP';
}

/** False when so much changed that it is another virtual router: then the old one leaves and a new one starts. */
function sameRouter(a: InstanceConfig, b: InstanceConfig): boolean {
  const identity = (c: InstanceConfig): string =>
    JSON.stringify([c.vrid, c.family, c.version, c.interface, c.group, c.source, c.peers, c.priority === 255]);

  return identity(a) === identity(b);
}
