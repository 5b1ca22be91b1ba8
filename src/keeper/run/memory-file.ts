/** What the keeper must still know after a restart of the agent, as a file in the state directory. */
import { readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { errorText } from '../../base/error-text.js';
import { systemCode, writeFileAtomic, writeFileInBackground } from '../../config/atomic-file.js';
import type { KeeperMemory } from '../core/io.js';
import { NO_MEMORY } from '../core/state.js';

const schema = z.strictObject({
  role: z.enum(['master', 'replica', 'unknown']),
  epoch: z.int().nonnegative(),
  replId: z.string(),
  offset: z.int(),
  keys: z.int(),
});

export class MemoryFile {
  readonly path: string;
  readonly #log: (level: 'warning', text: string) => void;
  #isFailing = false;
  #unwritten: KeeperMemory | null = null;
  #writing: Promise<void> | null = null;
  /** Calls of `save`: what was begun in the background before the last of them is older. */
  #saves = 0;

  constructor(stateDirectory: string, group: string, log: (level: 'warning', text: string) => void) {
    this.path = join(stateDirectory, `${group}.keeper.json`);
    this.#log = log;
  }

  /** A file that makes no sense is set aside and complained of; then nothing is remembered. */
  load(): KeeperMemory {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') this.#log('warning', `${this.path} cannot be read: ${String(error)}`);
      return NO_MEMORY;
    }
    try {
      return schema.parse(JSON.parse(text));
    } catch {
      const aside = `${this.path}.damaged`;
      this.#log('warning', `${this.path} is damaged; it is set aside as ${aside}, and nothing is remembered`);
      this.#setAside(aside);
      return NO_MEMORY;
    }
  }

  /**
   * Writes it before it returns. A disk that takes nothing is complained of once, and the keeper goes on: what it
   * remembers is for the next start, and a master must not end because its disk is full.
   */
  save(memory: KeeperMemory): void {
    this.#saves += 1;
    this.#unwritten = null;
    try {
      writeFileAtomic(this.path, bytesOf(memory));
      this.#isFailing = false;
    } catch (error) {
      // What is being written has been overtaken all the same: its writer tries this instead.
      if (this.#writing !== null) this.#unwritten = memory;
      this.#fail(error);
    }
  }

  /** The same in the background, the latest of several: nobody waits for the disk. */
  saveSoon(memory: KeeperMemory): void {
    this.#unwritten = memory;
    this.#writing ??= this.#write();
  }

  /** Settles when what was saved is on the disk, or the disk has refused it. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    for (let memory = this.#unwritten; memory !== null; memory = this.#unwritten) {
      this.#unwritten = null;
      const before = this.#saves;
      await writeFileInBackground(this.path, bytesOf(memory), () => this.#saves === before).then(
        () => {
          this.#isFailing = false;
        },
        (error: unknown) => this.#fail(error),
      );
    }
    this.#writing = null;
  }

  #fail(error: unknown): void {
    if (!this.#isFailing) this.#log('warning', errorText(error));
    this.#isFailing = true;
  }

  #setAside(aside: string): void {
    try {
      renameSync(this.path, aside);
    } catch (error) {
      this.#log('warning', `${this.path} cannot be set aside: ${String(error)}`);
    }
  }
}

function bytesOf(memory: KeeperMemory): Buffer {
  return Buffer.from(`${JSON.stringify(memory)}\n`);
}
