/** How an address looks to a client that connects to it every 10 ms. */
import { fileURLToPath } from 'node:url';
import type { Child } from '../support/child.js';
import { until } from '../support/until.js';
import type { Host } from './host.js';

const BEACON = fileURLToPath(new URL('./beacon.mjs', import.meta.url));
const WATCHER = fileURLToPath(new URL('./watcher.mjs', import.meta.url));
export const BEACON_PORT = 7000;

/** A server on each host that tells the host's name. */
export async function startBeacons(hosts: readonly Host[]): Promise<void> {
  const children = hosts.map((h) => h.start(process.execPath, [BEACON, h.name, String(BEACON_PORT)]));
  await Promise.all(children.map((c) => c.untilOutput(/listening/)));
}

export interface Answer {
  readonly at_ms: number;
  readonly from: string;
}

export class Availability {
  readonly #child: Child;

  constructor(client: Host, address: string) {
    this.#child = client.start(process.execPath, [WATCHER, address, String(BEACON_PORT)]);
  }

  /** All successful connections, in order of their start. */
  get answers(): Answer[] {
    return this.#child.output
      .split('\n')
      .filter((line) => /^\d+\.\d \S+$/.test(line))
      .map((line) => ({ at_ms: Number(line.split(' ')[0]), from: line.split(' ')[1] ?? '' }))
      .sort((a, b) => a.at_ms - b.at_ms);
  }

  /** Waits until `host` answers, and has answered the last `count` times. */
  async answeredBy(host: string, count = 5, deadline_ms = 15_000): Promise<void> {
    const look = (): boolean => {
      const last = this.answers.slice(-count);
      return last.length === count && last.every((a) => a.from === host);
    };
    await until(look, { what: `${host} to answer`, deadline_ms });
  }

  /** The longest time without an answer since `from_ms` (wall clock). */
  longestGap_ms(from_ms: number): number {
    const times = [from_ms, ...this.answers.map((a) => a.at_ms).filter((at) => at >= from_ms)];
    return Math.max(0, ...times.slice(1).map((at, i) => at - (times[i] ?? at)));
  }
}
