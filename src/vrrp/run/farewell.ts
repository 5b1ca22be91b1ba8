/**
 * What clients are told when an address leaves a host that lives on: nothing else would tell them, since the kernel cannot
 * speak for an address that it no longer has, and silence costs a client a second or its own time-out.
 */
import { readFileSync } from 'node:fs';
import { parseIp } from '../../base/ip-bytes.js';
import { SystemError } from '../../net/libc.js';
import type { LinkInfo } from '../../net/netlink-codec.js';
import { RefusalSocket } from '../../net/refusal-socket.js';
import { ConnectionEnder, connectionsOf } from '../../net/sock-diag.js';
import type { Connection } from '../../net/sock-diag-codec.js';
import { addressKey, type VirtualAddress } from '../core/config.js';
import type { LogLevel } from '../core/io.js';

/** For so long after an address has left, those who still send to it are answered: all have heard of its new host by then. */
const REFUSE_MS = 2000;
/** Answers a second, and at once after a pause. A flood must not keep the router from its adverts. */
const ANSWERS_PER_S = 5000;
/** Segments that are answered before anything else is looked at; clients are made to speak when so many answers are left. */
const MAX_ANSWERS_AT_ONCE = 256;
/** A client that was cut off may be back before the address has gone: it is looked again until nothing is found. */
const MAX_PASSES = 3;

/** An address that has left. */
interface Left {
  readonly address: VirtualAddress;
  readonly instance: string;
  readonly until: number;
  /** null where nobody can be answered. */
  readonly socket: RefusalSocket | null;
  /** Connections that are still on this host, page by page; null when there are none left. */
  rest: Iterator<readonly Connection[]> | null;
  /** Found by `rest`. */
  late: number;
}

export interface FarewellHost {
  readonly links: ReadonlyMap<string, LinkInfo>;
  /** Whether an address is on this host. */
  isHere(ip: string): boolean;
  log(level: LogLevel, instance: string | null, message: string): void;
}

export class Farewell {
  readonly #host: FarewellHost;
  readonly #left = new Map<string, Left>();
  #ender: ConnectionEnder | null = null;
  #tokens = ANSWERS_PER_S;
  #filledAt = 0;
  /** Said already. */
  readonly #said = new Set<string>();

  constructor(host: FarewellHost) {
    this.#host = host;
  }

