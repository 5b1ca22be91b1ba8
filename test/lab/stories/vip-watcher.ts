/** Watches every host of a system from inside: who holds a VIP, whose Redis takes writes; see watcher.mjs. */
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../../support/child.js';
import type { Cleanup } from '../../support/cleanup.js';
import type { Overlap } from './overlaps.mjs';
import { processesOn } from './processes.js';
import type { System } from './system.js';

const WATCHER = fileURLToPath(new URL('./watcher.mjs', import.meta.url));
const EVERY_MS = 5;

export interface Watched {
  readonly samples: number;
  /** By group: two hosts held a VIP and had a Redis that took writes. */
  readonly withVip: readonly Overlap[];
  /** By group: two Redis took writes, VIP or not. */
  readonly writable: readonly Overlap[];
  readonly changes: readonly { readonly at: number; readonly host: string; readonly what: string }[];
}

export class VipWatcher {
  readonly #child: Child;

  private constructor(child: Child) {
    this.#child = child;
  }

  /** Starts it; resolves when it watches. */
  static async start(system: System, cleanup: Cleanup): Promise<VipWatcher> {
    const hosts = system.members.map(({ host, redis }) => ({
      name: host.name,
      pid: processesOn(host)[0]?.pid,
      vips: system.vips,
      redis: redis.map(({ group, socket, password }) => ({ group, socket, password })),
    }));
    const args = [WATCHER, JSON.stringify({ every_ms: EVERY_MS, hosts })];
    const child = startChild({ command: process.execPath, args }, cleanup);
    await child.untilOutput(/watching/);
    return new VipWatcher(child);
  }

  async end(): Promise<Watched> {
    this.#child.kill('SIGTERM');
    const [, text = ''] = await this.#child.untilOutput(/^watched (.*)$/m);
    await this.#child.exited;
    return JSON.parse(text) as Watched;
  }
}
