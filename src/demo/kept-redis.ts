/** The Redis that an agent keeps, as a process: it is no child of ours, and is known by what its agent has written down. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

interface Identity {
  readonly pid: number;
  /** With it the pid means this very process, and not a later one of the same number. */
  readonly startTicks: number;
}

export class KeptRedis {
  readonly #record: string;
  readonly #data: string;
  #frozen: Identity | null = null;

  /** @param record the agent's file about the process; @param data the directory that it works in */
  constructor(record: string, data: string) {
    this.#record = record;
    this.#data = data;
  }

  /** @returns false when there is none */
  kill(): boolean {
    return signal(this.#identity(), 'SIGKILL');
  }

  /** SIGSTOP: it keeps its connections and answers nothing. */
  freeze(): boolean {
    this.#frozen = this.#identity();
    return signal(this.#frozen, 'SIGSTOP');
  }

  thaw(): void {
    signal(this.#frozen, 'SIGCONT');
    this.#frozen = null;
  }

  /** Kills it with all of its data; its agent starts it again, with nothing. */
  empty(): boolean {
    const identity = this.#identity();
    // It must find nothing, however fast it is started again.
    this.#removeData();
    const killed = signal(identity, 'SIGKILL');
    this.#removeData();
    return killed;
  }

  #removeData(): void {
    for (const name of ['dump.rdb', 'appendonlydir']) rmSync(join(this.#data, name), { recursive: true, force: true });
  }

  #identity(): Identity | null {
    try {
      return JSON.parse(readFileSync(this.#record, 'utf8')) as Identity;
    } catch {
      return null;
    }
  }
}

function signal(identity: Identity | null, name: NodeJS.Signals): boolean {
  if (identity === null || startTicks(identity.pid) !== identity.startTicks) return false;
  return process.kill(identity.pid, name);
}

/** The 22nd field of proc_pid_stat(5); the second, a name in parentheses, may hold anything. */
function startTicks(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return null;
  }
}
