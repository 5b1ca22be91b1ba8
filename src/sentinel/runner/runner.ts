/**
 * Runs the core: gives it what happens, one input after the other, and carries out what it says, in order. It decides
 * nothing, but for one thing: what may still leave while the state cannot be written (see `carry-out.ts`).
 */
import { DISK_CHECKS } from '../../config/conf-files.js';
import type { SentinelState } from '../../config/sentinel-types.js';
import { ErrorReply, type Reply } from '../../redis/reply.js';
import { type Question, questionsBefore } from '../commands/questions.js';
import type { ClientToken, Input } from '../core/io.js';
import { createSentinel, type Start, toSnapshot } from '../core/restore.js';
import type { Sentinel } from '../core/state.js';
import { nextDeadline, step } from '../core/step.js';
import { CarryOut, type Hands } from './carry-out.js';

import { Connections, type ConnectSettings } from './connections.js';
import { resolveName } from './names.js';
import { answerRelies } from './reliance.js';

const NOT_SAVED = new ErrorReply('ERR the state could not be written to the configuration file');

/** The longest delay that setTimeout takes. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export interface RunnerOptions extends Hands {
  readonly snapshot: SentinelState;
  readonly start: Omit<Start, 'now'>;
  readonly connect: ConnectSettings;
  /** Called after each round of inputs: the state may have changed. */
  readonly settled?: () => void;
}

/** A client's command that the core has not answered yet. */
interface Caller {
  readonly args: readonly string[];
  readonly answer: (reply: Reply) => void;
}

export class SentinelRunner {
  readonly #carryOut: CarryOut;
  readonly #connections: Connections;
  readonly #inbox: Input[] = [];
  readonly #callers = new Map<ClientToken, Caller>();
  readonly #settled: () => void;
  readonly #state: Sentinel;
  #nextToken: ClientToken = 1;
  #busy = false;
  #timer: NodeJS.Timeout | null = null;
  #timerAt = Number.POSITIVE_INFINITY;
  #stopped = false;

  /** Starts to watch: the first effects are carried out at once. */
  constructor(options: RunnerOptions) {
    this.#settled = options.settled ?? (() => undefined);
    const deliver = (input: Input): void => this.#deliver(input);
    this.#connections = new Connections(options.connect, deliver, options.log);
    this.#carryOut = new CarryOut(options, this.#connections, deliver, (client, reply) => this.#answer(client, reply));
    const { state, effects } = createSentinel(options.snapshot, { ...options.start, now: performance.now() });
    this.#state = state;
    this.#busy = true;
    this.#carryOut.all(effects);
    this.#busy = false;
    this.#deliver({ on: 'tick' });
  }

  /** For what only looks: INFO, SENTINEL MASTERS. Nobody but the core changes it. */
  get state(): Sentinel {
    return this.#state;
  }

  /**
   * Gives a client's command to the core, after what it has to know from outside has been found out.
   * @param answer called once; before `command` returns, unless a name is looked up or an input is being worked on
   */
  command(args: readonly string[], answer: (reply: Reply) => void): void {
    const questions = questionsBefore(this.#state, args);
    const refusal = refusalOf(questions);
    if (refusal !== null) return answer(refusal);
    const hosts = questions.flatMap((question) => (question.about === 'name' ? [question.host] : []));
    if (hosts.length === 0) return this.#command(args, answer);
    void this.#lookUp(hosts).then(() => this.#command(args, answer));
  }

  async #lookUp(hosts: readonly string[]): Promise<void> {
    for (const host of hosts) this.#deliver({ on: 'resolved', host, ip: await resolveName(host) });
  }

  #command(args: readonly string[], answer: (reply: Reply) => void): void {
    if (this.#stopped) return;
    const client = this.#nextToken++;
    this.#callers.set(client, { args, answer });
    this.#deliver({ on: 'command', client, args });
  }

  /** Writes the state once more, though nothing of it has changed: the users have, or the process ends. */
  saveNow(): void {
    this.#carryOut.save(toSnapshot(this.#state));
  }

  /** Ends all connections. Nothing is sent any more. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#connections.closeAll();
  }

  #answer(client: ClientToken, reply: Reply): void {
    const caller = this.#callers.get(client);
    if (caller === undefined) return;
    this.#callers.delete(client);
    const relies = answerRelies(caller.args);
    if (relies) this.#carryOut.flush();
    caller.answer(relies && this.#carryOut.unsaved ? NOT_SAVED : reply);
  }

  /** Inputs that arrive while effects are carried out wait for their end: a step never runs inside another. */
  #deliver(input: Input): void {
    if (this.#stopped) return;
    this.#inbox.push(input);
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#inbox.shift(); next !== undefined; next = this.#inbox.shift()) {
        this.#carryOut.all(step(this.#state, performance.now(), next));
      }
    } finally {
      this.#busy = false;
    }
    this.#arm();
    this.#settled();
  }

  /** A timer that rings too early is left alone: it arms itself again. So a burst of replies sets none. */
  #arm(): void {
    const due = nextDeadline(this.#state);
    if (this.#stopped || due >= this.#timerAt) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = due;
    const delay_ms = Math.min(TIMER_MAX_MS, Math.max(0, Math.ceil(due - performance.now())));
    this.#timer = setTimeout(() => this.#ring(), delay_ms);
  }

  /**
   * Timers ring before what has arrived is read. On a loaded host that may be much: answers of those that would be taken for
   * silent, a request for the vote that we would give to ourselves. It is read first.
   */
  #ring(): void {
    setImmediate(() => {
      if (this.#timer !== null) clearTimeout(this.#timer);
      this.#timer = null;
      this.#timerAt = Number.POSITIVE_INFINITY;
      const due = nextDeadline(this.#state);
      if (performance.now() < due) this.#arm();
      else this.#deliver({ on: 'tick' });
    });
  }
}

/** Programs that a command names must be there. */
function refusalOf(questions: readonly Question[]): ErrorReply | null {
  for (const question of questions) {
    if (question.about === 'program' && !DISK_CHECKS.isExecutable(question.path)) return question.refusal;
  }
  return null;
}
