/**
 * The router process of a host of a pair: the real VRRP core elects who has the VIP, among the hosts whose keepers have
 * lent it to them.
 */
import { defaultAddress, defaultInstance } from '../../vrrp/core/defaults.js';
import type { Effect, Input } from '../../vrrp/core/io.js';
import { Router as VrrpCore } from '../../vrrp/core/router.js';
import { Gate } from '../gate.js';
import type { AgentHost } from './agent-host.js';
import type { GroupPlan } from './plan.js';
import { PIPE_MS, type VipRouter } from './router.js';

const VIP = '10.0.1.100/24';
const DEVICE = 'eth0';
const ITEM = 'redis';
/** As `from-tanist.ts` has them. */
const LIFETIME_S = 2;
const PRIORITY_FIRST = 250;
const PRIORITY_STEP = 20;
const INTERVAL_MS = 250;

export type PairRole = 'master' | 'backup' | 'fault';

export interface PairEvents {
  held(held: boolean): void;
  role(role: PairRole): void;
  /** Something has changed that checkers look at. */
  changed(): void;
}

export class PairRouter implements VipRouter {
  readonly gate = new Gate();
  alive = false;
  disturbedAt = Number.NEGATIVE_INFINITY;
  life = 0;
  claimedAt = 0;
  #core: VrrpCore | null = null;
  #addressUntil = Number.NEGATIVE_INFINITY;
  #tickAt = Number.POSITIVE_INFINITY;
  #told = false;

  constructor(
    private readonly host: AgentHost,
    private readonly group: GroupPlan,
    private readonly events: PairEvents,
  ) {}

  get holds(): boolean {
    return this.#now < this.#addressUntil;
  }

  get #now(): number {
    return this.host.context.loop.now;
  }

  start(): void {
    this.alive = true;
    this.life += 1;
    this.#tickAt = Number.POSITIVE_INFINITY;
    const place = this.group.hosts.indexOf(this.host.index);
    const { failback } = this.group;
    const instance = defaultInstance({
      name: this.group.name,
      vrid: 51,
      interface: DEVICE,
      version: 3,
      interval_ms: INTERVAL_MS,
      priority: PRIORITY_FIRST - PRIORITY_STEP * place,
      preempt: failback.when === 'after',
      preemptDelay_ms: failback.when === 'after' ? failback.wait_ms : 0,
      peers: this.#others().map(({ host }) => ({ address: host.ip, minTtl: 255, maxTtl: null })),
      checkPeers: true,
      addresses: [defaultAddress(VIP, DEVICE)],
      tracks: [{ id: ITEM, weight: 0, reverse: false }],
      vipLifetime_s: LIFETIME_S,
      farewell: true,
    });
    this.#core = new VrrpCore({ instances: [instance], groups: [], startupDelay_ms: 0 });
    // What a former process has left behind is removed.
    this.#leave();
    this.#feed({ on: 'link', interface: DEVICE, up: true });
    this.#feed({ on: 'source', interface: DEVICE, family: 'ipv4', address: this.host.host.ip });
    // As `vip-keeper.ts` does: what has not been lent yet is refused.
    this.#feed({ on: 'track', id: ITEM, status: 'down', value: 0, reason: 'nothing is known yet' });
    this.#feed({ on: 'start' });
  }

  kill(): void {
    this.alive = false;
    this.life += 1;
    this.#core = null;
    this.gate.reset(false);
    this.disturbedAt = this.#now;
  }

  vanish(): void {
    this.kill();
    this.#addressUntil = Number.NEGATIVE_INFINITY;
    this.#told = false;
  }

  orphan(): void {
    this.#later(() => {
      this.#feed({ on: 'stop' });
      this.#leave();
      this.alive = false;
      this.life += 1;
      this.#core = null;
    });
  }

  lend(until: number | null): void {
    this.#later(() => {
      if (until === null) this.#feed({ on: 'track', id: ITEM, status: 'down', value: 0, reason: 'its keeper says so' });
      else this.#feed({ on: 'track', id: ITEM, status: 'up', value: 0, until });
    });
  }

  #others(): AgentHost[] {
    return this.host.world.hosts.filter((one) => one !== this.host && this.group.hosts.includes(one.index));
  }

  #later(run: () => void): void {
    const { life } = this;
    this.host.context.loop.after(PIPE_MS, () => {
      if (this.alive && life === this.life) this.gate.pass(run);
    });
  }

  #feed(input: Input): void {
    if (this.#core === null) return;
    for (const effect of this.#core.step(this.#now, input)) this.#carryOut(effect);
    this.#arm();
  }

  #carryOut(effect: Effect): void {
    switch (effect.do) {
      case 'send':
        for (const other of this.#others()) this.#send(other, effect);
        return;
      case 'claim':
        if (!this.holds) this.claimedAt = this.#now;
        this.#addressUntil = this.#now + LIFETIME_S * 1_000;
        return this.#tell();
      case 'release':
        return this.#leave();
      case 'notify':
        this.host.note(2, `VRRP: ${effect.state}: ${effect.reason}`);
        return this.events.role(roleOf(effect.state));
      case 'announce':
      case 'probe':
      case 'lower-heard':
      case 'priority':
      case 'log':
        return;
    }
  }

  #send(to: AgentHost, effect: Extract<Effect, { do: 'send' }>): void {
    const { family, source, destination, ttl, payload } = effect;
    const packet = { interface: DEVICE, family, source, destination, ttl, payload };
    this.host.context.network.datagram(this.host.host, to.host, () => {
      const router = to.routers.get(this.group.name);
      if (router instanceof PairRouter) router.#receive({ on: 'packet', packet });
    });
  }

  #receive(input: Input): void {
    if (this.alive) this.gate.pass(() => this.#feed(input));
  }

  #leave(): void {
    this.#addressUntil = Number.NEGATIVE_INFINITY;
    this.#tell();
  }

  #tell(): void {
    if (this.#told === this.holds) return;
    this.#told = this.holds;
    this.events.held(this.#told);
    this.events.changed();
  }

  #arm(): void {
    const due = this.#core?.nextDeadline() ?? Number.POSITIVE_INFINITY;
    if (due >= this.#tickAt || due === Number.POSITIVE_INFINITY) return;
    this.#tickAt = due;
    const { life } = this;
    this.host.context.loop.at(due + 0.05, () => {
      if (life !== this.life || this.#tickAt !== due) return;
      this.gate.pass(() => {
        if (this.#tickAt !== due) return;
        this.#tickAt = Number.POSITIVE_INFINITY;
        this.#feed({ on: 'tick' });
      });
    });
  }
}

function roleOf(state: Extract<Effect, { do: 'notify' }>['state']): PairRole {
  if (state === 'MASTER') return 'master';
  return state === 'BACKUP' ? 'backup' : 'fault';
}
