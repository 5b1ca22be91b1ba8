/** Runs one script: without a shell, as the right user, with an end to its time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { lstatSync, statSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import type { Command, User } from '../../config/keepalived/model.js';
import { findProgram, isProgram } from '../../net/find-program.js';
import { defaultScriptUser, type Ids, resolveUser } from './users.js';

export interface CommandPolicy {
  /** Whom scripts run as when they do not say; null for keepalived_script if there is such a user, else ourselves. */
  readonly user: User | null;
  /** Refuse scripts that run as root and that somebody else could change. */
  readonly security: boolean;
}

export interface CommandResult {
  /** The exit code, or null when it did not exit by itself. */
  readonly code: number | null;
  /** What happened, when it was not an exit. */
  readonly why: 'exit' | 'signal' | 'timeout' | 'cut short' | 'not started';
  readonly detail: string;
}

/** How long a script may go on after SIGTERM before it is killed. */
const GRACE_MS = 2000;

export class CommandRunner {
  readonly #policy: CommandPolicy;
  readonly #running = new Set<ChildProcess>();

  constructor(policy: CommandPolicy) {
    this.#policy = policy;
  }

  /** Runs `command` with `extra` arguments behind its own, until `cut` says that it is no longer wanted. Never rejects. */
  run(command: Command, extra: readonly string[], timeout_ms: number, cut?: AbortSignal): Promise<CommandResult> {
    const refusal = commandFault(command, this.#policy);
    const ids = this.#ids(command);
    if (refusal !== null || typeof ids === 'string') {
      return Promise.resolve({ code: null, why: 'not started', detail: refusal ?? String(ids) });
    }
    const [program = '', ...args] = command.argv;
    return new Promise((resolve) => {
      // A group of its own, so that a script ends with all that it has started.
      const child = spawn(program, [...args, ...extra], { stdio: 'ignore', cwd: '/', detached: true, ...ids });
      this.#running.add(child);
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        this.#end(child);
      }, timeout_ms);
      const stop = (): void => this.#end(child);
      cut?.addEventListener('abort', stop);
      const settle = (result: CommandResult): void => {
        clearTimeout(timer);
        cut?.removeEventListener('abort', stop);
        this.#running.delete(child);
        resolve(result);
      };
      child.on('error', (error) => settle({ code: null, why: 'not started', detail: error.message }));
      child.on('exit', (code, signal) => {
        if (cut?.aborted === true) settle({ code, why: 'cut short', detail: 'ended, since a newer state waits' });
        else if (late) settle({ code, why: 'timeout', detail: `ran longer than ${timeout_ms / 1000} s` });
        else if (code === null) settle({ code, why: 'signal', detail: `ended by ${signal}` });
        else settle({ code, why: 'exit', detail: `exit code ${code}` });
      });
    });
  }

  /** Asks everything that still runs to end, and makes it. */
  endAll(): void {
    for (const child of this.#running) this.#end(child);
  }

  #end(child: ChildProcess): void {
    signalGroup(child, 'SIGTERM');
    setTimeout(() => signalGroup(child, 'SIGKILL'), GRACE_MS).unref();
  }

  /** Only root can become somebody else; anybody else runs scripts as himself. */
  #ids(command: Command): Ids | Record<string, never> | string {
    const user = command.user ?? this.#policy.user ?? defaultScriptUser();
    if (user === null || process.getuid?.() !== 0) return {};
    return resolveUser(user);
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Everything in the group has ended.
  }
}

/** Why `command` cannot or must not run, or null. */
export function commandFault(command: Command, policy: CommandPolicy): string | null {
  const [program = ''] = command.argv;
  const path = findScript(program);
  if (path === null) return `${program} is not there or not executable`;
  const user = command.user ?? policy.user ?? defaultScriptUser();
  const asRoot = process.getuid?.() === 0 && (user === null || user.user === 'root' || user.user === '0');
  return policy.security && asRoot ? insecurity(path) : null;
}

function findScript(program: string): string | null {
  const { PATH = '/usr/sbin:/usr/bin:/sbin:/bin' } = process.env;
  if (!program.includes('/')) return findProgram(program, PATH.split(delimiter));
  const path = isAbsolute(program) ? program : join('/', program);
  return isProgram(path) ? path : null;
}

/** The first part of the path that somebody other than root could change or replace. */
function insecurity(path: string): string | null {
  for (let part = path; ; part = dirname(part)) {
    const stat = part === path ? statSync(part) : lstatSync(part);
    const sticky = (stat.mode & 0o1000) !== 0 && stat.isDirectory();
    const open = (stat.mode & 0o022) !== 0 && !stat.isSymbolicLink() && !sticky;
    if (stat.uid !== 0 || open) return `${path} would run as root, but others than root can change ${part}`;
    if (part === dirname(part)) return null;
  }
}
