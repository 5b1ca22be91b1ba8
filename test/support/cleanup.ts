/** What a test or a benchmark has started and must end: last in, first out. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = [];

  /** Registers a step; it runs once, even when others fail. */
  add(step: () => unknown): void {
    this.#steps.push(step);
  }

  /** Runs every step, newest first. @throws {AggregateError} with all failures, after the last step has run. */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, `cleaning up failed: ${failures.join('; ')}`);
  }
}
