/** A virtual network segment with VRRP routers on it: loss, duplication, delay, one-way cuts, dead links, crashes. */
import type { Prng } from '../../base/prng.js';
import { addressKey, type InstanceConfig } from '../../vrrp/core/config.js';
import type { Input, Packet, State } from '../../vrrp/core/io.js';
import { Router } from '../../vrrp/core/router.js';
import { carryOut, standing, type VirtualHost } from './carry-out.js';

/** What the segment does to each packet. Probabilities are 0 to 1. */
export interface Weather {
  readonly loss: number;
  readonly duplication: number;
  readonly delayMin_ms: number;
  readonly delayMax_ms: number;
}

export const CALM: Weather = { loss: 0, duplication: 0, delayMin_ms: 0.05, delayMax_ms: 0.5 };

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** One host: a router core, the addresses its effects have put on the interface, and its own clock. */
class Host {
  router: Router | null = null;
  /** What a kernel would hold: address to the time it expires, infinity for never. */
  readonly held = new Map<string, number>();
  linkUp = true;

  constructor(
    readonly address: string,
    readonly config: InstanceConfig,
  ) {}
}

export class Segment {
  readonly #prng: Prng;
  readonly #hosts: Host[] = [];
  readonly #cuts = new Set<string>();
  #queue: Event[] = [];
  #order = 0;
  now = 0;
  weather: Weather = CALM;
  /** What happened, one line each, for the report of a failed run. */
  readonly log: string[] = [];

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  get size(): number {
    return this.#hosts.length;
  }

  addHost(address: string, config: InstanceConfig): number {
    this.#hosts.push(new Host(address, config));
    return this.#hosts.length - 1;
  }

  boot(index: number): void {
    const host = this.#host(index);
    host.router = new Router({ instances: [host.config], groups: [], startupDelay_ms: 0 });
    // What a killed run left over is cleaned at start.
    host.held.clear();
    for (const input of standing(host.config, host.address, host.linkUp)) this.#feed(index, input);
    this.#feed(index, { on: 'start' });
  }

  /** kill -9: nothing is sent or cleaned; the kernel keeps the addresses until their lifetime ends. */
  kill(index: number): void {
    this.#host(index).router = null;
    this.log.push(`${this.now.toFixed(1)} ${index} killed`);
  }

  /** Leaves in order. */
  leave(index: number): void {
    this.#feed(index, { on: 'stop' });
    this.#host(index).router = null;
  }

  /** Nothing from `from` reaches `to` any more, or again. */
  cut(from: number, to: number, broken: boolean): void {
    if (broken) this.#cuts.add(`${from}>${to}`);
    else this.#cuts.delete(`${from}>${to}`);
    this.log.push(`${this.now.toFixed(1)} ${from}>${to} ${broken ? 'cut' : 'joined'}`);
  }

  link(index: number, up: boolean): void {
    const host = this.#host(index);
    host.linkUp = up;
    this.log.push(`${this.now.toFixed(1)} ${index} link ${up ? 'up' : 'down'}`);
    this.#feed(index, { on: 'link', interface: host.config.interface, up });
  }

  heal(): void {
    this.#cuts.clear();
    this.weather = CALM;
    for (const [index, host] of this.#hosts.entries()) {
      if (!host.linkUp) this.link(index, true);
      if (host.router === null) this.boot(index);
    }
    this.log.push(`${this.now.toFixed(1)} healed`);
  }

  state(index: number): State | 'DEAD' {
    return this.#host(index).router?.snapshot(this.now)[0]?.state ?? 'DEAD';
  }

  /** The addresses on this host's interface. */
  held(index: number): string[] {
    const host = this.#host(index);
    return [...host.held].filter(([, until]) => until > this.now).map(([key]) => key);
  }

  /** Runs until the virtual time `end` (ms), calling `check` after everything that happens. */
  run(end: number, check: () => void = () => undefined): void {
    for (;;) {
      const timer = this.#nextTimer();
      const event = this.#queue[0];
      const next = Math.min(timer.at, event?.at ?? Number.POSITIVE_INFINITY);
      if (next > end) break;
      this.now = Math.max(this.now, next);
      // Received packets before timers, as the runner does it.
      if (event !== undefined && event.at <= timer.at) {
        this.#queue.shift();
        event.run();
      } else {
        this.#feed(timer.index, { on: 'tick' });
      }
      check();
    }
    this.now = end;
  }

  #nextTimer(): { at: number; index: number } {
    let best = { at: Number.POSITIVE_INFINITY, index: -1 };
    for (const [index, host] of this.#hosts.entries()) {
      const at = host.router?.nextDeadline() ?? Number.POSITIVE_INFINITY;
      if (at < best.at) best = { at, index };
    }
    return best;
  }

  #feed(index: number, input: Input): void {
    const host = this.#host(index);
    if (host.router === null) return;
    const hands = this.#handsOf(index, host);
    for (const effect of host.router.step(this.now, input)) carryOut(effect, this.now, hands);
  }

  #handsOf(index: number, { held }: Host): VirtualHost {
    return {
      send: (packet) => {
        for (let to = 0; to < this.#hosts.length; to++) if (to !== index) this.#send(index, to, packet);
      },
      claim: ({ addresses }, until) => {
        for (const address of addresses) held.set(addressKey(address), until);
      },
      release: ({ addresses }) => {
        for (const address of addresses) held.delete(addressKey(address));
      },
      notify: ({ state, reason }) => {
        this.log.push(`${this.now.toFixed(1)} ${index} ${state}: ${reason}`);
      },
    };
  }

  #send(from: number, to: number, packet: Packet): void {
    const { loss, duplication, delayMin_ms, delayMax_ms } = this.weather;
    const copies = this.#prng.chance(duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      if (this.#prng.chance(loss)) continue;
      const delay_ms = delayMin_ms + ((delayMax_ms - delayMin_ms) * this.#prng.below(1000)) / 1000;
      this.#at(this.now + delay_ms, () => {
        if (this.#cuts.has(`${from}>${to}`) || !this.#host(from).linkUp || !this.#host(to).linkUp) return;
        this.#feed(to, { on: 'packet', packet });
      });
    }
  }

  #at(at: number, run: () => void): void {
    const event = { at, order: this.#order++, run };
    let i = this.#queue.length;
    while (i > 0 && (this.#queue[i - 1]?.at ?? 0) > at) i--;
    this.#queue.splice(i, 0, event);
  }

  #host(index: number): Host {
    const host = this.#hosts[index];
    if (host === undefined) throw new RangeError(`no host ${index}`);
    return host;
  }
}
