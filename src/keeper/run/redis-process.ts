/**
 * The Redis process of one group on this host: started, found again, watched and, when asked, killed.
 *
 * It outlives the agent (`redis-program.ts`), and the next agent knows it again by what is written down of it. It must not
 * take a write before somebody has said who it is: it starts as a replica of nobody (`redis-conf.ts`).
 */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { errorText } from '../../base/error-text.js';
import { describeHolder, portHolder } from '../../net/port-holder.js';
import { readProcFile, workingDirectory } from '../../net/proc.js';
import { isAlive } from '../../net/process-id.js';
import type { ProcessLook } from '../core/io.js';
import type { KeptProcess } from './kept-process.js';
import { LogTail } from './log-tail.js';
import { ProcessWatch } from './process-look.js';
import { makeRedisConf } from './redis-conf.js';
import { endGroup, spawnRedis } from './redis-program.js';
import { type RedisRecord, readRecord, recordOf, recordPath, removeRecord, writeRecord } from './redis-record.js';
import { bindAddresses, type Surroundings, writeTlsFiles } from './redis-surroundings.js';

export interface RedisProcessOptions extends Surroundings {
  readonly group: string;
  /** Absolute; the agent holds its lock (`state-lock.ts`). */
  readonly stateDirectory: string;
}

export interface RedisProcessHooks {
  readonly onRunning: (pid: number, adopted: boolean) => void;
  /** `how`: by which signal or code, and the last lines of its log. */
  readonly onEnded: (how: string) => void;
  /** There is no process, and why. */
  readonly onFailed: (why: string) => void;
  readonly log: (level: 'notice' | 'warning', text: string) => void;
}

/** How often a process that is not our child is looked at; a link that breaks tells sooner (`checkNow`). */
const ADOPTED_LOOK_ms = 20;
/** The kernel lists a child as gone a moment before we are told how it ended. */
const EXIT_NEWS_ms = 100;

type Running =
  | {
      readonly as: 'child';
      readonly record: RedisRecord;
      readonly child: ChildProcess;
      /** Settles when it has ended, and how has been told. */
      readonly ended: Promise<void>;
      hasAnswered: boolean;
    }
  | { readonly as: 'adopted'; readonly record: RedisRecord };

export class RedisProcess implements KeptProcess {
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
    this.#recordPath = recordPath(options.stateDirectory, options.group);
    this.#pidPath = join(options.stateDirectory, `${options.group}.redis.pid`);
    this.#bind = bindAddresses(options);
    this.#log = new LogTail([join(options.settings.directory, 'redis.log')]);
  }

  get pid(): number | null {
    return this.#running?.record.pid ?? null;
  }

  /** Finds the process again, or starts it. Answered by `onRunning` or `onFailed`, at the earliest after the return. */
  start(): void {
    setImmediate(() => {
      if (this.#letGo) return;
      try {
        this.#start();
      } catch (error) {
        this.#hooks.onFailed(errorText(error));
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

  /**
   * Tells what the process is doing. One that an earlier agent has started is found here as well, and told of by
   * `onRunning` before the look is.
   */
  async look(): Promise<ProcessLook> {
    if (this.#running === null && !this.#letGo) this.#adoptIfThere();
    const running = this.#running;
    if (running === null) return { state: 'gone' };
    const look = await this.#watch.look(running.record.pid, () => isAlive(running.record));
    // How it ended is told in a moment, and says more than that it is gone.
    if (look.state === 'gone' && running.as === 'child') await Promise.race([running.ended, pause(EXIT_NEWS_ms)]);
    return look;
  }

  /** Ends it for good, wherever it hangs; `onEnded` follows. */
  kill(reason: string): void {
    const running = this.#running;
    if (running === null) return;
    this.#hooks.log('warning', `process ${running.record.pid} is ended: ${reason}`);
    try {
      if (isAlive(running.record)) process.kill(running.record.pid, 'SIGKILL');
    } catch (error) {
      this.#hooks.log('warning', `process ${running.record.pid} cannot be ended: ${String(error)}`);
    }
  }

  /** Forgets it without ending it: the agent ends, Redis stays. */
  letGo(): void {
    this.#letGo = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    if (this.#running?.as === 'child') this.#running.child.unref();
    this.#running = null;
  }

  #start(): void {
    if (this.#running !== null) {
      this.#hooks.onRunning(this.#running.record.pid, this.#running.as === 'adopted');
    } else if (!this.#adoptIfThere()) {
      const why = this.#obstacle();
      if (why === null) this.#spawn();
      else this.#hooks.onFailed(why);
    }
  }

  #adoptIfThere(): boolean {
    const { port, directory } = this.#options.settings;
    const record = readRecord(this.#recordPath);
    const isRecorded = record !== null && isAlive(record) && record.port === port && record.directory === directory;
    const found = isRecorded ? record : this.#byPort();
    if (found === null) return false;
    this.#adopt(found);
    return true;
  }

  #byPort(): RedisRecord | null {
    const { port, directory } = this.#options.settings;
    const pid = portHolder(this.#bind, port)?.pid ?? null;
    return pid !== null && this.#wasStartedHere(pid) ? recordOf(pid, { port, directory }) : null;
  }

  /** Why it cannot be started; null when nothing is in the way. */
  #obstacle(): string | null {
    const { port, directory } = this.#options.settings;
    const record = readRecord(this.#recordPath);
    if (record !== null && isAlive(record)) {
      return (
        `process ${record.pid} is this group's Redis, started on port ${record.port} in ${record.directory}; ` +
        `tanist.yml now says port ${port} in ${directory}: end it first (kill ${record.pid})`
      );
    }
    const holder = portHolder(this.#bind, port);
    if (holder === null) return null;
    return (
      `port ${port} on ${holder.address} is held by ${describeHolder(holder)}, which is not this group's Redis: ` +
      'end it, choose another redis.port, or set redis.attach to keep what is there'
    );
  }

  /** A record may be lost: our Redis has also written its pid where we told it, and works in its directory. */
  #wasStartedHere(pid: number): boolean {
    const written = (readProcFile(this.#pidPath) ?? '').trim();
    return written === String(pid) && workingDirectory(pid) === realPath(this.#options.settings.directory);
  }

  #adopt(record: RedisRecord): void {
    this.#running = { as: 'adopted', record };
    this.#remember(record);
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
    const { program } = settings;
    const child = spawnRedis({ group, program, directory, conf: conf.bytes, logFile }, (trouble) =>
      this.#hooks.log('warning', trouble),
    );
    child.once('error', (error: NodeJS.ErrnoException) => this.#notStarted(child, error));
    child.once('exit', (code, signal) => this.#childEnded(child, code, signal));
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const record = child.pid === undefined ? null : recordOf(child.pid, { port, directory });
    if (record === null) return;
    this.#running = { as: 'child', record, child, ended, hasAnswered: false };
    this.#remember(record);
    this.#hooks.onRunning(record.pid, false);
  }

  /** Without its record it is still found again by the port: `#wasStartedHere`. */
  #remember(record: RedisRecord): void {
    try {
      writeRecord(this.#recordPath, record);
    } catch (error) {
      this.#hooks.log('warning', `the pid of Redis is not written down: ${String(error)}`);
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
    if (this.#running !== null) endGroup(this.#running.record.pid);
    this.#running = null;
    removeRecord(this.#recordPath);
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
