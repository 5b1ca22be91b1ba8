/**
 * The Redis process of one group on this host: started, found again, watched and, when asked, killed.
 *
 * It must outlive the agent. So it has a session and a process group of its own, standard output and error go to its log
 * file, standard input is a file that is already deleted, and nothing of it is a pipe to us. Under systemd the agent's
 * unit needs `KillMode=process`, or a restart of the agent would take Redis with it, and `OOMPolicy=continue`.
 *
 * It also must not take a write before somebody has said who it is: it starts as a replica of nobody (`redis-conf.ts`).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { RedisSettings } from '../../config/tanist/model.js';
import type { ProcessLook } from '../core/io.js';
import { LogTail } from './log-tail.js';
import { describeHolder, portHolder } from './port-holder.js';
import { readProcFile, readStat, workingDirectory } from './proc.js';
import { ProcessWatch } from './process-look.js';
import { makeRedisConf } from './redis-conf.js';
import { isAlive, type RedisRecord, readRecord, recordOf, removeRecord, writeRecord } from './redis-record.js';
import { bindAddresses, redisEnvironment, writeTlsFiles } from './redis-surroundings.js';

export interface RedisProcessOptions {
  readonly group: string;
  readonly settings: RedisSettings;
  /** The host's address, which the leader record names this Redis by. */
  readonly address: string;
  /** The group has a VIP: without a `bind` it then listens on all addresses. */
  readonly hasVip: boolean;
  /** Absolute; the agent holds its lock (`state-lock.ts`). */
  readonly stateDirectory: string;
}

export interface RedisProcessHooks {
  /** `pid` is 0 for an attached Redis that cannot be looked into. */
  readonly onRunning: (pid: number, adopted: boolean) => void;
  /** `how`: by which signal or code, and the last lines of its log. */
  readonly onEnded: (how: string) => void;
  /** There is no process, and why. */
  readonly onFailed: (why: string) => void;
  readonly log: (level: 'notice' | 'warning', text: string) => void;
}

/** How often a process that is not our child is looked at; a link that breaks tells sooner (`checkNow`). */
const ADOPTED_LOOK_ms = 20;

type Running =
  | { readonly as: 'child'; readonly record: RedisRecord; readonly child: ChildProcess; hasAnswered: boolean }
  | { readonly as: 'adopted'; readonly record: RedisRecord }
  /** It is there, but nothing of its process can be seen. */
  | { readonly as: 'unseen' };

export class RedisProcess {
  readonly #options: RedisProcessOptions;
  readonly #hooks: RedisProcessHooks;
  readonly #recordPath: string;
  readonly #pidPath: string;
  readonly #bind: readonly string[];
  readonly #watch = new ProcessWatch();
  #log: LogTail;
  #running: Running | null = null;
  #timer: NodeJS.Timeout | null = null;
  #letGo = false;

  constructor(options: RedisProcessOptions, hooks: RedisProcessHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#recordPath = join(options.stateDirectory, `${options.group}.redis.json`);
    this.#pidPath = join(options.stateDirectory, `${options.group}.redis.pid`);
    this.#bind = bindAddresses(options);
    this.#log = new LogTail([join(options.settings.directory, 'redis.log')]);
  }

  /** Of the process that runs; null when none does, or it cannot be seen. */
  get pid(): number | null {
    const running = this.#running;
    return running === null || running.as === 'unseen' ? null : running.record.pid;
  }

  get isRunning(): boolean {
    return this.#running !== null;
  }

