/** The sockets of the router process: VRRP by interface and family, Ethernet frames by interface. */
import { parseMac } from '../../net/bytes.js';
import { arpClaim } from '../../net/frames.js';
import { SystemError } from '../../net/libc.js';
import type { LinkInfo } from '../../net/netlink-codec.js';
import { PacketSocket } from '../../net/packet-socket.js';
import { openVrrpSocket, type VrrpSocket } from '../../net/vrrp-socket.js';
import { allAddresses, type RouterConfig } from '../core/config.js';
import type { Effect, Input } from '../core/io.js';

/** At most this many packets of one socket are taken before timers are looked at again. */
const MAX_DRAIN = 256;

interface Open<S> {
  readonly index: number;
  readonly socket: S;
}

/** Reports what is survived; throws what is a fault of this program. */
export type FailureReport = (instance: string | null, error: unknown) => void;

export class Sockets {
  readonly #links: ReadonlyMap<string, LinkInfo>;
  readonly #fail: FailureReport;
  /** By family and interface, e.g. `ipv4 eth0`. */
  readonly #vrrp = new Map<string, Open<VrrpSocket>>();
  readonly #packet = new Map<string, Open<PacketSocket>>();

  /** @param links the interfaces as they stand, kept up to date by the owner. */
  constructor(links: ReadonlyMap<string, LinkInfo>, fail: FailureReport) {
    this.#links = links;
    this.#fail = fail;
  }

  get fds(): number[] {
    return [...this.#vrrp.values(), ...this.#packet.values()].map((s) => s.socket.fd);
  }

  /** Whether VRRP of a family is heard on an interface. */
  hears(family: string, name: string): boolean {
    return this.#vrrp.has(`${family} ${name}`);
  }

  /** Opens what is missing, and again what has become deaf. */
  open(config: RouterConfig): void {
    const wanted = new Map<string, Set<string>>();
    const devices = new Set<string>();
    for (const i of config.instances) {
      const key = `${i.family} ${i.interface}`;
      const groups = wanted.get(key) ?? new Set<string>();
      if (i.peers.length === 0) groups.add(i.group);
      wanted.set(key, groups);
      for (const a of allAddresses(i)) devices.add(a.device);
    }
    // An interface that was made anew has another index, and its old sockets are deaf.
    closeUnless(this.#vrrp, (key, index) => this.#links.get(interfaceOf(key))?.index === index);
    closeUnless(this.#packet, (name, index) => this.#links.get(name)?.index === index);
    for (const [key, groups] of wanted) this.#openVrrp(key, groups);
    for (const name of devices) this.#openPacket(name);
  }

  /** Closes the sockets of interfaces that are no longer used. */
  prune(config: RouterConfig): void {
    const vrrp = new Set(config.instances.map((i) => `${i.family} ${i.interface}`));
    const devices = new Set(config.instances.flatMap((i) => allAddresses(i).map((a) => a.device)));
    closeUnless(this.#vrrp, (key) => vrrp.has(key));
    closeUnless(this.#packet, (name) => devices.has(name));
  }

  /** The packets that have come, and the claims of others to addresses that `isOurs`. */
  drain(isOurs: (ip: string, device: string) => boolean): Input[] {
    const inputs: Input[] = [];
    for (const [key, { socket }] of this.#vrrp) this.#drainVrrp(key, socket, inputs);
    for (const [name, { socket }] of this.#packet) this.#drainPackets(name, socket, isOurs, inputs);
    return inputs;
  }

  /** Sends an advert; a failure comes back as an input. */
  send(effect: Extract<Effect, { do: 'send' }>): Input[] {
    const open = this.#vrrp.get(`${effect.family} ${effect.interface}`);
    if (open === undefined)
      return [{ on: 'send-failed', instance: effect.instance, error: `no socket on ${effect.interface}` }];
    try {
      open.socket.send(effect);
      return [];
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return [{ on: 'send-failed', instance: effect.instance, error: error.message }];
    }
  }

  /** Sends the frame that `build` makes for the interface's MAC address, where there is one. */
  frame(device: string, instance: string | null, build: (mac: Uint8Array) => Uint8Array | null): void {
    const open = this.#packet.get(device);
    const mac = this.#links.get(device)?.mac;
    if (open === undefined || mac === undefined || mac === '') return;
    try {
      const frame = build(parseMac(mac));
      if (frame !== null) open.socket.send(frame);
    } catch (error) {
      this.#fail(instance, error);
    }
  }

  close(): void {
    for (const { socket } of [...this.#vrrp.values(), ...this.#packet.values()]) socket.close();
  }

  #openVrrp(key: string, groups: ReadonlySet<string>): void {
    const name = interfaceOf(key);
    const link = this.#links.get(name);
    if (link === undefined) return;
    try {
      const open = this.#vrrp.get(key) ?? {
        index: link.index,
        socket: openVrrpSocket(familyOf(key), name, link.index),
      };
      this.#vrrp.set(key, open);
      for (const group of groups) join(open.socket, group);
    } catch (error) {
      this.#fail(null, error);
    }
  }

  #openPacket(name: string): void {
    const link = this.#links.get(name);
    if (link === undefined || !link.ethernet || this.#packet.has(name)) return;
    try {
      this.#packet.set(name, { index: link.index, socket: new PacketSocket(name, link.index) });
    } catch (error) {
      this.#fail(null, error);
    }
  }

  #drainVrrp(key: string, socket: VrrpSocket, inputs: Input[]): void {
    for (let n = 0; n < MAX_DRAIN; n++) {
      const packet = socket.receive();
      if (packet === null) return;
      inputs.push({ on: 'packet', packet: { interface: interfaceOf(key), family: familyOf(key), ...packet } });
    }
  }

  #drainPackets(
    name: string,
    socket: PacketSocket,
    isOurs: (ip: string, device: string) => boolean,
    inputs: Input[],
  ): void {
    const own = this.#links.get(name)?.mac;
    for (let n = 0; n < MAX_DRAIN; n++) {
      const frame = socket.receive();
      if (frame === null) return;
      const claim = arpClaim(frame);
      if (claim === null || claim.mac === own || !isOurs(claim.ip, name)) continue;
      inputs.push({ on: 'conflict', ip: claim.ip, mac: claim.mac });
    }
  }
}

function familyOf(key: string): 'ipv4' | 'ipv6' {
  return key.startsWith('ipv4') ? 'ipv4' : 'ipv6';
}

function interfaceOf(key: string): string {
  return key.slice(key.indexOf(' ') + 1);
}

/** Joining a group twice is no fault. */
function join(socket: VrrpSocket, group: string): void {
  try {
    socket.join(group);
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== 'EADDRINUSE') throw error;
  }
}

function closeUnless(open: Map<string, Open<{ close(): void }>>, keep: (key: string, index: number) => boolean): void {
  for (const [key, { index, socket }] of open) {
    if (keep(key, index)) continue;
    socket.close();
    open.delete(key);
  }
}
