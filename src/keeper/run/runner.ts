/**
 * Runs a keeper core: gives it what happens, one input after the other, and carries out what it says, in order. It
 * decides nothing.
 */
import { unreachable } from '../../base/assert.js';
import { errorText } from '../../base/error-text.js';
import { bootTime_ms } from '../../net/clock.js';
import type { TlsSettings } from '../../redis/endpoint.js';
import type { Credentials } from '../../redis/handshake.js';
import { ErrorReply } from '../../redis/reply.js';
import type { Effect, Input, KeeperState, Place } from '../core/io.js';
import { AttachedProcess } from './attached-process.js';
import type { KeptProcess } from './kept-process.js';
import { LeaseVoters, type Voter } from './lease-voters.js';
import { LocalRedis } from './local-redis.js';
import type { MemoryFile } from './memory-file.js';
import { masterLogin } from './redis-conf.js';
import { RedisProcess, type RedisProcessOptions } from './redis-process.js';
import { SaveAside } from './save-aside.js';

/** What is run. `now` is that of `bootTime_ms`: a lease runs out while the host is suspended, too. */
export interface KeeperCore {
  step(now: number, input: Input): readonly Effect[];
  /** When to call `step` with a `tick` at the latest; Infinity for never. */
  nextDeadline(): number;
}

export type LogLevel = Extract<Effect, { do: 'log' }>['level'];

/** What is not the runner's own. */
export interface KeeperHooks {
  /** The VIP may be here until then, by the clock of `bootTime_ms`. */
  readonly grantVip: (until: number) => void;
  readonly revokeVip: (reason: string) => void;
  readonly became: (state: KeeperState, from: KeeperState, reason: string) => void;
  /** News of the siblings is wanted now; it comes by `deliver`. */
  readonly askSiblings: () => void;
  /** A data set was put aside: for the history. */
  readonly saved: (path: string) => void;
  readonly log: (level: LogLevel, text: string) => void;
}

export interface KeeperRunnerOptions {
  readonly core: KeeperCore;
  readonly process: RedisProcessOptions;
  /** Our Redis, as the leader record names it. */
  readonly place: Place;
  /** How we log in to it. */
  readonly auth: Credentials | null;
  readonly tls: TlsSettings | null;
  readonly voters: readonly Voter[];
  readonly memory: MemoryFile;
  readonly hooks: KeeperHooks;
}

/** The longest delay that setTimeout takes. */
const TIMER_MAX_ms = 2 ** 31 - 1;
const CONFIG_SET_ms = 5_000;
/** After this the core has let go, or never will; what it says last (the lease goes back) is given as long to arrive. */
const STOP_ms = 1_500;
/** Inputs that may wait. They wait only while effects are carried out, so many are a fault of this program. */
const INBOX_MAX = 100_000;

