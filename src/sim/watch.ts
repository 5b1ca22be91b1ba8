/** Turns what a sentinel does into facts for the checkers and lines for the transcript. */

import type { SentinelState } from '../config/sentinel-types.js';
import type { Reply } from '../redis/reply.js';
import { parseHello } from '../sentinel/core/hello.js';
import type { Effect, Input, SentinelEvent } from '../sentinel/core/io.js';
import type { Sentinel } from '../sentinel/core/state.js';
import type { Context } from './context.js';
import type { Manual } from './fact.js';

export class Watch {
  /** What each group looked like after the step whose effects are being carried out. */
  readonly #seen = new Map<string, { voters: number; quorum: number }>();
  /** Who wanted each group's own failover. */
  readonly #manual = new Map<string, Manual>();
  /** The group of which an operator has asked for a failover in this step, until it begins. */
  #asked: string | null = null;
  /** The epoch that each group's own failover runs in. */
  readonly #tried = new Map<string, number>();
  #newEpoch = 0;
  /** When the step was made whose effects are being carried out: a slow disk may hold them up. */
  #decidedAt = 0;

  constructor(
    private readonly context: Context,
    private readonly sentinel: string,
    /** Redis address to group. */
    private readonly groupOf: ReadonlyMap<string, string>,
    /** Sentinel id to name. */
    private readonly nameOf: ReadonlyMap<string, string>,
  ) {}

  started(snapshot: SentinelState): void {
    this.context.fact({ kind: 'started', sentinel: this.sentinel, snapshot });
  }

  persisted(snapshot: SentinelState): void {
    this.context.fact({ kind: 'persisted', sentinel: this.sentinel, snapshot });
  }

  /** Looks at the state that a step has left, before its effects are carried out. */
  before(input: Input, effects: readonly Effect[], state: Sentinel): void {
    this.#decidedAt = this.context.loop.now;
    const asks = input.on === 'command' && (input.args[1] ?? '').toUpperCase() === 'FAILOVER';
    this.#asked = asks ? (input.args[2] ?? null) : null;
    for (const effect of effects) {
      if (effect.act !== 'event' || effect.event.master === null || effect.event.level !== 'warning') continue;
      const group = state.groups.get(effect.event.master);
      if (group === undefined) continue;
      this.#seen.set(group.name, { voters: group.sentinels.size + 1, quorum: group.quorum });
    }
  }

  event(event: SentinelEvent): void {
    const { sentinel, context } = this;
    context.note(event.level === 'warning' ? 1 : 2, sentinel, () => `${event.type} ${event.text}`);
    const group = event.master ?? '';
    const seen = this.#seen.get(group);
    switch (event.type) {
      case '+new-epoch':
        this.#newEpoch = Number(event.text.split(' ').at(-1));
        return;
      case '+try-failover':
        this.#tried.set(group, this.#newEpoch);
        // One step may end a failover and begin another: only the first to begin is the operator's.
        this.#manual.set(group, this.#asked === group ? 'planned' : 'no');
        this.#asked = null;
        return;
      case '+vote-for-leader': {
        const [leader = '', epoch = ''] = event.text.split(' ').slice(-2);
        context.fact({
          kind: 'voted',
          sentinel,
          group,
          epoch: Number(epoch),
          leader: this.#name(leader),
          at: this.#decidedAt,
        });
        return;
      }
      case '+elected-leader': {
        const { voters = 0, quorum = 0 } = seen ?? {};
        const epoch = this.#tried.get(group) ?? 0;
        context.fact({ kind: 'elected', sentinel, group, epoch, voters, quorum, sentinels: this.nameOf.size });
        return;
      }
      case '+failover-state-select-slave':
        context.fact({
          kind: 'selecting',
          sentinel,
          group,
          epoch: this.#tried.get(group) ?? 0,
          manual: this.#manual.get(group) ?? 'no',
        });
    }
  }

  sends(effect: Extract<Effect, { act: 'send' }>, to: string): void {
    const { sentinel, context } = this;
    const { tag, args } = effect;
    if (tag.kind === 'ask' && args[5] !== '*') {
      context.fact({ kind: 'stood', sentinel, group: tag.master, epoch: Number(args[4]) });
    } else if (tag.kind === 'hello') {
      const hello = parseHello(args[2] ?? '');
      if (hello === null) return;
      context.fact({
        kind: 'configuration',
        sentinel,
        group: hello.masterName,
        configEpoch: hello.configEpoch,
        currentEpoch: hello.currentEpoch,
        address: `${hello.masterHost}:${hello.masterPort}`,
      });
    } else if (args[0] === 'SLAVEOF' || args[0] === 'FAILOVER') {
      context.note(2, sentinel, () => `orders ${to}: ${args.join(' ')}`);
    }
  }

  /** An answer to another sentinel, or to a keeper. `rate`: how fast the sentinel's clock runs. */
  answers(args: readonly string[], reply: Reply, rate: number): void {
    if ((args[1] ?? '').toUpperCase() === 'LEASE') return this.#grants(args, reply, rate);
    if ((args[1] ?? '').toUpperCase() !== 'IS-MASTER-DOWN-BY-ADDR' || args[5] === '*') return;
    const group = this.groupOf.get(`${args[2]}:${args[3]}`);
    if (group === undefined || !Array.isArray(reply)) return;
    const [, leader, epoch] = reply as readonly Reply[];
    if (typeof leader !== 'string' || typeof epoch !== 'number' || leader === '*') return;
    this.context.fact({ kind: 'vote-told', sentinel: this.sentinel, group, epoch, leader: this.#name(leader) });
  }

  #grants(args: readonly string[], reply: Reply, rate: number): void {
    const [, , group = '', host, port, epoch, ttl, consent] = args;
    if (!Array.isArray(reply)) return;
    const list: readonly Reply[] = reply;
    const ttl_ms = Number(ttl);
    if (ttl_ms > 0 && list[list.indexOf('granted') + 1] !== 1) return;
    this.context.fact({
      kind: 'granted',
      sentinel: this.sentinel,
      group,
      holder: `${host}:${port}`,
      epoch: Number(epoch),
      handOver: consent === 'handover',
      at: this.#decidedAt,
      until: this.#decidedAt + ttl_ms / rate,
    });
  }

  #name(id: string): string {
    return this.nameOf.get(id) ?? id;
  }
}