  /** Finds the process again, or starts it. Answered by `onRunning` or `onFailed`, at the earliest after the return. */
  start(): void {
    setImmediate(() => {
      if (this.#letGo) return;
      try {
        this.#start();
      } catch (error) {
        this.#hooks.onFailed(error instanceof Error ? error.message : String(error));
      }
    });
  }

  /** It has answered: when it ends from now on, it has lived. */
  answered(): void {
    if (this.#running?.as === 'child') this.#running.hasAnswered = true;
  }

  /** Looks at once whether it is still there: its connection broke. */
  checkNow(): void {
    if (this.#running?.as === 'adopted' && !isAlive(this.#running.record)) {
      this.#ended(`process ${this.#running.record.pid} is gone`);
    }
  }

  /** Tells what a process that does not answer is doing. */
  async look(): Promise<ProcessLook> {
    const running = this.#running;
    if (running === null) return { state: 'gone' };
    if (running.as === 'unseen') return { state: 'running', cpuMoved: false };
    return this.#watch.look(running.record.pid, () => isAlive(running.record));
  }

  /** Ends it for good, wherever it hangs; `onEnded` follows. Of an attached Redis it is only logged. */
  kill(reason: string): void {
    const running = this.#running;
    if (running === null) return;
    if (this.#options.settings.attach || running.as === 'unseen') {
      this.#hooks.log('warning', `Redis of ${this.#options.group} is not ended (${reason}): it is attached, not kept`);
      return;
    }
    try {
      if (isAlive(running.record)) process.kill(running.record.pid, 'SIGKILL');
    } catch (error) {
      this.#hooks.log('warning', `process ${running.record.pid} cannot be ended: ${String(error)}`);
    }
  }

  /**
   * Names the process of an attached Redis that answered INFO with `process_id`, if none was found by its port.
   * A pid from inside a container is another process here, or none: it is taken only when it looks like a Redis.
   */
  isPid(pid: number): void {
    const stat = readStat(pid);
    if (this.#running?.as !== 'unseen' || stat === null || !/redis|valkey|keydb/.test(stat.name)) return;
    const record = recordOf(pid, this.#options.settings);
    if (record === null) return;
    this.#adopt(record);
  }

  /** Forgets it without ending it: the agent ends, Redis stays. */
  letGo(): void {
    this.#letGo = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#running?.as === 'child') this.#running.child.unref();
    this.#running = null;
  }

  #start(): void {
    const running = this.#running;
    if (running !== null) {
      this.#hooks.onRunning(this.pid ?? 0, running.as !== 'child');
      return;
    }
    const found = this.#find();
    switch (found.is) {
      case 'ours':
        return this.#adopt(found.record);
      case 'unseen':
        this.#running = { as: 'unseen' };
        return this.#hooks.onRunning(0, true);
      case 'in the way':
        return this.#hooks.onFailed(found.why);
      case 'nobody':
        return this.#spawn();
    }
  }

  #find():
    | { readonly is: 'ours'; readonly record: RedisRecord }
    | { readonly is: 'unseen' | 'nobody' }
    | { readonly is: 'in the way'; readonly why: string } {
    const { port, directory, attach } = this.#options.settings;
    const record = readRecord(this.#recordPath);
    if (record !== null && !attach && isAlive(record)) {
      if (record.port === port && record.directory === directory) return { is: 'ours', record };
      const why =
        `process ${record.pid} is this group's Redis, started on port ${record.port} in ${record.directory}; ` +
        `tanist.yml now says port ${port} in ${directory}: end it first (kill ${record.pid})`;
      return { is: 'in the way', why };
    }
    const holder = portHolder(this.#bind, port);
    if (holder === null) {
      if (!attach) return { is: 'nobody' };
      return { is: 'in the way', why: `nothing listens on port ${port}, and an attached Redis is not started` };
    }
    const isOurs = holder.pid !== null && (attach || this.#wasStartedHere(holder.pid));
    const found = isOurs && holder.pid !== null ? recordOf(holder.pid, { port, directory }) : null;
    if (found !== null) return { is: 'ours', record: found };
    if (attach) return { is: 'unseen' };
    const why =
      `port ${port} on ${holder.address} is held by ${describeHolder(holder)}, which is not this group's Redis: ` +
      'end it, choose another redis.port, or set redis.attach to keep what is there';
    return { is: 'in the way', why };
  }

  /** A record may be lost: our Redis has also written its pid where we told it, and works in its directory. */
  #wasStartedHere(pid: number): boolean {
    const written = (readProcFile(this.#pidPath) ?? '').trim();
    return written === String(pid) && workingDirectory(pid) === realPath(this.#options.settings.directory);
  }

  #adopt(record: RedisRecord): void {
    this.#running = { as: 'adopted', record };
    if (!this.#options.settings.attach) writeRecord(this.#recordPath, record);
    this.#timer = setInterval(() => this.checkNow(), ADOPTED_LOOK_ms).unref();
    this.#hooks.onRunning(record.pid, true);
  }

  #spawn(): void {
    const { group, settings, address, stateDirectory } = this.#options;
    const { directory, port } = settings;
    mkdirSync(directory, { recursive: true, mode: 0o750 });
    const logFile = join(directory, 'redis.log');
    const conf = makeRedisConf({
      settings,
      address,
      bind: this.#bind,
      tlsFiles: writeTlsFiles(group, settings, stateDirectory),
      pidFile: this.#pidPath,
      logFile,
    });
    if (!conf.ok) return this.#hooks.onFailed(conf.why);
    for (const note of conf.notes) this.#hooks.log('notice', note);
    this.#log = new LogTail([...new Set([logFile, resolve(directory, conf.logFile)])]);
    const child = this.#startProgram(conf.bytes, logFile);
    const record = child.pid === undefined ? null : recordOf(child.pid, { port, directory });
    if (record === null) return;
    this.#running = { as: 'child', record, child, hasAnswered: false };
    writeRecord(this.#recordPath, record);
    this.#hooks.onRunning(record.pid, false);
  }

  #startProgram(conf: Uint8Array, logFile: string): ChildProcess {
    const { group, settings, stateDirectory } = this.#options;
    const input = deletedFile(join(stateDirectory, `.${group}.redis.conf`), conf);
    try {
      const output = openSync(logFile, 'a', 0o640);
      try {
        const child = spawn(settings.program, ['-'], {
          cwd: settings.directory,
          env: redisEnvironment(process.env),
          detached: true,
          stdio: [input, output, output],
        });
        child.once('error', (error: NodeJS.ErrnoException) => this.#notStarted(child, error));
        child.once('exit', (code, signal) => this.#childEnded(child, code, signal));
        return child;
      } finally {
        closeSync(output);
      }
    } finally {
      closeSync(input);
    }
  }

  #notStarted(child: ChildProcess, error: NodeJS.ErrnoException): void {
    if (child.pid !== undefined || this.#letGo) return;
    const { program } = this.#options.settings;
    const missing = `there is no program ${program}: install it, or name it by redis.program in tanist.yml`;
    this.#hooks.onFailed(error.code === 'ENOENT' ? missing : `${program} could not be started: ${error.message}`);
  }

  #childEnded(child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#letGo) return;
    const running = this.#running?.as === 'child' && this.#running.child === child ? this.#running : null;
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    if (signal === null && code !== 0 && running?.hasAnswered !== true) {
      this.#forget();
      const words = this.#log.words();
      this.#hooks.onFailed(`${this.#options.settings.program} ended at once with ${how}${words}${this.#inTheWay()}`);
    } else {
      this.#ended(`${how}${signal === null ? this.#log.words() : ''}`);
    }
  }

  /** Who else has the port, where that may be why it ended. */
  #inTheWay(): string {
    const holder = portHolder(this.#bind, this.#options.settings.port);
    return holder === null ? '' : ` (its port is held by ${describeHolder(holder)})`;
  }

  #ended(how: string): void {
    this.#forget();
    this.#hooks.onEnded(how);
  }

  #forget(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#running = null;
    if (!this.#options.settings.attach) removeRecord(this.#recordPath);
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}

/** A file to read from that has no name any more: nobody finds the passwords in it, and it goes with its reader. */
function deletedFile(path: string, content: Uint8Array): number {
  rmSync(path, { force: true });
  writeFileSync(path, content, { mode: 0o600, flag: 'wx' });
  try {
    return openSync(path, 'r');
  } finally {
    rmSync(path, { force: true });
  }
}
