/**
 * A wall clock that can be put forward on one host alone. The kernel has one for all hosts of a lab, and moving that
 * would move the machine's: so a library is preloaded into the host's processes. It needs a C compiler.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('./wall-clock.c', import.meta.url));

/** Why wall clocks cannot be moved here; null when they can. */
export function wallClockLimit(): string | null {
  const { status } = spawnSync('cc', ['--version']);
  return status === 0
    ? null
    : 'moving the wall clock of one host needs a C compiler (cc), for the library that does it';
}

export class WallClock {
  /** For the environment of every process of the host. */
  readonly env: Readonly<Record<string, string>>;
  readonly #file: string;

  /** @throws {Error} what the compiler said */
  constructor(folder: string, host: string) {
    const library = join(folder, `wall-clock-${host}.so`);
    const { status, stderr } = spawnSync('cc', ['-O2', '-shared', '-fPIC', '-o', library, SOURCE], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`cc: ${stderr}`);
    this.#file = join(folder, `wall-clock-${host}`);
    this.set(0);
    this.env = { LD_PRELOAD: library, LAB_CLOCK: this.#file };
  }

  /** How far it is from the machine's. Written in place: the processes have the file mapped. */
  set(shift_ms: number): void {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(shift_ms));
    const file = openSync(this.#file, constants.O_RDWR | constants.O_CREAT);
    writeSync(file, bytes, 0, bytes.length, 0);
    closeSync(file);
  }
}
