/**
 * The router process of a host of a pair: the real VRRP core elects who has the VIP, among the hosts whose keepers have
 * lent it to them. Its virtual router is what a tanist.yml would have made it.
 */
import type { Effect, Input } from '../../vrrp/core/io.js';
import { Router as VrrpCore } from '../../vrrp/core/router.js';
import { planVips } from '../../vrrp/from-tanist.js';
import type { VipPlan } from '../../vrrp/vip-plan.js';
import { carryOut, standing, type VirtualHost } from '../vrrp/carry-out.js';
import type { AgentHost } from './agent-host.js';
import type { GroupPlan } from './plan.js';
import { type VipEvents, VipRouter } from './vip-router.js';

const VIP = { address: '10.0.1.100', prefix: 24, interface: null, vrid: 51 };
const DEVICE = 'eth0';

export type PairRole = 'master' | 'backup' | 'fault';

export interface PairEvents extends VipEvents {
  role(role: PairRole): void;
}

export class PairRouter extends VipRouter {
  #core: VrrpCore | null = null;
  /** The tracked item that lets it have the VIP. */
  #item = '';
  #tickAt = Number.POSITIVE_INFINITY;
  readonly #hands: VirtualHost;

  constructor(
    private readonly host: AgentHost,
    private readonly group: GroupPlan,
    events: PairEvents,
  ) {
    super(host.context, events);
    this.#hands = {
      send: (packet) => {
        for (const other of this.#others()) this.#send(other, { on: 'packet', packet });
      },
      claim: (_, until) => this.keep(until),
      release: () => this.leave(),
      notify: ({ state, reason }) => {
        host.note(2, `VRRP: ${state}: ${reason}`);
        events.role(roleOf(state));
      },
    };
  }

  protected override begin(): void {
    const { router, groups } = this.#plan();
    this.#core = new VrrpCore(router);
    this.#item = groups[0]?.item ?? '';
    this.#tickAt = Number.POSITIVE_INFINITY;
    const { ip } = this.host.host;
    for (const instance of router.instances) for (const input of standing(instance, ip, true)) this.#feed(input);
    // As `vip-keeper.ts` does: what has not been lent yet is refused.
    this.#refuse('nothing is known yet');
    this.#feed({ on: 'start' });
  }

  protected override farewell(): void {
    this.#feed({ on: 'stop' });
  }

  protected override lent(until: number | null): void {
    if (until === null) this.#refuse('its keeper says so');
    else this.#feed({ on: 'track', id: this.#item, status: 'up', value: 0, until });
  }

  #refuse(reason: string): void {
    this.#feed({ on: 'track', id: this.#item, status: 'down', value: 0, reason });
  }

  #plan(): VipPlan {
    const { world, name } = this.host;
    const { name: group, failback } = this.group;
    const hosts = this.group.hosts.map((index) => ({
      name: world.hosts[index]?.name ?? '',
      address: world.ipOf(index),
      witness: false,
      interface: null,
    }));
    const groups = [{ name: group, hosts: hosts.map((each) => each.name), vips: [VIP], failback }];
    const { mode, ttl_ms } = world.plan;
    const settings = { file: 'tanist.yml', mode, hosts, groups, lease: { ttl_ms } };
    return planVips(settings, name, { interfaceOf: () => DEVICE });
  }

  #others(): AgentHost[] {
    return this.host.world.hosts.filter((one) => one !== this.host && this.group.hosts.includes(one.index));
  }

  #feed(input: Input): void {
    const { now } = this.context.loop;
    for (const effect of this.#core?.step(now, input) ?? []) carryOut(effect, now, this.#hands);
    this.#arm();
  }

  #send(to: AgentHost, input: Input): void {
    this.context.network.datagram(this.host.host, to.host, () => {
      const router = to.routers.get(this.group.name);
      if (router instanceof PairRouter) router.pass(() => router.#feed(input));
    });
  }

  #arm(): void {
    const due = this.#core?.nextDeadline() ?? Number.POSITIVE_INFINITY;
    if (due >= this.#tickAt || due === Number.POSITIVE_INFINITY) return;
    this.#tickAt = due;
    this.at(due + 0.05, () => {
      if (this.#tickAt !== due) return;
      this.#tickAt = Number.POSITIVE_INFINITY;
      this.#feed({ on: 'tick' });
    });
  }
}

function roleOf(state: Extract<Effect, { do: 'notify' }>['state']): PairRole {
  if (state === 'MASTER') return 'master';
  return state === 'BACKUP' ? 'backup' : 'fault';
}
