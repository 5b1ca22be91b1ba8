/** One run of a hook's program: no shell, its own process group, a deadline, and an output that cannot fill memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { errorText } from '../../base/error-text.js';

/** How a run ended. `output` is for the log: its end, cut to a bound. */
export type HookResult =
  | { readonly ok: true; readonly output: string }
  | { readonly ok: false; readonly why: string; readonly timedOut: boolean; readonly output: string };

/** The log cuts a line at twice this. */
const OUTPUT_MAX_bytes = 2 * 1024;
/** Between asking a group to end and ending it. */
const GRACE_MS = 1_000;
/** For output that is still in the pipe when the program has ended. */
const DRAIN_MS = 200;
/** What a program needs to find its way; not all of ours, which may hold secrets. */
const PASSED_ON = ['PATH', 'HOME', 'USER', 'LANG', 'LC_ALL', 'TZ'] as const;

export interface Program {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly timeout_ms: number;
  /** Ends the run early. */
  readonly signal: AbortSignal;
}

/** Never throws: a program that cannot be started is a run that failed. */
export async function runProgramOnce(program: Program): Promise<HookResult> {
  const [file, ...args] = program.command;
  if (file === undefined) return { ok: false, why: 'it names no program', timedOut: false, output: '' };
  let child: ChildProcess;
  try {
    child = spawn(file, args, { detached: true, cwd: '/', env: environment(program.env), stdio: 'pipe' });
  } catch (error) {
    return { ok: false, why: `cannot be started: ${errorText(error)}`, timedOut: false, output: '' };
  }
  const output = new Tail(OUTPUT_MAX_bytes);
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes: Buffer) => output.add(bytes));
  // A program that does not read its input is none the worse for it.
  child.stdin?.on('error', () => {});
  child.stdin?.end(program.stdin);
  const { end, timedOut } = await endOf(child, program);
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy();
  if (end === null) return { ok: true, output: output.text() };
  const why = timedOut ? `took longer than ${program.timeout_ms} ms` : end;
  return { ok: false, why, timedOut, output: output.text() };
}

/** `end` is null when it went well. */
async function endOf(child: ChildProcess, { timeout_ms, signal }: Program) {
  let timedOut = false;
  let killer: NodeJS.Timeout | undefined;
  const stop = () => {
    if (killer !== undefined) return;
    killGroup(child, 'SIGTERM');
    killer = setTimeout(() => killGroup(child, 'SIGKILL'), GRACE_MS);
  };
  const deadline = setTimeout(() => {
    timedOut = true;
    stop();
  }, timeout_ms);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const end = await ending(child);
  // What it left behind in its group has had the same order to end; see that it is obeyed.
  if (killer !== undefined) killGroup(child, 'SIGKILL');
  clearTimeout(deadline);
  clearTimeout(killer);
  signal.removeEventListener('abort', stop);
  return { end, timedOut };
}

function ending(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(`cannot be started: ${error.message}`));
    child.on('exit', (code, signal) => {
      const end = code === 0 ? null : code === null ? `ended by ${signal}` : `exit code ${code}`;
      // Others may hold its output open for as long as they like.
      const drain = setTimeout(() => resolve(end), DRAIN_MS);
      child.on('close', () => {
        clearTimeout(drain);
        resolve(end);
      });
    });
  });
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // All of it is gone.
  }
}

function environment(own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const passed = PASSED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passed), ...own };
}

/** The last bytes of an output. */
class Tail {
  readonly #max_bytes: number;
  #bytes = Buffer.alloc(0);
  #cut = false;

  constructor(max_bytes: number) {
    this.#max_bytes = max_bytes;
  }

  add(bytes: Buffer): void {
    const all = Buffer.concat([this.#bytes, bytes.subarray(-this.#max_bytes)]);
    this.#cut ||= this.#bytes.length + bytes.length > this.#max_bytes;
    this.#bytes = Buffer.from(all.subarray(-this.#max_bytes));
  }

  text(): string {
    return `${this.#cut ? '... ' : ''}${this.#bytes.toString('utf8').trim()}`;
  }
}
