/** The steps of `src/agent/handover.ts`, in virtual time. */
import type { LeaderRecord, Place } from '../../keeper/core/io.js';
import { ErrorReply } from '../../redis/reply.js';
import type { AgentProcess } from './agent-process.js';
import type { Room } from './room.js';

const CONSENT_MS = 2_000;
const CHANGE_MS = 15_000;

export class Switchover {
  #phase: 'consent' | 'asked' | 'change' | 'over' = 'consent';
  #before: LeaderRecord | null = null;

  constructor(
    private readonly room: Room,
    private readonly agent: AgentProcess,
    private readonly to: Place | null,
    private readonly force: boolean,
    /** Told once; empty when it has come about. */
    private readonly done: (text: string) => void,
  ) {}

  begin(): void {
    this.#before = this.room.view.record;
    this.agent.host.later(CONSENT_MS, () => {
      if (this.#phase === 'consent') this.#end('no majority consents');
    });
    this.room.deliver({ on: 'hand-over', deadline_ms: CONSENT_MS + CHANGE_MS });
  }

  /** Looks whether what is waited for has come. */
  look(): void {
    if (this.#phase === 'consent' && this.room.view.handOver?.ready === true) this.#order();
    else if (this.#phase === 'change' && (this.#hasChanged() || !this.#isUnderWay())) this.#changed();
  }

  #order(): void {
    this.#phase = 'asked';
    const target = this.to === null ? [] : ['TO', this.to.host, String(this.to.port)];
    const args = ['SENTINEL', 'FAILOVER', this.room.group, this.force ? 'FORCE' : 'COORDINATED', ...target];
    this.agent.askOwn(args, (reply) => {
      if (reply instanceof ErrorReply) return this.#end(reply.message);
      this.#phase = 'change';
      this.agent.host.later(CHANGE_MS, () => {
        if (this.#phase === 'change') this.#changed();
      });
      this.look();
    });
  }

  #hasChanged(): boolean {
    const now = this.room.view.record?.master;
    const before = this.#before?.master;
    return now?.host !== before?.host || now?.port !== before?.port;
  }

  #isUnderWay(): boolean {
    return this.agent.sentinel.state?.groups.get(this.room.group)?.failover != null;
  }

  #changed(): void {
    this.#end(this.#hasChanged() ? '' : 'it did not come about');
  }

  #end(text: string): void {
    this.#phase = 'over';
    this.room.deliver({ on: 'hand-over-over' });
    this.done(text);
  }
}
