/**
 * Hosts and TCP-like connections. Within one connection nothing is lost, doubled or overtaken; what a cut stops is held
 * back and retransmitted after the cut, until one side gives the connection up. Connections race each other freely.
 */
import type { Prng } from '../base/prng.js';
import type { CloseReason } from '../sentinel/core/io.js';
import type { Gate } from './gate.js';
import type { Loop } from './loop.js';
import type { Message } from './message.js';

/** A machine with one address. */
export interface Host {
  readonly index: number;
  readonly ip: string;
  up: boolean;
}

/** A process that can be connected to. */
export interface Listener {
  readonly host: Host;
  readonly port: number;
  readonly gate: Gate;
  readonly alive: boolean;
  /** Takes the process's side of a new connection. */
  accept(end: End): void;
}

type Packet =
  | { readonly kind: 'data'; readonly message: Message }
  | { readonly kind: 'fin' }
  | { readonly kind: 'rst' };

function ignore(): void {}

/** One side of a connection. */
export class End {
  open = true;
  onMessage: (message: Message) => void = ignore;
  onClose: (why: CloseReason) => void = ignore;
  held: Packet[] = [];
  lastArrival = 0;

  constructor(
    readonly link: { a: End | null; b: End | null },
    readonly host: Host,
    readonly gate: Gate,
    readonly network: Network,
  ) {}

  get peer(): End {
    const peer = this.link.a === this ? this.link.b : this.link.a;
    if (peer === null) throw new Error('a connection has two ends');
    return peer;
  }

  send(message: Message): void {
    if (this.open) this.network.transmit(this, { kind: 'data', message });
  }

  /** Ends it in good order: the other side learns of it after all that was sent before. */
  close(): void {
    if (!this.open) return;
    this.open = false;
    this.network.transmit(this, { kind: 'fin' });
  }

  /** As a kernel does for a process that died. */
  reset(): void {
    if (!this.open) return;
    this.open = false;
    this.network.transmit(this, { kind: 'rst' });
  }

  /** The host is gone: nobody is told. */
  vanish(): void {
    this.open = false;
  }

  arrive(packet: Packet): void {
    if (this.gate.closed && this.open) this.gate.pass(() => this.#take(packet));
    else this.#take(packet);
  }

  #take(packet: Packet): void {
    if (!this.open) {
      if (packet.kind === 'data' && this.host.up) this.network.transmit(this, { kind: 'rst' });
      return;
    }
    if (packet.kind === 'data') {
      this.onMessage(packet.message);
      return;
    }
    this.open = false;
    this.onClose(packet.kind === 'fin' ? 'ended' : 'reset');
  }
}

/** How the network behaves where nothing is cut. */
export interface NetworkManners {
  /** Whether packets take different times; without, every way between hosts takes the same. */
  jitter: boolean;
  /** Extra delay in both directions, up to this; raised while the network is slow. */
  slow_ms: number;
  /** How many packets of a thousand are lost once and come by retransmission. */
  lostPerMille: number;
}

const RETRANSMIT_MIN_MS = 200;
const SYN_RETRIES_MS = [1_000, 3_000];

/** Somebody wants to be connected. */
interface Wish {
  readonly from: { readonly host: Host; readonly gate: Gate };
  readonly to: { readonly ip: string; readonly port: number };
  readonly timeout_ms: number;
  readonly done: (result: End | CloseReason) => void;
}

export class Network {
  readonly hosts: Host[] = [];
  readonly manners: NetworkManners = { jitter: true, slow_ms: 0, lostPerMille: 0 };
  readonly #listeners = new Map<string, Listener>();
  /** How many cuts lie on the way from one host to another. */
  readonly #cuts = new Map<number, number>();
  readonly #stuck = new Set<End>();

  constructor(
    readonly loop: Loop,
    readonly prng: Prng,
  ) {}

  addHost(): Host {
    const index = this.hosts.length;
    const host: Host = { index, ip: `10.0.0.${index + 1}`, up: true };
    this.hosts.push(host);
    return host;
  }

  listen(listener: Listener): void {
    this.#listeners.set(`${listener.host.ip}:${listener.port}`, listener);
  }

  /** Stops what `from` sends from reaching `to`. */
  cut(from: Host, to: Host): void {
    const key = cutKey(from, to);
    this.#cuts.set(key, (this.#cuts.get(key) ?? 0) + 1);
  }

