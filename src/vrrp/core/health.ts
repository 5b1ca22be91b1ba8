/** What is watched, and what it makes of an instance's priority. */
import type { GroupConfig, InstanceConfig, TrackedInterface, TrackedItem, Weight } from './config.js';
import type { TrackResult } from './io.js';

/** The latest known state of the host. One table serves all instances. */
export class HostView {
  readonly #links = new Map<string, boolean>();
  readonly #sources = new Map<string, string>();
  readonly #locals = new Set<string>();
  readonly #tracks = new Map<string, TrackResult>();
  /** Until when an item was last said to be up, though it may have gone down since. */
  readonly #promised = new Map<string, number>();

  setLink(name: string, up: boolean): void {
    this.#links.set(name, up);
  }

  /** True when the interface exists, is up and has a carrier; false also when it was never heard of. */
  linkUp(name: string): boolean {
    return this.#links.get(name) ?? false;
  }

  setSource(name: string, family: string, address: string | null): void {
    if (address === null) this.#sources.delete(`${family} ${name}`);
    else this.#sources.set(`${family} ${name}`, address);
  }

  source(name: string, family: string): string | null {
    return this.#sources.get(`${family} ${name}`) ?? null;
  }

  setLocal(address: string, present: boolean): void {
    if (present) this.#locals.add(address);
    else this.#locals.delete(address);
  }

  isLocal(address: string): boolean {
    return this.#locals.has(address);
  }

  /** False when nothing has changed but how long it is good for. */
  setTrack(id: string, result: TrackResult): boolean {
    const before = this.track(id);
    this.#tracks.set(id, result);
    if (result.status === 'up' && result.until !== undefined) this.#promised.set(id, result.until);
    return before.status !== result.status || before.value !== result.value || before.reason !== result.reason;
  }

  track(id: string): TrackResult {
    return this.#tracks.get(id) ?? { status: 'unknown', value: 0 };
  }

  /** How long what these items lent would have lasted from `now` on; infinity when they lent without an end. */
  promised_ms(items: readonly TrackedItem[], now: number): number {
    return Math.min(
      Number.POSITIVE_INFINITY,
      ...items.map(({ id }) => (this.#promised.get(id) ?? Number.POSITIVE_INFINITY) - now),
    );
  }

  /** When the first item that is up ends; infinity for never. */
  nextExpiry(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const { status, until } of this.#tracks.values()) if (status === 'up') next = Math.min(next, until ?? next);
    return next;
  }

  /** Takes down what ends at `now` or before. True when that was something. */
  expire(now: number): boolean {
    let some = false;
    for (const [id, { status, value, until }] of this.#tracks) {
      if (status !== 'up' || until === undefined || now < until) continue;
      const late = now - until < 1 ? '' : `, ${Math.round(now - until)} ms ago`;
      this.#tracks.set(id, { status: 'down', value, reason: `it ended without being renewed${late}` });
      some = true;
    }
    return some;
  }

  /** The host was suspended for so long: everything ends that much earlier by the clock that stood still. */
  slept(for_ms: number): void {
    for (const [id, result] of this.#tracks) {
      if (result.until !== undefined) this.#tracks.set(id, { ...result, until: result.until - for_ms });
    }
    for (const [id, until] of this.#promised) this.#promised.set(id, until - for_ms);
  }
}

export interface Health {
  /** The priority that adverts carry: 1 to 254, or 255 for the owner, whose priority nothing changes. */
  readonly priority: number;
  /** Why the instance cannot take part; empty when it can. Each is a sentence for the log. */
  readonly faults: readonly string[];
  /** What has not been checked for the first time yet. */
  readonly pending: readonly string[];
}

/** How `config`, a member of `group` or of none, stands on a host that looks like `view`. */
export function assess(config: InstanceConfig, group: GroupConfig | null, view: HostView): Health {
  const tally = new Tally(config.priority === 255);
  tally.host(config, view);
  // Weights that differ between the members would tear a group apart, so a member's own do not count (keepalived's rule).
  const plain = group !== null && !group.memberWeights;
  for (const item of config.trackInterfaces) tally.link(plain ? { ...item, weight: 0 } : item, view);
  for (const item of config.tracks) tally.item(plain ? { ...item, weight: 0 } : item, view);
  for (const item of group?.trackInterfaces ?? []) tally.link(item, view);
  for (const item of group?.tracks ?? []) tally.item(item, view);
  return tally.result(config.priority);
}

class Tally {
  readonly #owner: boolean;
  readonly #faults: string[] = [];
  readonly #pending: string[] = [];
  #sum = 0;

  constructor(owner: boolean) {
    this.#owner = owner;
  }

  host(config: InstanceConfig, view: HostView): void {
    if (config.trackPrimary && !view.linkUp(config.interface))
      this.#faults.push(`interface ${config.interface} is down`);
    if (config.source === null && view.source(config.interface, config.family) === null) {
      const what = config.family === 'ipv4' ? 'IPv4' : 'IPv6 link-local';
      this.#faults.push(`interface ${config.interface} has no ${what} address to send from`);
    }
    if (config.source !== null && config.trackSource && !view.isLocal(config.source)) {
      this.#faults.push(`source address ${config.source} is not on this host`);
    }
  }

  link(item: TrackedInterface, view: HostView): void {
    this.#add(item, view.linkUp(item.interface), `interface ${item.interface}`);
  }

  item(item: TrackedItem, view: HostView): void {
    const { status, value, reason } = view.track(item.id);
    const what = item.id.replace(':', ' ');
    if (status === 'unknown') {
      if (this.#weight(item) === 0) this.#pending.push(what);
      return;
    }
    if (!item.id.startsWith('file:')) {
      this.#add(item, status === 'up', what, reason);
      return;
    }
    if (status === 'down') this.#faults.push(`${what} cannot be read`);
    else if (this.#weight(item) === 0) this.#add(item, value === 0, `${what} holds ${value}, which`);
    else this.#addValue(value * item.weight * (item.reverse ? -1 : 1), what);
  }

  result(base: number): Health {
    const priority = this.#owner ? 255 : Math.max(1, Math.min(254, base + this.#sum));
    return { priority, faults: this.#faults, pending: this.#pending };
  }

  /** The owner's priority is fixed, so anything it watches can only break it. */
  #weight(item: Weight): number {
    return this.#owner ? 0 : item.weight;
  }

  #add(item: Weight, up: boolean, what: string, reason?: string): void {
    const weight = this.#weight(item);
    if (weight === 0) {
      const why = reason === undefined ? '' : `: ${reason}`;
      if (up === item.reverse) this.#faults.push(`${what} is ${up ? 'up' : 'down'}${why}`);
      return;
    }
    const sign = item.reverse ? -1 : 1;
    if (weight > 0 && up) this.#sum += sign * weight;
    if (weight < 0 && !up) this.#sum += sign * weight;
  }

  /** A file's value counts as it is, and at -254 or below as a fault (keepalived's rule). */
  #addValue(points: number, what: string): void {
    if (points <= -254) this.#faults.push(`${what} weighs ${points}`);
    else this.#sum += Math.min(253, points);
  }
}
