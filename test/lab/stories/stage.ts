/** Where a story is told: a lab that outlives nobody, a folder, and what a fault may need to be prepared before. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Cleanup } from '../../support/cleanup.js';
import { tempDir } from '../../support/temp-dir.js';
import type { Host } from '../host.js';
import { Lab, type LabOptions } from '../lab.js';
import { drain, fill, smallDisk } from './disk.js';
import { FOLDER_PREFIX, guard } from './guardian.js';
import { WallClock } from './wall-clock.js';

/** Room for a Redis's append-only file of a minute's writes, and not for much more. */
const SMALL_DISK_MB = 48;

export interface StageOptions {
  /** Every host's data stands on a file system of its own, which can be filled. */
  readonly smallDisks?: boolean;
  /** Every host has a wall clock of its own, which can be moved. */
  readonly wallClocks?: boolean;
}

export class Stage {
  readonly cleanup: Cleanup;
  readonly folder: string;
  readonly #options: StageOptions;
  readonly #clocks = new Map<string, WallClock>();
  #lab: Lab | null = null;

  constructor(cleanup: Cleanup, options: StageOptions = {}) {
    guard();
    this.cleanup = cleanup;
    this.folder = tempDir(cleanup, FOLDER_PREFIX);
    this.#options = options;
  }

  /** Builds the hosts, and one named `client`. */
  build(names: readonly string[], options: LabOptions = {}): void {
    this.#lab = new Lab(this.cleanup, [...names, 'client'], options);
  }

  get lab(): Lab {
    if (this.#lab === null) throw new Error('no lab has been built on this stage');
    return this.#lab;
  }

  get client(): Host {
    return this.lab.host('client');
  }

  /** Ends every process on every host. */
  powerOff(): void {
    for (const host of this.#lab?.hosts ?? []) host.killAll9();
  }

  /** A folder of a host for data. */
  dataDirectory(host: string): string {
    const path = join(this.folder, `${host}-data`);
    if (this.#options.smallDisks === true) smallDisk(path, SMALL_DISK_MB, this.cleanup);
    else mkdirSync(path, { recursive: true });
    return path;
  }

  /** What every process of a host must have in its environment. */
  env(host: string): Readonly<Record<string, string>> {
    return this.#options.wallClocks === true ? this.#clock(host).env : {};
  }

  fillDisk(host: string): void {
    fill(join(this.folder, `${host}-data`));
  }

  drainDisk(host: string): void {
    drain(join(this.folder, `${host}-data`));
  }

  /** @throws {Error} when the stage has been set without wall clocks */
  moveWallClock(host: string, shift_ms: number): void {
    if (this.#options.wallClocks !== true) throw new Error('this stage has no wall clocks');
    this.#clock(host).set(shift_ms);
  }

  #clock(host: string): WallClock {
    const known = this.#clocks.get(host);
    if (known !== undefined) return known;
    const clock = new WallClock(this.folder, host);
    this.#clocks.set(host, clock);
    return clock;
  }
}
