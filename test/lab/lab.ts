/**
 * Hosts on a switch, made of network namespaces: nothing of it touches the machine's own network, and nothing is left
 * behind, not even after a Ctrl-C. Needs root; ask `needsLab` first.
 *
 *     const lab = new Lab(cleanup, ['a', 'b', 'client']);
 *     lab.host('a').start('redis-server', []);
 *     lab.host('a').unplug();
 */
import type { TestContext } from 'vitest';
import type { Cleanup } from '../support/cleanup.js';
import { atExit } from '../support/last-rites.js';
import { leaveOut, needsNetworkNamespaces } from '../support/needs.js';
import { Capture } from './capture.js';
import { Host } from './host.js';
import { addNamespace, ipBatch, removeNamespace, run, uniqueName } from './netns.js';

export interface LabOptions {
  /** The first three parts of every host's address. */
  readonly network?: string;
  /** Host addresses, by name, instead of .1, .2, .3 in order. */
  readonly addresses?: Readonly<Record<string, string>>;
  readonly prefix?: number;
  /** The hosts' interface. */
  readonly device?: string;
}

export class Lab {
  readonly network: string;
  readonly #switch = uniqueName();
  readonly #hosts = new Map<string, Host>();
  readonly #namespaces: string[] = [];
  readonly #cleanup: Cleanup;

  constructor(cleanup: Cleanup, names: readonly string[], options: LabOptions = {}) {
    this.#cleanup = cleanup;
    this.network = options.network ?? '10.99.0';
    const forget = atExit(() => this.#remove());
    cleanup.add(() => {
      this.#remove();
      forget();
    });
    this.#add(this.#switch);
    // Without snooping the switch floods multicast, as one without configuration does; no IPv6 address of its own.
    ipBatch(this.#switch, [
      'link add br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
      'link set br0 up',
      'link set lo up',
    ]);
    for (const [i, name] of names.entries()) {
      const address = options.addresses?.[name] ?? `${this.network}.${i + 1}`;
      this.#addHost(name, address, options.prefix ?? 24, options.device ?? 'eth0');
    }
  }

  /** @throws {RangeError} when there is no such host. */
  host(name: string): Host {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new RangeError(`no host ${name} in the lab`);
    return host;
  }

  get hosts(): readonly Host[] {
    return [...this.#hosts.values()];
  }

  /** Who has an address. */
  holders(address: string): string[] {
    return this.hosts.filter((h) => h.holds(address)).map((h) => h.name);
  }

  /** Everything of one kind that passes the switch from now on; `filter` as in pcap-filter(7). */
  async capture(filter: string): Promise<Capture> {
    return Capture.start(this.#switch, filter, this.#cleanup);
  }

  #addHost(name: string, address: string, prefix: number, device: string): void {
    const namespace = uniqueName();
    this.#add(namespace);
    const port = `p${this.#hosts.size}`;
    ipBatch(null, [`link add ${port} netns ${this.#switch} type veth peer name ${device} netns ${namespace}`]);
    ipBatch(this.#switch, [`link set ${port} master br0`, `link set ${port} up`]);
    // Addresses that wait for duplicate detection would make every scenario a second longer.
    run('ip', [
      'netns',
      'exec',
      namespace,
      'sysctl',
      '-qw',
      'net.ipv6.conf.all.accept_dad=0',
      'net.ipv6.conf.default.accept_dad=0',
      `net.ipv6.conf.${device}.accept_dad=0`,
    ]);
    ipBatch(namespace, ['link set lo up', `addr add ${address}/${prefix} dev ${device}`, `link set ${device} up`]);
    this.#hosts.set(name, new Host(name, namespace, address, this.#switch, port, this.#cleanup, device));
  }

  #add(namespace: string): void {
    addNamespace(namespace);
    this.#namespaces.push(namespace);
  }

  #remove(): void {
    for (const namespace of this.#namespaces.splice(0).reverse()) removeNamespace(namespace);
  }
}

/** Leaves the test out, with the reason, where labs cannot be built. */
export function needsLab(context: TestContext): void {
  needsNetworkNamespaces(context);
  if (process.getuid?.() !== 0) leaveOut(context, 'a lab of network namespaces needs root');
}
