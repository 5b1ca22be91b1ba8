/** Watches tracked files and processes, by looking every so often. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { TrackFile, TrackProcess } from '../../config/keepalived/model.js';

/** How often files and the process table are looked at. */
export const LOOK_EVERY_MS = 500;

export type WatchListener = (id: string, status: 'up' | 'down', value: number) => void;

export class Watchers {
  readonly #listener: WatchListener;
  readonly #last = new Map<string, string>();
  #files: readonly TrackFile[] = [];
  #processes: readonly ProcessWatch[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(listener: WatchListener) {
    this.#listener = listener;
  }

  set(files: readonly TrackFile[], processes: readonly TrackProcess[]): void {
    this.#files = files;
    this.#processes = processes.map((p) => new ProcessWatch(p));
    for (const file of files) initFile(file);
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    if (files.length + processes.length === 0) return;
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  /** Tells everything again, for a router process that starts anew. */
  repeat(): void {
    this.#last.clear();
    if (this.#timer !== null) this.#look();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    for (const file of this.#files) {
      const value = fileValue(file);
      this.#tell(`file:${file.name}`, value === null ? 'down' : 'up', value ?? 0);
    }
    if (this.#processes.length === 0) return;
    const table = processTable(this.#processes.some((p) => p.config.fullCommand || p.config.argv.length > 1));
    const now = performance.now();
    for (const watch of this.#processes) this.#tell(`process:${watch.config.name}`, watch.look(now, table), 0);
  }

  #tell(id: string, status: 'up' | 'down', value: number): void {
    const news = `${status} ${value}`;
    if (this.#last.get(id) === news) return;
    this.#last.set(id, news);
    this.#listener(id, status, value);
  }
}

function initFile(file: TrackFile): void {
  if (file.init === null || file.path === null) return;
  if (file.init.overwrite || !existsSync(file.path)) writeFileSync(file.path, `${file.init.value}\n`);
}

/** The number in the file; 0 when there is none, as in keepalived; null when what is there is no number. */
function fileValue(file: TrackFile): number | null {
  try {
    const text = readFileSync(file.path ?? '', 'utf8').trim();
    return /^[+-]?\d+$/.test(text) ? Number(text) : null;
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    return missing ? 0 : null;
  }
}

interface ProcessEntry {
  readonly name: string;
  readonly argv: readonly string[];
}

/** One tracked process: how many run, and for how long that has been enough or not. */
class ProcessWatch {
  readonly config: TrackProcess;
  #status: 'up' | 'down' | null = null;
  #changedAt: number | null = null;

  constructor(config: TrackProcess) {
    this.config = config;
  }

  look(now: number, table: readonly ProcessEntry[]): 'up' | 'down' {
    const { quorum, quorumMax, forkDelay_ms, terminateDelay_ms } = this.config;
    const count = table.filter((p) => matches(this.config, p)).length;
    const enough = quorumMax === 0 ? count === 0 : count >= quorum && (quorumMax === null || count <= quorumMax);
    const seen = enough ? 'up' : 'down';
    if (this.#status === null) this.#status = seen;
    if (seen === this.#status) this.#changedAt = null;
    else {
      this.#changedAt ??= now;
      if (now - this.#changedAt >= (enough ? forkDelay_ms : terminateDelay_ms)) this.#status = seen;
    }
    return this.#status;
  }
}

/** @internal exported for its test */
export function matches(config: TrackProcess, { name, argv }: ProcessEntry): boolean {
  const [wanted = '', ...params] = config.argv;
  const own = config.fullCommand || params.length > 0 || wanted.includes('/') ? argv[0] : name;
  // The kernel keeps 15 characters of a name.
  if (own !== wanted && !(own === name && name === wanted.slice(0, 15))) return false;
  if (params.length === 0) return config.match === 'exact' || argv.length <= 1;
  const given = argv.slice(1);
  switch (config.match) {
    case 'exact':
      return given.length === params.length && params.every((p, i) => given[i] === p);
    case 'partial':
      return params.every((p, i) => given[i] === p);
    case 'initial':
      return params.every((p, i) => (i === params.length - 1 ? (given[i] ?? '').startsWith(p) : given[i] === p));
  }
}

function processTable(withArgv: boolean): ProcessEntry[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      // Zombies do not run.
      const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
      if (/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))) return [];
      const argv = withArgv ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1) : [];
      return [{ name, argv }];
    } catch {
      return [];
    }
  });
}
