/**
 * The requests that a server connection owes a reply, oldest first, in typed arrays: who asked, in which place of its
 * order, which command, since when, and where in the connection's output the request began.
 */

const FIRST_SIZE = 256;

/** `who` of a request that the proxy itself made, or whose reply nobody waits for. */
export const NOBODY = -1;

export class PendingRequests {
  count = 0;
  #head = 0;
  #mask = FIRST_SIZE - 1;
  #who = new Int32Array(FIRST_SIZE);
  #seq = new Int32Array(FIRST_SIZE);
  #command = new Int32Array(FIRST_SIZE);
  #since_ms = new Float64Array(FIRST_SIZE);
  #position = new Float64Array(FIRST_SIZE);
  /** Replies to come before the one that counts, and how many those were at first. */
  #unheard = new Int32Array(FIRST_SIZE);
  #unheardAtFirst = new Int32Array(FIRST_SIZE);

  push(who: number, seq: number, command: number, since_ms: number, position: number, unheard: number): void {
    if (this.count > this.#mask) this.#widen();
    const i = (this.#head + this.count) & this.#mask;
    this.count++;
    this.#who[i] = who;
    this.#seq[i] = seq;
    this.#command[i] = command;
    this.#since_ms[i] = since_ms;
    this.#position[i] = position;
    this.#unheard[i] = unheard;
    this.#unheardAtFirst[i] = unheard;
  }

  /** Forgets the oldest. */
  shift(): void {
    this.#head = (this.#head + 1) | 0;
    this.count--;
  }

  clear(): void {
    this.count = 0;
  }

  who(k = 0): number {
    return this.#who[(this.#head + k) & this.#mask] as number;
  }

  seq(k = 0): number {
    return this.#seq[(this.#head + k) & this.#mask] as number;
  }

  command(k = 0): number {
    return this.#command[(this.#head + k) & this.#mask] as number;
  }

  since_ms(k = 0): number {
    return this.#since_ms[(this.#head + k) & this.#mask] as number;
  }

  position(k = 0): number {
    return this.#position[(this.#head + k) & this.#mask] as number;
  }

  /** Replies to the oldest that are to be passed over. */
  unheard(): number {
    return this.#unheard[this.#head & this.#mask] as number;
  }

  heardOne(): void {
    const i = this.#head & this.#mask;
    this.#unheard[i] = (this.#unheard[i] as number) - 1;
  }

  unheardAtFirst(k: number): number {
    return this.#unheardAtFirst[(this.#head + k) & this.#mask] as number;
  }

  #widen(): void {
    const size = (this.#mask + 1) * 2;
    const move = <T extends Int32Array | Float64Array>(from: T, to: T): T => {
      for (let k = 0; k < this.count; k++) to[k] = from[(this.#head + k) & this.#mask] as number;
      return to;
    };
    this.#who = move(this.#who, new Int32Array(size));
    this.#seq = move(this.#seq, new Int32Array(size));
    this.#command = move(this.#command, new Int32Array(size));
    this.#since_ms = move(this.#since_ms, new Float64Array(size));
    this.#position = move(this.#position, new Float64Array(size));
    this.#unheard = move(this.#unheard, new Int32Array(size));
    this.#unheardAtFirst = move(this.#unheardAtFirst, new Int32Array(size));
    this.#head = 0;
    this.#mask = size - 1;
  }
}
