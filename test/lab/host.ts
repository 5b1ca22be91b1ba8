/** One host of a lab: a network namespace with an interface on the lab's switch. */
import { existsSync, readFileSync } from 'node:fs';
import { type Child, startChild } from '../support/child.js';
import type { Cleanup } from '../support/cleanup.js';
import { ipBatch, killAllIn, run } from './netns.js';

/** What may be dropped by a firewall on a host. */
export interface Block {
  readonly direction: 'in' | 'out';
  /** An nft expression; by default all that VRRP sends. */
  readonly match?: string;
}

interface ListedAddress {
  readonly local: string;
  readonly prefixlen: number;
  readonly label?: string;
  readonly valid_life_time: number;
}

export class Host {
  readonly name: string;
  /** The namespace. */
  readonly namespace: string;
  /** Of its interface, e.g. `10.99.0.1`. */
  readonly address: string;
  /** Its interface beside loopback. */
  readonly device: string;
  readonly #switch: string;
  readonly #port: string;
  readonly #cleanup: Cleanup;
  #blocks = 0;

  constructor(
    name: string,
    namespace: string,
    address: string,
    switchNamespace: string,
    port: string,
    cleanup: Cleanup,
    device = 'eth0',
  ) {
    this.name = name;
    this.namespace = namespace;
    this.address = address;
    this.device = device;
    this.#switch = switchNamespace;
    this.#port = port;
    this.#cleanup = cleanup;
  }

  /** Starts a process in the host; it ends with the test. */
  start(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
    return startChild(
      { command: ipPath(), args: ['netns', 'exec', this.namespace, command, ...args], env },
      this.#cleanup,
    );
  }

  /** Runs a command to its end and gives its output. @throws {Error} when it fails. */
  exec(command: string, ...args: readonly string[]): string {
    return run('ip', ['netns', 'exec', this.namespace, command, ...args]);
  }

  /** Runs `ip` commands in the host. */
  ip(...commands: readonly string[]): void {
    ipBatch(this.namespace, commands);
  }

  /** The addresses on an interface, in canonical text. */
  addresses(device = this.device): string[] {
    return this.#list(device).map((a) => a.local);
  }

  holds(address: string, device = this.device): boolean {
    return this.addresses(device).includes(address);
  }

  /** One address as `ip addr` shows it, or undefined. */
  describe(address: string, device = this.device): ListedAddress | undefined {
    return this.#list(device).find((a) => a.local === address);
  }

  /** Pulls the cable: the host sees its carrier go. */
  unplug(): void {
    ipBatch(this.#switch, [`link set ${this.#port} down`]);
  }

  plug(): void {
    ipBatch(this.#switch, [`link set ${this.#port} up`]);
  }

  /** Drops packets by a firewall rule, one way, with the carrier up. @returns takes the rule away. */
  block({ direction, match = 'meta l4proto 112' }: Block): () => void {
    const table = `lab${++this.#blocks}`;
    const hook = direction === 'in' ? 'input' : 'output';
    const rules = `table inet ${table} {\n chain c {\n type filter hook ${hook} priority 0;\n ${match} drop;\n }\n}\n`;
    run('ip', ['netns', 'exec', this.namespace, 'nft', '-f', '-'], rules);
    return () => run('ip', ['netns', 'exec', this.namespace, 'nft', 'delete', 'table', 'inet', table]);
  }

  /** kill -9 for every process in the host, as a power cut that spares the kernel. */
  killAll9(): void {
    killAllIn(this.namespace);
  }

  /** The processes that a process of this host has started, with their command lines. */
  childrenOf(pid: number): { readonly pid: number; readonly command: string }[] {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return pids
      .split(' ')
      .filter((text) => text !== '')
      .map((text) => ({ pid: Number(text), command: readFileSync(`/proc/${text}/cmdline`, 'utf8') }));
  }

  /** The MAC of an address as this host's ARP or neighbour table has it; undefined when it has none. */
  neighbour(address: string): string | undefined {
    const [entry] = JSON.parse(run('ip', ['-n', this.namespace, '-j', 'neigh', 'show', address]) || '[]') as {
      lladdr?: string;
    }[];
    return entry?.lladdr;
  }

  mac(device = this.device): string {
    const [link] = JSON.parse(run('ip', ['-n', this.namespace, '-j', 'link', 'show', device])) as { address: string }[];
    return link?.address ?? '';
  }

  #list(device: string): ListedAddress[] {
    const text = run('ip', ['-n', this.namespace, '-j', 'addr', 'show', 'dev', device]);
    const links = JSON.parse(text) as { addr_info?: ListedAddress[] }[];
    return links.flatMap((l) => l.addr_info ?? []);
  }
}

function ipPath(): string {
  return ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip', '/bin/ip'].find((path) => existsSync(path)) ?? 'ip';
}
