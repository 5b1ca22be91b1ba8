/**
 * Everything around the router process: check and notify scripts, watched files and processes, FIFOs. It may be as busy
 * as it likes; adverts do not depend on it.
 */
import { errorText } from '../../base/error-text.js';
import type { Command, Notifies } from '../../config/keepalived/model.js';
import type { VrrpPlan } from '../plan.js';
import { CheckScripts } from './check-scripts.js';
import { type CommandPolicy, CommandRunner } from './commands.js';
import { NotifyFifo } from './fifo.js';
import type { Logger } from './logger.js';
import type { FromRouter, Report } from './messages.js';
import { Notifier, type NotifyLimits } from './notifier.js';
import { RouterChild } from './router-child.js';
import { Watchers } from './watchers.js';

/** How long the scripts of the last state may run after the addresses are released, beyond the grace of earlier ones. */
const LAST_SCRIPTS_MS = 10_000;
const SNAPSHOT_MS = 2000;

export interface SupervisorOptions {
  readonly notify: NotifyLimits;
  /** Called when the router process cannot be kept alive. */
  readonly onGivenUp: () => void;
}

export type Snapshot = Extract<FromRouter, { say: 'snapshot' }>;

export class VrrpSupervisor {
  readonly #log: Logger;
  readonly #options: SupervisorOptions;
  readonly #router: RouterChild;
  readonly #runner: CommandRunner;
  readonly #checks: CheckScripts;
  readonly #watchers: Watchers;
  readonly #notifier: Notifier;
  readonly #policy: { -readonly [K in keyof CommandPolicy]: CommandPolicy[K] };
  readonly #snapshots = new Map<number, (snapshot: Snapshot) => void>();
  #fifos: NotifyFifo[] = [];
  #plan: VrrpPlan;
  #nextSnapshot = 1;
  /** Counts changes of state, so that scripts know whether they belong to a past one. */
  #round = 0;

