/** Runs the check scripts (vrrp_script) on their intervals, one run of each at a time, and counts rise and fall. */
import type { Command, VrrpScript } from '../../config/keepalived/model.js';
import type { CommandRunner } from './commands.js';

export type CheckScript = VrrpScript & { readonly command: Command };

/** Called when a script goes up or down, and for its first result. */
export type CheckListener = (id: string, status: 'up' | 'down', why: string) => void;

/** The counting alone: `rise` successes in a row to be up, `fall` failures in a row to be down. */
export class RiseAndFall {
  readonly #rise: number;
  readonly #fall: number;
  #status: 'unknown' | 'up' | 'down';
  #streak = 0;

  /** @param initFail starts as down, so that even the first time `rise` successes are needed. */
  constructor(rise: number, fall: number, initFail: boolean) {
    this.#rise = rise;
    this.#fall = fall;
    this.#status = initFail ? 'down' : 'unknown';
  }

  get status(): 'unknown' | 'up' | 'down' {
    return this.#status;
  }

  /** True when the status changed. The first result counts at once: nothing is known that it could contradict. */
  count(ok: boolean): boolean {
    const agrees = this.#status === (ok ? 'up' : 'down');
    this.#streak = agrees ? 0 : this.#streak + 1;
    const needed = this.#status === 'unknown' ? 1 : ok ? this.#rise : this.#fall;
    if (agrees || this.#streak < needed) return false;
    this.#status = ok ? 'up' : 'down';
    this.#streak = 0;
    return true;
  }
}

export class CheckScripts {
  readonly #runner: CommandRunner;
  readonly #listener: CheckListener;
  readonly #checks = new Map<string, Check>();

  constructor(runner: CommandRunner, listener: CheckListener) {
    this.#runner = runner;
    this.#listener = listener;
  }

  /** Replaces the scripts. One that did not change keeps its count and its rhythm. */
  set(scripts: readonly CheckScript[]): void {
    const wanted = new Map(scripts.map((s) => [s.name, s]));
    for (const [name, check] of this.#checks) {
      const next = wanted.get(name);
      if (next !== undefined && fingerprint(next) === fingerprint(check.script)) continue;
      check.stop();
      this.#checks.delete(name);
    }
    for (const script of scripts) {
      if (this.#checks.has(script.name)) continue;
      const check = new Check(script, this.#runner, this.#listener);
      this.#checks.set(script.name, check);
      check.start();
    }
  }

  /** What is known of each script, for a router process that starts anew. */
  statuses(): { readonly id: string; readonly status: 'unknown' | 'up' | 'down' }[] {
    return [...this.#checks.values()].map((c) => ({ id: `script:${c.script.name}`, status: c.status }));
  }

  stop(): void {
    for (const check of this.#checks.values()) check.stop();
    this.#checks.clear();
  }
}

class Check {
  readonly script: CheckScript;
  readonly #runner: CommandRunner;
  readonly #listener: CheckListener;
  readonly #count: RiseAndFall;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(script: CheckScript, runner: CommandRunner, listener: CheckListener) {
    this.script = script;
    this.#runner = runner;
    this.#listener = listener;
    this.#count = new RiseAndFall(script.rise, script.fall, script.initFail);
  }

  get status(): 'unknown' | 'up' | 'down' {
    return this.#count.status;
  }

  start(): void {
    if (this.status === 'down') this.#listener(`script:${this.script.name}`, 'down', 'init_fail');
    void this.#round();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  /** One run, then the next on the interval's beat; a run that takes longer than the interval delays the next. */
  async #round(): Promise<void> {
    const started = performance.now();
    const timeout_ms = this.script.timeout_ms ?? this.script.interval_ms;
    const result = await this.#runner.run(this.script.command, [], timeout_ms);
    if (this.#stopped) return;
    const ok = result.why === 'exit' && result.code === 0;
    if (this.#count.count(ok)) this.#listener(`script:${this.script.name}`, ok ? 'up' : 'down', result.detail);
    const wait_ms = Math.max(0, this.script.interval_ms - (performance.now() - started));
    this.#timer = setTimeout(() => void this.#round(), wait_ms);
  }
}

function fingerprint(script: CheckScript): string {
  const { place: _, command, ...rest } = script;
  return JSON.stringify([rest, command.argv, command.user]);
}
