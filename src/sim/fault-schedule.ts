/** Makes faults, one after the other, and takes them back: each after a while, all of them when the world is to heal. */
import type { Prng } from '../base/prng.js';
import type { BaseWorld } from './base-world.js';
import type { Host } from './network.js';

type Undo = () => void;

export abstract class FaultSchedule<W extends BaseWorld> {
  readonly #undos = new Set<Undo>();
  #healed = false;

  constructor(
    readonly world: W,
    readonly prng: Prng,
  ) {}

  get healed(): boolean {
    return this.#healed;
  }

  /** Makes one of these faults now, and then about one in `gap_ms`. */
  protected makeFaults(acts: readonly (() => void)[], gap_ms: number): void {
    if (acts.length === 0) return;
    const next = (): void => {
      if (this.#healed) return;
      this.prng.pick(acts)();
      this.world.loop.after(1 + this.prng.below(gap_ms * 2), next);
    };
    next();
  }

  /** Takes back every fault, and makes no more. */
  heal(): void {
    this.#healed = true;
    this.note('all faults are healed');
    // What is taken back may plan more of it: a process whose host is not there yet is started later.
    while (this.#undos.size > 0) {
      for (const undo of [...this.#undos]) {
        this.#undos.delete(undo);
        undo();
      }
    }
  }

  /** Sees to it that a fault ends. */
  undoAfter(delay_ms: number, undo: Undo): void {
    this.#undos.add(undo);
    this.world.loop.after(delay_ms, () => {
      if (this.#undos.delete(undo)) undo();
    });
  }

  note(text: string): void {
    this.world.note(1, '*', () => text);
  }

  /** Short mostly, sometimes long. */
  draw(low_ms: number, high_ms: number): number {
    return this.prng.chance(0.5) ? this.prng.between(low_ms, high_ms) : this.prng.between(low_ms, high_ms / 4);
  }

  cut(from: readonly Host[], to: readonly Host[], length_ms: number): void {
    const { network } = this.world;
    for (const a of from) for (const b of to) network.cut(a, b);
    this.#noteTrouble();
    this.undoAfter(length_ms, () => {
      for (const a of from) for (const b of to) network.mend(a, b);
      this.note(`the way from ${ips(from)} to ${ips(to)} is free again`);
      this.#noteTrouble();
    });
  }

  /** Nobody of these hears anybody else any more, nor is heard. */
  isolate(side: readonly Host[], length_ms: number): void {
    const rest = this.world.network.hosts.filter((host) => !side.includes(host));
    this.note(`${ips(side)} are cut off from ${ips(rest)} for ${length_ms} ms`);
    this.cut(side, rest, length_ms);
    this.cut(rest, side, length_ms);
  }

  /** @param share how likely each host is to be on the one side */
  partition(share: number, length_ms: number): void {
    this.isolate(
      this.world.network.hosts.filter(() => this.prng.chance(share)),
      length_ms,
    );
  }

  /** Nothing gets from one host to some others, or the other way round. */
  cutOneWay(one: Host, length_ms: number): void {
    const others = this.world.network.hosts.filter((host) => host !== one && this.prng.chance(0.5));
    const [from, to] = this.prng.chance(0.5) ? [[one], others] : [others, [one]];
    this.note(`nothing gets from ${ips(from)} to ${ips(to)} for ${length_ms} ms`);
    this.cut(from, to, length_ms);
  }

  slowNetwork(slow_ms: number, lostPerMille: number, length_ms: number): void {
    const { manners } = this.world.network;
    Object.assign(manners, { slow_ms, lostPerMille });
    this.note(`the network delays by up to ${slow_ms} ms and loses ${lostPerMille} of 1000 packets`);
    this.#noteTrouble();
    this.undoAfter(length_ms, () => {
      Object.assign(manners, { slow_ms: 0, lostPerMille: 0 });
      this.#noteTrouble();
    });
  }

  /** The network has been cut, mended, slowed down or made fast again. */
  #noteTrouble(): void {
    this.world.networkTroubledAt = this.world.loop.now;
  }
}

function ips(hosts: readonly Host[]): string {
  return hosts.map(({ ip }) => ip).join(' ');
}
