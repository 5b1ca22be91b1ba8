/** What a process has not looked at yet: while it is frozen or waits for its disk, the kernel keeps it in order. */
export class Gate {
  /** Connections that the kernel has taken and the process has not seen yet. */
  readonly unaccepted = new Set<{ reset(): void; vanish(): void }>();
  #closed = 0;
  #waiting: (() => void)[] = [];

  get closed(): boolean {
    return this.#closed > 0;
  }

  /** Runs it now, or once the gate is open and all before it has run. */
  pass(run: () => void): void {
    if (this.closed || this.#waiting.length > 0) this.#waiting.push(run);
    else run();
  }

  /** Stops the process; as often as it is stopped it has to be opened. */
  close(): void {
    this.#closed += 1;
  }

  /** Lets the process go on with what has waited, in order, as long as that does not close the gate again. */
  open(): void {
    this.#closed -= 1;
    while (!this.closed) {
      const next = this.#waiting[0];
      if (next === undefined) return;
      // Taken off only after it has run: whatever arrives meanwhile waits behind it.
      next();
      this.#waiting.shift();
    }
  }

  /** The process is gone, and with it all that it had not read; `silently` with the whole host. */
  reset(silently: boolean): void {
    for (const end of this.unaccepted) {
      if (silently) end.vanish();
      else end.reset();
    }
    this.unaccepted.clear();
    this.#closed = 0;
    this.#waiting = [];
  }
}
