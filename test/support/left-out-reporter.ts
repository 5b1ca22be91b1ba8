import type { Reporter, TestModule, Vitest } from 'vitest/node';

/** Says at the end of a run which tests were left out, and why. */
export default class LeftOutReporter implements Reporter {
  /** With `-t`, whoever runs the tests has left most of them out and knows why. */
  #byName = false;

  onInit(vitest: Vitest): void {
    this.#byName = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    if (this.#byName) return;
    const summary = summarise(modules.flatMap(leftOut));
    if (summary !== '') console.log(summary);
  }
}

/** A test that did not run. */
export interface LeftOut {
  readonly file: string;
  readonly name: string;
  readonly reason: string;
}

function leftOut(module: TestModule): LeftOut[] {
  const found: LeftOut[] = [];
  for (const test of module.children.allTests()) {
    const result = test.result();
    if (result.state !== 'skipped') continue;
    found.push({ file: module.relativeModuleId, name: test.fullName, reason: result.note ?? 'no reason given' });
  }
  return found;
}

/** One paragraph a reason, the tests below it; empty when every test ran. */
export function summarise(tests: readonly LeftOut[]): string {
  if (tests.length === 0) return '';
  const reasons = new Map<string, LeftOut[]>();
  for (const test of tests) reasons.set(test.reason, [...(reasons.get(test.reason) ?? []), test]);
  const lines = [` Left out: ${tests.length} ${tests.length === 1 ? 'test' : 'tests'}`];
  for (const [reason, those] of reasons) {
    lines.push(`   skipped: ${reason}`, ...those.map((test) => `     ${test.file} > ${test.name}`));
  }
  return `${lines.join('\n')}\n`;
}
