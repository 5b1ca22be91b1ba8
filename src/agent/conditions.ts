/** Waiting for something to become true, looked at whenever anything has happened, never for a time alone. */

interface Waiter {
  readonly check: () => boolean;
  readonly settle: (came: boolean) => void;
}

export class Conditions {
  readonly #waiters = new Set<Waiter>();

  /** Something has happened: those whose condition holds now go on. */
  changed(): void {
    for (const waiter of [...this.#waiters]) if (waiter.check()) waiter.settle(true);
  }

  /** @returns false when the deadline came first */
  until(check: () => boolean, deadline_ms: number): Promise<boolean> {
    if (check()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        check,
        settle: (came) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(came);
        },
      };
      const timer = setTimeout(() => waiter.settle(check()), deadline_ms);
      this.#waiters.add(waiter);
    });
  }
}
