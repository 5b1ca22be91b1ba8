/** What was looked for and what was seen, printed as it comes. */
export class Findings {
  #passed = 0;
  #failed = 0;

  get failed(): number {
    return this.#failed;
  }

  get summary(): string {
    return `${this.#passed} as they should be, ${this.#failed} not`;
  }

  /** What a host said to a command. */
  heard(host: string, command: string, said: string): void {
    const indented = [
      ...command
        .trim()
        .split('\n')
        .map((line) => `${host}# ${line}`),
      ...said.split('\n'),
    ];
    console.log(`\n${indented.map((line) => `    ${line}`).join('\n')}`);
  }

  /** @param seen in a few words, for whoever reads the run */
  check(what: string, good: boolean, seen: string): void {
    if (good) this.#passed++;
    else this.#failed++;
    console.log(`${good ? 'ok  ' : 'FAIL'} ${what}: ${seen}`);
  }
}
