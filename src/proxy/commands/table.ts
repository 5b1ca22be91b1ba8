/**
 * Finds a command by its name's bytes without making a string: the case-folded name is hashed into an open table. What
 * the forwarding path asks of a command lies in typed arrays by command number.
 */
import { assert } from '../../base/assert.js';
import {
  COUNTED_KEYS,
  type CountedKeys,
  KEY_RANGES,
  type KeyRange,
  MAY_STORE,
  ONE_KEY_READS,
  ONE_KEY_WRITES,
  OWN_HANDLING,
  REFUSED,
  STREAM_READS,
} from './command-list.js';

/** How a command is brought to its servers. */
export type Handling =
  | { readonly kind: 'one-key' }
  | { readonly kind: 'split'; readonly join: 'values' | 'all-ok' | 'sum' }
  | { readonly kind: 'range'; readonly range: KeyRange }
  | { readonly kind: 'counted'; readonly counted: CountedKeys }
  | { readonly kind: 'may-store' }
  | { readonly kind: 'streams' }
  | { readonly kind: 'own' }
  | { readonly kind: 'refused'; readonly reason: string };

export interface Command {
  /** Its number, from 1. */
  readonly id: number;
  readonly name: string;
  readonly handling: Handling;
  /** It changes nothing, so it may be sent again when its reply was lost. */
  readonly reads: boolean;
  /** It may wait on the server for as long as it says. */
  readonly blocks: boolean;
}

/** The number that {@link CommandTable.find} gives for a name it does not know. */
export const UNKNOWN_COMMAND = 0;

const SLOTS = 1024;

/** Of the commands with a handler of their own, those that change data. */
const DURABLE_OWN = ['exec', 'flushall', 'flushdb'];

export class CommandTable {
  readonly #commands: Command[] = [];
  readonly #slots = new Uint16Array(SLOTS);
  readonly #names: Uint8Array[] = [new Uint8Array(0)];
  /** 1 for a command whose key is argument 1 and that needs nothing else; by command number. */
  readonly oneKey: Uint8Array;
  /** 1 for a command that changes nothing; by command number. */
  readonly reads: Uint8Array;
  /** 1 for a command that is acknowledged only when a replica has it, where that is asked for; by command number. */
  readonly durable: Uint8Array;
  /** 1 for a command that may wait on the server for as long as it says; by command number. */
  readonly blocks: Uint8Array;

  constructor() {
    this.#addAll(ONE_KEY_READS, { kind: 'one-key' }, true, false);
    this.#addAll(ONE_KEY_WRITES, { kind: 'one-key' }, false, false);
    this.#addAll('mget', { kind: 'split', join: 'values' }, true, false);
    this.#addAll('mset', { kind: 'split', join: 'all-ok' }, false, false);
    this.#addAll('exists touch', { kind: 'split', join: 'sum' }, true, false);
    this.#addAll('del unlink', { kind: 'split', join: 'sum' }, false, false);
    for (const range of KEY_RANGES) this.#addAll(range.names, { kind: 'range', range }, range.reads, range.blocks);
    for (const counted of COUNTED_KEYS) {
      this.#addAll(counted.names, { kind: 'counted', counted }, counted.reads, counted.blocks);
    }
    this.#addAll(MAY_STORE, { kind: 'may-store' }, false, false);
    this.#addAll(STREAM_READS, { kind: 'streams' }, false, true);
    this.#addAll(OWN_HANDLING, { kind: 'own' }, false, false);
    for (const { names, reason } of REFUSED) this.#addAll(names, { kind: 'refused', reason }, false, false);
    this.oneKey = Uint8Array.from([0, ...this.#commands.map((c) => Number(c.handling.kind === 'one-key'))]);
    this.reads = Uint8Array.from([0, ...this.#commands.map((c) => Number(c.reads))]);
    this.durable = Uint8Array.from([1, ...this.#commands.map((c) => Number(isDurable(c)))]);
    this.blocks = Uint8Array.from([0, ...this.#commands.map((c) => Number(c.blocks))]);
  }

  /** Names by command number; the unknown ones are `other`. */
  get names(): string[] {
    return ['other', ...this.#commands.map(({ name }) => name)];
  }

  get size(): number {
    return this.#commands.length;
  }

  /** The command of a number that {@link find} gave; undefined for the unknown one. */
  command(id: number): Command | undefined {
    return this.#commands[id - 1];
  }

  /** The number of the command named by bytes [start, end), in any case; {@link UNKNOWN_COMMAND} when there is none. */
  find(bytes: Uint8Array, start: number, end: number): number {
    let hash = end - start;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + ((bytes[i] ?? 0) & 0xdf)) | 0;
    let slot = (hash ^ (hash >>> 10)) & (SLOTS - 1);
    for (;;) {
      const id = this.#slots[slot] ?? 0;
      if (id === UNKNOWN_COMMAND || this.#isNamed(id, bytes, start, end)) return id;
      slot = (slot + 1) & (SLOTS - 1);
    }
  }

  #isNamed(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const name = this.#names[id];
    if (name === undefined || name.length !== end - start) return false;
    for (let i = 0; i < name.length; i++) {
      const byte = bytes[start + i] ?? 0;
      const isCapital = byte >= 0x41 && byte <= 0x5a;
      if (name[i] !== (isCapital ? byte | 0x20 : byte)) return false;
    }
    return true;
  }

  #addAll(names: string, handling: Handling, reads: boolean, blocks: boolean): void {
    for (const name of names.split(' ')) {
      const id = this.#commands.length + 1;
      const bytes = new TextEncoder().encode(name);
      assert(this.find(bytes, 0, bytes.length) === UNKNOWN_COMMAND, `command ${name} is listed once`);
      assert(id < SLOTS / 2, 'the table stays half empty');
      this.#commands.push({ id, name, handling, reads, blocks });
      this.#names.push(bytes);
      let hash = bytes.length;
      for (const byte of bytes) hash = (Math.imul(hash, 31) + (byte & 0xdf)) | 0;
      let slot = (hash ^ (hash >>> 10)) & (SLOTS - 1);
      while (this.#slots[slot] !== 0) slot = (slot + 1) & (SLOTS - 1);
      this.#slots[slot] = id;
    }
  }
}

/** What changes data; a command that is not known may. */
function isDurable({ name, handling, reads }: Command): boolean {
  switch (handling.kind) {
    case 'own':
      return DURABLE_OWN.includes(name);
    case 'refused':
      return false;
    case 'one-key':
    case 'split':
    case 'range':
    case 'counted':
    case 'may-store':
    case 'streams':
      return !reads && name !== 'xread' && name !== 'spublish';
  }
}

/** The one table of the process. */
export const COMMANDS = new CommandTable();
