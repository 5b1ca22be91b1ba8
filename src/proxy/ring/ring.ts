/** From a key's bytes to a server: hash tag, hash, continuum, and which servers are ejected at the moment. */
import { assert } from '../../base/assert.js';
import type { DistributionName, HashName } from '../../config/nutcracker-types.js';
import { buildContinuum, type Continuum, type RingServer } from './continuum.js';
import { type KeyHash, keyHash } from './hash.js';

export interface RingOptions {
  readonly hash: HashName;
  readonly distribution: DistributionName;
  /** Two characters below 0x100, or null. */
  readonly hashTag: string | null;
  /** At least one. */
  readonly servers: readonly RingServer[];
  /** Draws an integer in [0, limit), for the `random` distribution. */
  readonly below: (limit: number) => number;
}

export class Ring {
  readonly #options: RingOptions;
  readonly #hash: KeyHash;
  readonly #tagOpen: number;
  readonly #tagClose: number;
  readonly #live: boolean[];
  #liveCount: number;
  #continuum: Continuum;

  constructor(options: RingOptions) {
    assert(options.servers.length > 0 && options.servers.length < 65536, 'a ring has 1 to 65535 servers');
    this.#options = options;
    this.#hash = keyHash(options.hash);
    this.#tagOpen = options.hashTag === null ? -1 : options.hashTag.charCodeAt(0);
    this.#tagClose = options.hashTag === null ? -1 : options.hashTag.charCodeAt(1);
    this.#live = options.servers.map(() => true);
    this.#liveCount = options.servers.length;
    this.#continuum = this.#build();
  }

  get liveCount(): number {
    return this.#liveCount;
  }

  isLive(server: number): boolean {
    return this.#live[server] === true;
  }

  /** Takes a server out of the ring or puts it back. With none left, the whole ring is used, dead as it is. */
  setLive(server: number, live: boolean): void {
    assert(server >= 0 && server < this.#live.length, 'a server of this ring');
    if (this.#live[server] === live) return;
    this.#live[server] = live;
    this.#liveCount += live ? 1 : -1;
    this.#continuum = this.#build();
  }

  #build(): Continuum {
    const { distribution, servers, below } = this.#options;
    const all = [...servers.keys()];
    const live = this.#liveCount === 0 ? all : all.filter((index) => this.#live[index] === true);
    return buildContinuum(distribution, servers, live, below);
  }

  /** The index of the server that holds the key in bytes [start, end). */
  pick(bytes: Uint8Array, start: number, end: number): number {
    if (this.#live.length === 1) return 0;
    if (this.#tagOpen >= 0) {
      const open = indexOfByte(bytes, this.#tagOpen, start, end);
      if (open >= 0) {
        const close = indexOfByte(bytes, this.#tagClose, open + 1, end);
        // An empty tag is no tag: the whole key counts.
        if (close > open + 1) return this.#continuum.pick(this.#hash(bytes, open + 1, close));
      }
    }
    return this.#continuum.pick(start === end ? 0 : this.#hash(bytes, start, end));
  }
}

function indexOfByte(bytes: Uint8Array, byte: number, start: number, end: number): number {
  for (let i = start; i < end; i++) if (bytes[i] === byte) return i;
  return -1;
}