  /** Takes one such cut away. */
  mend(from: Host, to: Host): void {
    const key = cutKey(from, to);
    const left = (this.#cuts.get(key) ?? 0) - 1;
    if (left > 0) this.#cuts.set(key, left);
    else this.#cuts.delete(key);
    this.retransmit();
  }

  /** Whether anything is cut, slow or lossy. */
  get troubled(): boolean {
    return this.#cuts.size > 0 || this.manners.slow_ms > 0 || this.manners.lostPerMille > 0;
  }

  /** To be called when a way may have become free: what was held back goes out after a while. */
  retransmit(): void {
    for (const end of [...this.#stuck]) {
      if (this.isCut(end.host, end.peer.host)) continue;
      this.#stuck.delete(end);
      this.loop.after(RETRANSMIT_MIN_MS * (1 + this.prng.below(10)), () => this.#flush(end));
    }
  }

  #flush(end: End): void {
    if (this.isCut(end.host, end.peer.host)) {
      this.#stuck.add(end);
      return;
    }
    const { held } = end;
    end.held = [];
    for (const packet of held) this.#put(end, packet);
  }

  transmit(end: End, packet: Packet): void {
    if (end.held.length > 0 || this.isCut(end.host, end.peer.host)) {
      if (end.held.length === 0) this.#stuck.add(end);
      end.held.push(packet);
      return;
    }
    this.#put(end, packet);
  }

  #put(end: End, packet: Packet): void {
    const peer = end.peer;
    end.lastArrival = Math.max(end.lastArrival, this.loop.now + this.#delay_ms(end.host, peer.host));
    this.loop.at(end.lastArrival, () => peer.arrive(packet));
  }

  /** One packet that nobody sends again: it arrives once, or never. */
  datagram(from: Host, to: Host, arrive: () => void): void {
    if (this.prng.below(1_000) < this.manners.lostPerMille) return;
    this.loop.after(this.#delay_ms(from, to), () => {
      if (!this.isCut(from, to)) arrive();
    });
  }

  /** Whether nothing gets from one host to another. */
  isCut(from: Host, to: Host): boolean {
    return !from.up || !to.up || (this.#cuts.size > 0 && this.#cuts.has(cutKey(from, to)));
  }

  #delay_ms(from: Host, to: Host): number {
    const { jitter, slow_ms, lostPerMille } = this.manners;
    let delay = from === to ? 0.05 : jitter ? 0.2 + this.prng.below(10) / 10 : 0.5;
    if (from !== to && slow_ms > 0) delay += this.prng.below(slow_ms);
    if (from !== to && lostPerMille > 0 && this.prng.below(1_000) < lostPerMille) delay += RETRANSMIT_MIN_MS;
    return delay;
  }

  /** Connects; `done` is told our end, or why there is none. */
  connect(from: Wish['from'], to: Wish['to'], timeout_ms: number, done: Wish['done']): void {
    this.#attempt({ from, to, timeout_ms, done }, SYN_RETRIES_MS, 0);
  }

  #attempt(wish: Wish, retries: readonly number[], elapsed_ms: number): void {
    const { from, to, timeout_ms } = wish;
    const target = this.hosts.find((host) => host.ip === to.ip);
    if (target === undefined) return this.#tell(wish, timeout_ms, 'timeout');
    if (!this.isCut(from.host, target) && !this.isCut(target, from.host)) {
      const way_ms = this.#delay_ms(from.host, target) + this.#delay_ms(target, from.host);
      const listener = this.#listeners.get(`${to.ip}:${to.port}`);
      if (listener === undefined || !listener.alive) return this.#tell(wish, way_ms, 'refused');
      this.#tell(wish, way_ms, this.#establish(from, listener));
      return;
    }
    const [next, ...rest] = retries;
    if (next === undefined || elapsed_ms + next >= timeout_ms) this.#tell(wish, timeout_ms - elapsed_ms, 'timeout');
    else this.loop.after(next, () => this.#attempt(wish, rest, elapsed_ms + next));
  }

  #tell({ from, done }: Wish, delay_ms: number, result: End | CloseReason): void {
    this.loop.after(delay_ms, () => from.gate.pass(() => done(result)));
  }

  /** The kernel takes the connection, also for a process that is frozen. */
  #establish(from: { readonly host: Host; readonly gate: Gate }, listener: Listener): End {
    const link: { a: End | null; b: End | null } = { a: null, b: null };
    const ours = new End(link, from.host, from.gate, this);
    const theirs = new End(link, listener.host, listener.gate, this);
    link.a = ours;
    link.b = theirs;
    listener.gate.unaccepted.add(theirs);
    listener.gate.pass(() => {
      listener.gate.unaccepted.delete(theirs);
      listener.accept(theirs);
    });
    return ours;
  }
}

function cutKey(from: Host, to: Host): number {
  return from.index * 1_000 + to.index;
}
