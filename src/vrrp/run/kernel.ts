/** This host's kernel as the router sees it: links, addresses and sockets; carries out the core's effects. */
import { parseIp } from '../../base/ip-bytes.js';
import { arpProbe, gratuitousArp, unsolicitedAdvert } from '../../net/frames.js';
import { SystemError } from '../../net/libc.js';
import { Netlink, NetlinkWatch } from '../../net/netlink.js';
import type { AddressInfo, AddressRequest, LinkInfo, NetlinkMessage } from '../../net/netlink-codec.js';
import { addressKey, allAddresses, ownsAddresses, type RouterConfig, type VirtualAddress } from '../core/config.js';
import type { Effect, Input, LogLevel } from '../core/io.js';
import { Farewell } from './farewell.js';
import { Sockets } from './sockets.js';

export type KernelLog = (level: LogLevel, instance: string | null, message: string) => void;

export class Kernel {
  readonly #log: KernelLog;
  readonly #netlink = new Netlink();
  readonly #watch = new NetlinkWatch();
  readonly #links = new Map<string, LinkInfo>();
  #addresses: AddressInfo[] = [];
  readonly #sockets = new Sockets(this.#links, (instance, error) => this.#fail(instance, error));
  readonly #farewell = new Farewell({
    links: this.#links,
    isHere: (ip) => this.#addresses.some((a) => a.ip === ip),
    log: (level, instance, message) => this.#log(level, instance, message),
  });
  /** The addresses we have put on interfaces. */
  readonly #held = new Map<string, VirtualAddress>();
  /** What `heldNews` last said. */
  readonly #told = new Map<string, boolean>();
  #config: RouterConfig = { instances: [], groups: [], startupDelay_ms: 0 };

  /** @throws {SystemError} without the capabilities. */
  constructor(log: KernelLog) {
    this.#log = log;
    this.#look();
  }

  /** Every descriptor that may have something to say. */
  get fds(): number[] {
    return [this.#watch.fd, ...this.#sockets.fds, ...this.#farewell.fds];
  }

  /** When `afterwards` has work that no descriptor tells of, from now (ms); infinity for never. */
  get due_ms(): number {
    return this.#farewell.due_ms;
  }

  /** Opens what `config` needs, and says how the host stands. What it no longer needs stays open until `prune`. */
  configure(config: RouterConfig): Input[] {
    this.#config = config;
    this.#look();
    this.#sockets.open(this.#config);
    return this.#standing();
  }

  /** Closes the sockets of interfaces that are no longer used. */
  prune(): void {
    this.#sockets.prune(this.#config);
  }

  /** Whether each instance has all its addresses on this host, as far as that changed since the last call. */
  heldNews(): { readonly instance: string; readonly held: boolean }[] {
    const news = this.#config.instances.map((i) => {
      const addresses = allAddresses(i);
      return { instance: i.name, held: addresses.length > 0 && addresses.every((a) => this.#held.has(addressKey(a))) };
    });
    const fresh = news.filter(({ instance, held }) => this.#told.get(instance) !== held);
    for (const { instance, held } of fresh) this.#told.set(instance, held);
    return fresh;
  }

  /** Removes addresses of ours that an earlier run has left behind. */
  cleanLeftovers(): void {
    for (const instance of this.#config.instances) {
      // An owner's addresses are the host's own, there before we came.
      if (ownsAddresses(instance)) continue;
      for (const address of allAddresses(instance)) {
        const index = this.#links.get(address.device)?.index;
        const left = this.#addresses.some((a) => a.index === index && a.ip === address.ip);
        if (!left || this.#held.has(addressKey(address))) continue;
        this.#log(
          'warn',
          instance.name,
          `removes ${address.ip} from ${address.device}: an earlier run has left it behind`,
        );
        this.#remove(address, instance.name);
      }
    }
  }

  /** What has happened on links, addresses and sockets: packets first, so that no timer fires on stale news. */
  drain(): Input[] {
    const inputs = this.#sockets.drain((ip, device) => this.#isOurs(ip, device));
    const { messages, lost } = this.#watch.drain();
    if (lost) {
      this.#look();
      this.#sockets.open(this.#config);
      inputs.push(...this.#standing());
    } else if (messages.length > 0) this.#heed(messages, inputs);
    return inputs;
  }

  /** Carries out one effect; what it leads to, such as a failed send, comes back as inputs. */
  carryOut(effect: Effect): Input[] {
    switch (effect.do) {
      case 'send':
        return this.#sockets.send(effect);
      case 'claim':
        for (const address of effect.addresses) this.#add(address, effect.instance, effect.lifetime_s);
        return [];
      case 'release':
        this.#release(effect);
        return [];
      case 'announce':
        for (const address of effect.addresses) this.#announce(address, effect.instance);
        return [];
      case 'probe':
        for (const address of effect.addresses) this.#probe(address);
        return [];
      case 'notify':
      case 'lower-heard':
      case 'priority':
      case 'log':
        return [];
    }
  }

  /** What can wait until all else is done and told. */
  afterwards(): void {
    this.#farewell.work();
  }

  close(): void {
    this.#farewell.close();
    this.#sockets.close();
    this.#watch.close();
    this.#netlink.close();
  }

  #look(): void {
    this.#links.clear();
    for (const link of this.#netlink.links()) this.#links.set(link.name, link);
    this.#addresses = this.#netlink.addresses();
  }

  #heed(messages: readonly NetlinkMessage[], inputs: Input[]): void {
    let reopen = false;
    for (const message of messages) {
      if (message.kind === 'link') reopen = this.#heedLink(message.gone, message.link, inputs) || reopen;
      else if (message.kind === 'address') this.#heedAddress(message.gone, message.address, inputs);
    }
    if (reopen) this.#sockets.open(this.#config);
    inputs.push(...this.#standing());
  }

  /** True when sockets must be opened anew. */
  #heedLink(gone: boolean, link: LinkInfo, inputs: Input[]): boolean {
    const known = this.#links.get(link.name);
    if (gone) this.#links.delete(link.name);
    else this.#links.set(link.name, link);
    inputs.push({ on: 'link', interface: link.name, up: !gone && this.#usable(link.name) });
    return gone || known?.index !== link.index || known.mac !== link.mac;
  }

  #heedAddress(gone: boolean, address: AddressInfo, inputs: Input[]): void {
    const same = (a: AddressInfo): boolean =>
      a.index === address.index && a.ip === address.ip && a.prefix === address.prefix;
    this.#addresses = this.#addresses.filter((a) => !same(a));
    if (!gone) this.#addresses.push(address);
    const device = this.#nameOf(address.index);
    const held = [...this.#held.values()].find((a) => a.ip === address.ip && a.device === device);
    if (!gone || held === undefined) return;
    // The news may be older than our last claim: only what is really missing was lost.
    const there = this.#netlink.addresses().some((a) => a.index === address.index && a.ip === address.ip);
    if (there) return;
    this.#held.delete(addressKey(held));
    inputs.push({ on: 'address-lost', ip: held.ip, device: held.device });
  }

  /** Up, and heard: whoever cannot hear the others must not think that he is alone. */
  #usable(name: string): boolean {
    const deaf = this.#config.instances.some((i) => i.interface === name && !this.#sockets.hears(i.family, name));
    return !deaf && (this.#links.get(name)?.up ?? false);
  }

  /** How links and source addresses stand, as the core wants to know it. */
  #standing(): Input[] {
    const inputs: Input[] = [];
    const names = new Set<string>();
    for (const i of this.#config.instances) {
      names.add(i.interface);
      for (const t of i.trackInterfaces) names.add(t.interface);
    }
    for (const g of this.#config.groups) for (const t of g.trackInterfaces) names.add(t.interface);
    for (const name of names) inputs.push({ on: 'link', interface: name, up: this.#usable(name) });
    for (const i of this.#config.instances) {
      const address = this.#sourceOf(i.interface, i.family);
      inputs.push({ on: 'source', interface: i.interface, family: i.family, address });
      if (i.source === null) continue;
      const present = this.#addresses.some((a) => a.ip === i.source && !a.tentative);
      inputs.push({ on: 'local', address: i.source, present });
    }
    return inputs;
  }

  /** The interface's own first address, never one that moves. */
  #sourceOf(name: string, family: 'ipv4' | 'ipv6'): string | null {
    const index = this.#links.get(name)?.index;
    const virtual = new Set(
      this.#config.instances.filter((i) => !ownsAddresses(i)).flatMap((i) => allAddresses(i).map((a) => a.ip)),
    );
    const own = this.#addresses.filter(
      (a) => a.index === index && a.family === family && !a.tentative && !virtual.has(a.ip),
    );
    if (family === 'ipv6') return own.find((a) => a.scope === 253)?.ip ?? null;
    return (own.find((a) => !a.secondary) ?? own[0])?.ip ?? null;
  }

  #isOurs(ip: string, device: string): boolean {
    return this.#config.instances.some((i) => allAddresses(i).some((a) => a.ip === ip && a.device === device));
  }

  #add(address: VirtualAddress, instance: string, lifetime_s: number | null): void {
    const request = this.#request(address, lifetime_s);
    if (request === null) {
      this.#log('error', instance, `cannot put ${address.ip} on ${address.device}: there is no such interface`);
      return;
    }
    this.#farewell.returns(address);
    try {
      this.#netlink.addAddress(request, `cannot put ${address.ip}/${address.prefix} on ${address.device}`);
      this.#held.set(addressKey(address), address);
    } catch (error) {
      this.#fail(instance, error);
    }
  }

  /** The time that a farewell may take is for all the addresses together. Without any, they go before all else. */
  #release({ addresses, instance, farewell_ms }: Extract<Effect, { do: 'release' }>): void {
    const refuse = (): void => {
      for (const address of addresses) this.#farewell.refuse(address, instance);
    };
    const inTime = farewell_ms !== null && farewell_ms > 0;
    if (inTime) {
      const end = performance.now() + farewell_ms;
      for (const address of addresses) this.#farewell.sever(address, instance, end - performance.now());
      refuse();
    }
    for (const address of addresses) this.#remove(address, instance);
    if (farewell_ms !== null && !inTime) refuse();
  }

  #remove(address: VirtualAddress, instance: string): void {
    this.#held.delete(addressKey(address));
    const request = this.#request(address, null);
    if (request === null) return;
    try {
      this.#netlink.removeAddress(request, `cannot remove ${address.ip}/${address.prefix} from ${address.device}`);
    } catch (error) {
      this.#fail(instance, error);
    }
  }

  #request(address: VirtualAddress, lifetime_s: number | null): AddressRequest | null {
    const index = this.#links.get(address.device)?.index;
    const ip = parseIp(address.ip);
    if (index === undefined || ip === null) return null;
    return {
      index,
      ip,
      prefix: address.prefix,
      peer: address.peer === null ? null : parseIp(address.peer),
      broadcast: address.broadcast === null ? null : parseIp(address.broadcast),
      label: address.label,
      scope: address.scope,
      lifetime_s,
      deprecated: address.deprecated,
      home: address.home,
      noPrefixRoute: address.noPrefixRoute,
    };
  }

  #announce(address: VirtualAddress, instance: string): void {
    const ip = parseIp(address.ip);
    const frame = (mac: Uint8Array): Uint8Array | null => {
      if (ip === null) return null;
      return ip.length === 4 ? gratuitousArp(mac, ip) : unsolicitedAdvert(mac, ip, false);
    };
    this.#sockets.frame(address.device, instance, frame);
  }

  /** IPv4 only: who holds an IPv6 address is left to the kernel's neighbour discovery. */
  #probe(address: VirtualAddress): void {
    const ip = parseIp(address.ip);
    this.#sockets.frame(address.device, null, (mac) => (ip !== null && ip.length === 4 ? arpProbe(mac, ip) : null));
  }

  #nameOf(index: number): string | undefined {
    for (const [name, link] of this.#links) if (link.index === index) return name;
    return undefined;
  }

  /** A system call's failure is reported and survived; anything else is a fault of this program. */
  #fail(instance: string | null, error: unknown): void {
    if (!(error instanceof SystemError)) throw error;
    const hint = error.code === 'EPERM' ? ': CAP_NET_RAW and CAP_NET_ADMIN are needed' : '';
    this.#log('error', instance, `${error.message}${hint}`);
  }
}
