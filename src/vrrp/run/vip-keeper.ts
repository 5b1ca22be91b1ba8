/**
 * The VIPs of the agent's host, as a loan: `grant` lends them until a deadline, `revoke` takes them back. The router
 * process keeps the deadline, so that an agent that hangs, or is gone, cannot keep an address.
 */
import type { AmbientRights } from '../../net/ambient-rights.js';
import { toBootTime_us } from '../../net/clock.js';
import type { InstanceSnapshot } from '../core/snapshot.js';
import type { VipGroup, VipPlan } from '../vip-plan.js';
import type { Logger } from './logger.js';
import type { FromRouter, Report, ToRouter } from './messages.js';
import { RouterChild } from './router-child.js';

/** What VRRP decided for this host. */
export type VipRole = 'master' | 'backup' | 'fault';

export interface VipEvents {
  /** Whether all addresses of the group are on this host's interfaces. Told at the start and at each change. */
  held(group: string, held: boolean): void;
  /** The election's result; only of interest in pair mode. `reason` is a sentence. */
  role(group: string, role: VipRole, reason: string): void;
  /** The router process cannot be kept alive; the kernel drops the addresses within seconds. */
  givenUp(): void;
}

type Loan =
  | { readonly state: 'granted'; readonly until_us: number }
  | { readonly state: 'refused'; readonly reason: string };

const NOT_YET: Loan = { state: 'refused', reason: 'nothing has been granted yet' };
/** How often the router process must show that it lives, and how often it may fail to. */
const LOOK_EVERY_MS = 1000;
const MAX_UNANSWERED = 2;

export class VipKeeper {
  readonly #plan: VipPlan;
  readonly #events: VipEvents;
  readonly #log: Logger;
  readonly #router: RouterChild;
  readonly #loans = new Map<string, Loan>();
  /** By instance. */
  readonly #held = new Map<string, boolean>();
  readonly #roles = new Map<string, VipRole>();
  /** By group: what was told last. */
  readonly #toldHeld = new Map<string, boolean>();
  readonly #toldRole = new Map<string, VipRole>();
  #instances: readonly InstanceSnapshot[] = [];
  #look: NodeJS.Timeout | null = null;
  #lookId = 0;
  /** Counted, not timed: after a halt of our own its answers still wait to be read. */
  #unanswered = 0;

  /** @param rights what only the router process, of all that this process starts, may do */
  constructor(plan: VipPlan, events: VipEvents, log: Logger, rights: AmbientRights) {
    this.#plan = plan;
    this.#events = events;
    this.#log = log;
    this.#router = new RouterChild(
      {
        started: () => this.#feedRouter(),
        message: (message) => this.#heed(message),
        drained: () => this.#repeatLoans(),
        givenUp: () => this.#events.givenUp(),
      },
      log,
      rights,
    );
  }

  get routerPid(): number | null {
    return this.#router.pid;
  }

  /** The latest known state of each virtual router: at most about a second old. */
  get instances(): readonly InstanceSnapshot[] {
    return this.#instances;
  }

  /** Starts the router process, unless there is no VIP to keep. */
  start(): void {
    if (this.#plan.groups.length === 0) return;
    this.#router.start();
    this.#look = setInterval(() => this.#lookAtRouter(), LOOK_EVERY_MS);
  }

  /**
   * The group's VIPs may be on this host until then. In pair mode: its Redis is fit, so this host may be elected.
   * @param until_ns CLOCK_MONOTONIC, as `process.hrtime.bigint()` gives it
   */
  grant(group: string, until_ns: bigint): void {
    this.#lend(group, { state: 'granted', until_us: toBootTime_us(until_ns) });
  }

  /** The group's VIPs must leave this host now. @param reason one sentence, for the log and for status */
  revoke(group: string, reason: string): void {
    this.#lend(group, { state: 'refused', reason });
  }

  /** True while all addresses of the group are on this host's interfaces. */
  holds(group: string): boolean {
    return this.#toldHeld.get(group) ?? false;
  }

  /** Gives everything back: addresses removed, priority 0 sent. Resolves when the router process has ended. */
  async stop(): Promise<void> {
    if (this.#look !== null) clearInterval(this.#look);
    this.#look = null;
    await this.#router.stop();
    for (const group of this.#plan.groups) for (const instance of group.instances) this.#held.set(instance, false);
    for (const group of this.#plan.groups) this.#tellHeld(group);
  }

  #lend(name: string, loan: Loan): void {
    const group = this.#plan.groups.find((g) => g.name === name);
    if (group === undefined) return;
    this.#loans.set(name, loan);
    // A router that does not read must not make us store renewals without end: the latest is sent when it reads again.
    if (!this.#router.congested) this.#router.send(trackOf(group, loan));
  }

  #repeatLoans(): void {
    for (const group of this.#plan.groups) this.#router.send(trackOf(group, this.#loans.get(group.name) ?? NOT_YET));
  }

  /** All that a new router process must know. */
  #feedRouter(): void {
    this.#unanswered = 0;
    this.#router.send({ say: 'configure', config: this.#plan.router });
    this.#repeatLoans();
    this.#router.send({ say: 'start' });
  }

  #heed(message: FromRouter): void {
    switch (message.say) {
      case 'report':
        this.#report(message.report);
        return;
      case 'held': {
        this.#held.set(message.instance, message.held);
        const group = this.#plan.groups.find((g) => g.instances.includes(message.instance));
        if (group !== undefined) this.#tellHeld(group);
        return;
      }
      case 'snapshot':
        this.#unanswered = 0;
        this.#instances = message.instances;
        return;
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
        if (report.kind === 'INSTANCE') this.#roleOf(report.name, roleFrom(report.state), report.reason);
        return;
      case 'lower-heard':
      case 'priority':
        return;
    }
  }

  #roleOf(instance: string, role: VipRole, reason: string): void {
    this.#roles.set(instance, role);
    const group = this.#plan.groups.find((g) => g.instances.includes(instance));
    if (group === undefined) return;
    const roles = group.instances.map((i) => this.#roles.get(i) ?? 'fault');
    const joint = roles.includes('fault') ? 'fault' : roles.includes('backup') ? 'backup' : 'master';
    if (this.#toldRole.get(group.name) === joint) return;
    this.#toldRole.set(group.name, joint);
    this.#events.role(group.name, joint, reason);
  }

  #tellHeld(group: VipGroup): void {
    const held = group.instances.every((i) => this.#held.get(i) === true);
    if (this.#toldHeld.get(group.name) === held) return;
    this.#toldHeld.set(group.name, held);
    this.#events.held(group.name, held);
  }

  /** A router process that has come to a halt keeps no deadline: it is ended, and the next one cleans up behind it. */
  #lookAtRouter(): void {
    if (this.#unanswered > MAX_UNANSWERED) {
      this.#unanswered = 0;
      this.#log('error', null, `the router process does not answer any more: killed`);
      this.#router.kill();
      return;
    }
    this.#unanswered++;
    if (this.#router.congested) return;
    this.#router.send({ say: 'snapshot', id: this.#lookId++ });
  }
}

function trackOf(group: VipGroup, loan: Loan): ToRouter {
  const common = { say: 'track' as const, id: group.item, value: 0 };
  return loan.state === 'granted'
    ? { ...common, status: 'up', until_us: loan.until_us }
    : { ...common, status: 'down', reason: loan.reason };
}

function roleFrom(state: 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'DELETED'): VipRole {
  switch (state) {
    case 'MASTER':
      return 'master';
    case 'BACKUP':
      return 'backup';
    case 'FAULT':
    case 'STOP':
    case 'DELETED':
      return 'fault';
  }
}