  /** Each is readable when somebody has to be answered. */
  get fds(): number[] {
    return [...this.#left.values()].flatMap(({ socket }) => socket?.fd ?? []);
  }

  /** When there is work that no descriptor tells of, from now (ms); infinity for never. */
  get due_ms(): number {
    if (![...this.#left.values()].some(({ rest }) => rest !== null)) return Number.POSITIVE_INFINITY;
    return Math.max(0, ((MAX_ANSWERS_AT_ONCE - this.#tokens) * 1000) / ANSWERS_PER_S);
  }

  /**
   * Ends the TCP connections of an address that is about to be removed: the kernel sends each client a reset. It takes
   * `limit_ms` and one page of connections at most; what is left then, `refuse` sees to.
   */
  sever(address: VirtualAddress, instance: string, limit_ms: number): void {
    const ip = parseIp(address.ip);
    if (ip === null || limit_ms <= 0) return;
    const start = performance.now();
    const spent = (): number => performance.now() - start;
    let ended = 0;
    this.#attempt(instance, () => {
      for (let pass = 0; pass < MAX_PASSES; pass++) {
        const before = ended;
        for (const page of connectionsOf(ip)) {
          if (!this.#end(page, instance)) return;
          ended += page.length;
          if (spent() >= limit_ms) return;
        }
        if (ended === before) return;
      }
    });
    if (ended > 0) this.#tell(instance, `ended ${ended} connections to ${address.ip} in ${spent().toFixed(1)} ms`);
  }

  /**
   * From now on those who send to an address are refused, as soon as it has gone. What came for it just before belongs to
   * a connection that is lost as well.
   */
  refuse(address: VirtualAddress, instance: string): void {
    const ip = parseIp(address.ip);
    if (ip === null) return;
    this.#close(addressKey(address));
    this.#left.set(addressKey(address), {
      address,
      instance,
      until: performance.now() + REFUSE_MS,
      socket: this.#open(address, ip, instance),
      rest: connectionsOf(ip),
      late: 0,
    });
  }

  /** An address is about to be put on this host: it speaks for itself again. */
  returns(address: VirtualAddress): void {
    const left = this.#left.get(addressKey(address));
    if (left === undefined) return;
    left.rest?.return?.();
    left.rest = null;
    this.#attempt(left.instance, () => left.socket?.mute());
  }

  /** Does a bounded part of what there is to do. */
  work(): void {
    const now = performance.now();
    this.#tokens = Math.min(ANSWERS_PER_S, this.#tokens + ((now - this.#filledAt) * ANSWERS_PER_S) / 1000);
    this.#filledAt = now;
    for (const [key, left] of this.#left) {
      if (now >= left.until) this.#close(key);
      else if (!this.#host.isHere(left.address.ip)) {
        this.#attempt(left.instance, () => this.#sweep(left));
        this.#attempt(left.instance, () => this.#answer(left));
      }
    }
  }

  close(): void {
    for (const key of [...this.#left.keys()]) this.#close(key);
    this.#ender?.close();
  }

  /**
   * IPv4 only. Not where this host forwards: then frames may be on their way through it to the address's new host, and
   * the kernel passes on what comes for it.
   */
  #open({ device, family }: VirtualAddress, ip: Uint8Array, instance: string): RefusalSocket | null {
    const link = this.#host.links.get(device);
    if (family !== 'ipv4' || link === undefined || !link.ethernet || forwards(device)) return null;
    let socket: RefusalSocket | null = null;
    this.#attempt(instance, () => {
      socket = new RefusalSocket(device, link.index, ip);
    });
    return socket;
  }

  /**
   * One page of what was not ended in time, or has come since. No reset can leave for it any more: the local program sees
   * its end, and the client is made to speak, so that it can be refused, here or by the address's new host.
   */
  #sweep(left: Left): void {
    if (left.rest === null || this.#tokens < MAX_ANSWERS_AT_ONCE) return;
    const { done, value: page = [] } = left.rest.next();
    if (done === true) {
      left.rest = null;
      if (left.late > 0) {
        this.#tell(left.instance, `ended ${left.late} more connections to ${left.address.ip} after it was removed`);
      }
      return;
    }
    left.late += page.length;
    this.#end(page, left.instance);
    const source = parseIp(left.address.ip);
    if (source === null) return;
    for (const { localPort, peerPort, peer } of page) {
      const ends = { source, destination: peer.slice(-4), sourcePort: localPort, destinationPort: peerPort };
      left.socket?.challenge(ends);
    }
  }

  #answer({ socket }: Left): void {
    if (socket === null) return;
    for (const answer of socket.due(MAX_ANSWERS_AT_ONCE)) {
      if (this.#tokens < 1) continue;
      this.#tokens--;
      socket.send(answer);
    }
  }

  /** False when the kernel does not do it; that is said once. */
  #end(connections: readonly Connection[], instance: string): boolean {
    return this.#attempt(instance, () => {
      this.#ender ??= new ConnectionEnder();
      this.#ender.end(connections);
    });
  }

  /** The farewell is a courtesy: what goes wrong with it is said once, and nothing waits for it. */
  #attempt(instance: string, what: () => void): boolean {
    try {
      what();
      return true;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      const unable =
        error.code === 'EOPNOTSUPP' ? ': this kernel cannot end connections (CONFIG_INET_DIAG_DESTROY)' : '';
      if (!this.#said.has(error.message)) this.#host.log('warn', instance, `${error.message}${unable}`);
      this.#said.add(error.message);
      return false;
    }
  }

  #tell(instance: string, message: string): void {
    this.#host.log('info', instance, message);
  }

  #close(key: string): void {
    const left = this.#left.get(key);
    if (left === undefined) return;
    left.rest?.return?.();
    left.socket?.close();
    this.#left.delete(key);
  }
}

function forwards(device: string): boolean {
  try {
    return readFileSync(`/proc/sys/net/ipv4/conf/${device}/forwarding`, 'utf8').trim() !== '0';
  } catch {
    // Without the file there is no such interface, or no IPv4.
    return true;
  }
}