  constructor(plan: VrrpPlan, log: Logger, options: SupervisorOptions) {
    this.#plan = plan;
    this.#log = log;
    this.#options = options;
    this.#policy = { user: plan.scriptUser, security: plan.scriptSecurity };
    this.#runner = new CommandRunner(this.#policy);
    this.#notifier = new Notifier(this.#runner, log, options.notify);
    this.#checks = new CheckScripts(this.#runner, (id, status, why) => {
      this.#log('info', null, `${id.replace(':', ' ')} is ${status}: ${why}`);
      this.#router.send({ say: 'track', id, status, value: 0 });
    });
    this.#watchers = new Watchers((id, status, value) => this.#router.send({ say: 'track', id, status, value }));
    this.#router = new RouterChild(
      {
        started: () => this.#feedRouter(),
        message: (message) => this.#heed(message),
        givenUp: () => this.#options.onGivenUp(),
      },
      log,
    );
  }

  get routerPid(): number | null {
    return this.#router.pid;
  }

  start(): void {
    this.#openFifos();
    this.#router.start();
    this.#checks.set(this.#plan.scripts);
    this.#watchers.set(this.#plan.files, this.#plan.processes);
  }

  /** Takes another plan; what did not change goes on undisturbed. */
  reload(plan: VrrpPlan): void {
    const before = this.#plan;
    // An instance that is no longer there still has its last scripts to run.
    const instanceNotifies = new Map([...before.instanceNotifies, ...plan.instanceNotifies]);
    const groupNotifies = new Map([...before.groupNotifies, ...plan.groupNotifies]);
    this.#plan = { ...plan, instanceNotifies, groupNotifies };
    this.#policy.user = plan.scriptUser;
    this.#policy.security = plan.scriptSecurity;
    if (JSON.stringify(before.fifos) !== JSON.stringify(plan.fifos)) {
      for (const fifo of this.#fifos) fifo.close();
      this.#openFifos();
    }
    this.#checks.set(plan.scripts);
    this.#router.send({ say: 'configure', config: plan.router });
    this.#watchers.set(plan.files, plan.processes);
  }

  /** What the router knows now. @throws {Error} when it does not answer. */
  snapshot(): Promise<Snapshot> {
    const id = this.#nextSnapshot++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#snapshots.delete(id);
        reject(new Error(`the router process has not answered within ${SNAPSHOT_MS / 1000} s`));
      }, SNAPSHOT_MS);
      this.#snapshots.set(id, (snapshot) => {
        clearTimeout(timer);
        resolve(snapshot);
      });
      this.#router.send({ say: 'snapshot', id });
    });
  }

  /** Leaves: addresses first, then the notify scripts to their end, within limits. */
  async stop(): Promise<void> {
    this.#checks.stop();
    this.#watchers.stop();
    await this.#router.stop();
    const limit_ms = this.#options.notify.grace_ms + LAST_SCRIPTS_MS;
    const timer = setTimeout(() => {
      this.#log('warn', null, `scripts still run ${limit_ms / 1000} s after leaving: ended`);
      this.#runner.endAll();
    }, limit_ms);
    await this.#notifier.idle();
    clearTimeout(timer);
    this.#runner.endAll();
    for (const fifo of this.#fifos) fifo.close();
  }

  /** All that a new router process must know. */
  #feedRouter(): void {
    this.#router.send({ say: 'configure', config: this.#plan.router });
    for (const { id, status } of this.#checks.statuses()) this.#router.send({ say: 'track', id, status, value: 0 });
    this.#router.send({ say: 'start' });
    this.#watchers.repeat();
  }

  #openFifos(): void {
    this.#fifos = [];
    for (const fifo of this.#plan.fifos) {
      if (fifo.path === null) continue;
      try {
        this.#fifos.push(new NotifyFifo(fifo, fifo.path, this.#policy, this.#log));
      } catch (error) {
        this.#log('error', null, errorText(error));
      }
    }
  }

  #heed(message: FromRouter): void {
    switch (message.say) {
      case 'report':
        this.#report(message.report);
        return;
      case 'snapshot':
        this.#snapshots.get(message.id)?.(message);
        this.#snapshots.delete(message.id);
        return;
      case 'held':
      case 'stopped':
        return;
    }
  }

  #report(report: Report): void {
    switch (report.do) {
      case 'log':
        this.#log(report.level, report.instance, report.message);
        return;
      case 'notify':
        this.#notify(report);
        return;
      case 'lower-heard': {
        this.#fifoLine(`INSTANCE "${report.instance}" MASTER_RX_LOWER_PRI ${report.priority}`);
        const command = this.#plan.instanceNotifies.get(report.instance)?.masterHearsLower;
        if (!command) return;
        const event = 'MASTER_RX_LOWER_PRI';
        this.#notifier.enqueue(report.instance, { command, args: [], event, round: this.#round });
        return;
      }
      case 'priority':
        if (!this.#plan.priorityNotifies.has(report.instance)) return;
        if (report.state === 'MASTER' || report.state === 'BACKUP') {
          this.#fifoLine(`INSTANCE "${report.instance}" ${report.state}_PRIORITY ${report.priority}`);
        }
        return;
    }
  }

  /** FIFO first, then the state's own script, then the one for all states: keepalived's order, one after the other. */
  #notify(event: Extract<Report, { do: 'notify' }>): void {
    const { kind, name, priority } = event;
    const from = kind === 'INSTANCE' ? this.#plan.instanceNotifies : this.#plan.groupNotifies;
    const notifies = from.get(name);
    const state = event.state === 'DELETED' && notifies?.sayDeleted !== true ? 'FAULT' : event.state;
    this.#fifoLine(`${kind} "${name}" ${state} ${priority}`);
    if (notifies === undefined) return;
    const round = ++this.#round;
    const own = ownCommand(notifies, state);
    if (own !== null) this.#notifier.enqueue(name, { command: own, args: [], event: state, round });
    const args = [kind, name, state, String(priority)];
    if (notifies.any !== null) this.#notifier.enqueue(name, { command: notifies.any, args, event: state, round });
  }

  #fifoLine(line: string): void {
    for (const fifo of this.#fifos) fifo.write(line);
  }
}

function ownCommand(notifies: Notifies, state: 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'DELETED'): Command | null {
  switch (state) {
    case 'MASTER':
      return notifies.master;
    case 'BACKUP':
      return notifies.backup;
    case 'FAULT':
      return notifies.fault;
    case 'STOP':
      return notifies.stop;
    case 'DELETED':
      return notifies.deleted;
  }
}