export class KeeperRunner {
  readonly #options: KeeperRunnerOptions;
  readonly #process: KeptProcess;
  readonly #redis: LocalRedis;
  readonly #voters: LeaseVoters;
  readonly #saveAside: SaveAside;
  readonly #inbox: Input[] = [];
  #busy = false;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #stopped = false;
  #hasLetGo: () => void = () => undefined;
  /** Settles when the core has said its last. */
  readonly #letGo = new Promise<void>((resolve) => {
    this.#hasLetGo = resolve;
  });

  /** Begins as soon as the caller is done: the core is given its first tick. */
  constructor(options: KeeperRunnerOptions) {
    this.#options = options;
    const { hooks, place, auth, tls } = options;
    const { group, settings, address } = options.process;
    const deliver = (input: Input): void => this.deliver(input);
    const log = (level: LogLevel, text: string): void => hooks.log(level, `${group}: ${text}`);
    const to = { host: connectAddress(settings.bind, address), port: settings.port };
    this.#redis = new LocalRedis(
      { to, tls, auth, tellsFirstRefusal: settings.attach },
      {
        deliver: (input) => this.#fromRedis(input),
        log,
        onBroken: () => this.#process.checkNow(),
        onAnswer: () => this.#process.answered(),
      },
    );
    this.#process = settings.attach ? new AttachedProcess(options.process, log) : this.#startable(options.process, log);
    this.#voters = new LeaseVoters({ group, place, voters: options.voters, deliver, log });
    this.#saveAside = new SaveAside({
      group,
      directory: settings.directory,
      ask: (args, deadline_ms) => this.#redis.ask(args, deadline_ms),
      isRunning: () => settings.attach || this.#process.pid !== null,
    });
    if (settings.attach) this.#redis.open();
    setImmediate(() => this.deliver({ on: 'tick' }));
  }

  /** Of the process that is kept; null when none runs. */
  get pid(): number | null {
    return this.#process.pid;
  }

  /** What the agent has to tell: records, siblings, the VIP, orders. After `stop` nothing is taken any more. */
  deliver(input: Input): void {
    if (this.#stopped) return;
    if (this.#inbox.length >= INBOX_MAX) throw new RangeError(`more than ${INBOX_MAX} inputs wait for the keeper`);
    this.#inbox.push(input);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
        for (const effect of this.#options.core.step(bootTime_ms(), next)) this.#carryOut(effect);
      }
    } finally {
      this.#busy = false;
    }
    this.#arm();
  }

  /** Lets the core let go, waits until what it says has arrived, and ends all connections. Redis stays. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.deliver({ on: 'stop' });
    await withinLimit(this.#letGo);
    const { memory } = this.#options;
    await withinLimit(Promise.allSettled([this.#voters.released(), this.#redis.settled(), memory.flushed()]));
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#redis.close();
    this.#voters.close();
    this.#process.letGo();
  }

  #startable(options: RedisProcessOptions, log: (level: LogLevel, text: string) => void): RedisProcess {
    return new RedisProcess(options, {
      onRunning: (pid, adopted) => this.#running(pid, adopted),
      onEnded: (how) => this.#gone({ on: 'process-ended', how }),
      onFailed: (why) => this.#gone({ on: 'process-failed', why }),
      log,
    });
  }

  #carryOut(effect: Effect): void {
    const { hooks, memory } = this.#options;
    switch (effect.do) {
      case 'start-redis':
        return this.#process.start();
      case 'look':
        return this.#look();
      case 'kill-redis':
        return this.#process.kill(effect.reason);
      case 'send':
        return this.#redis.send(effect.tag, effect.args);
      case 'ask-lease':
        return this.#voters.ask(effect);
      case 'grant-vip':
        return hooks.grantVip(effect.until);
      case 'revoke-vip':
        return hooks.revokeVip(effect.reason);
      case 'ask-siblings':
        return hooks.askSiblings();
      case 'save-aside':
        return this.#save(effect.reason);
      case 'persist':
        return effect.soon ? memory.saveSoon(effect.memory) : memory.save(effect.memory);
      case 'became':
        if (effect.state === 'stopped') this.#hasLetGo();
        return hooks.became(effect.state, effect.from, effect.reason);
      case 'log':
        return hooks.log(effect.level, `${this.#options.process.group}: ${effect.text}`);
      default:
        unreachable(effect, 'effect');
    }
  }

  /** The link exists as long as the process: so a new process is tried at once, and not after the old one's backoff. */
  #running(pid: number, adopted: boolean): void {
    this.#redis.open();
    this.deliver({ on: 'process-running', pid, adopted });
  }

  #gone(input: Extract<Input, { on: 'process-ended' | 'process-failed' }>): void {
    this.#redis.close();
    this.deliver(input);
  }

  #look(): void {
    this.#process.look().then(
      (look) => this.deliver({ on: 'looked', look }),
      (error: unknown) => {
        this.#options.hooks.log(
          'warning',
          `${this.#options.process.group}: the process cannot be seen: ${String(error)}`,
        );
        this.deliver({ on: 'looked', look: { state: 'unknown' } });
      },
    );
  }

  #save(reason: string): void {
    const { group } = this.#options.process;
    this.#options.hooks.log('notice', `${group}: the data set is put aside: ${reason}`);
    this.#saveAside.save().then(
      (path) => {
        this.#options.hooks.saved(path);
        this.deliver({ on: 'saved', path });
      },
      (error: unknown) => {
        this.deliver({ on: 'save-failed', why: errorText(error) });
      },
    );
  }

  #fromRedis(input: Input): void {
    // Before it is told whom to follow: it may have been started with a password that has been changed since.
    if (input.on === 'redis-up' && !this.#options.process.settings.attach) this.#giveMasterAuth();
    this.deliver(input);
    const process = this.#process;
    if (input.on !== 'redis-up' || !(process instanceof AttachedProcess)) return;
    void process.find((args, deadline_ms) => this.#redis.ask(args, deadline_ms));
  }

  #giveMasterAuth(): void {
    const { auth, process, hooks } = this.#options;
    if (auth === null) return;
    for (const [name, value] of masterLogin(auth)) {
      this.#redis.ask(['CONFIG', 'SET', name, value], CONFIG_SET_ms).then(
        (reply) => {
          if (reply instanceof ErrorReply)
            hooks.log('warning', `${process.group}: Redis refuses ${name}: ${reply.code}`);
        },
        // The link is gone: this is done again when it is back.
        () => undefined,
      );
    }
  }

  /** A timer that rings too early is left alone: it arms itself again. So a burst of replies sets none. */
  #arm(): void {
    const due = this.#options.core.nextDeadline();
    if (this.#stopped || due >= this.#timerAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = due;
    const delay_ms = Math.min(TIMER_MAX_ms, Math.max(0, Math.ceil(due - bootTime_ms())));
    this.#timer = setTimeout(() => this.#ring(), delay_ms);
  }

  #ring(): void {
    this.#timer = null;
    this.#timerAt = Number.POSITIVE_INFINITY;
    if (bootTime_ms() < this.#options.core.nextDeadline()) this.#arm();
    else this.deliver({ on: 'tick' });
  }
}

async function withinLimit(done: Promise<unknown>): Promise<void> {
  await Promise.race([done, new Promise((resolve) => setTimeout(resolve, STOP_ms).unref())]);
}

/** Where our own link goes: to the address that others use, if Redis listens there. */
function connectAddress(bind: readonly string[], address: string): string {
  const listed = bind.map((one) => one.replace(/^-/, ''));
  const all = listed.length === 0 || listed.some((one) => one === '*' || one === '0.0.0.0');
  return all || listed.includes(address) ? address : (listed[0] ?? address);
}
