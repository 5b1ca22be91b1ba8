/** A client that knows nothing but the VIP, and writes to whatever answers there. */
import { OK } from '../../redis/reply.js';
import { Gate } from '../gate.js';
import { End, type Host } from '../network.js';
import type { AgentHost } from './agent-host.js';
import type { GroupPlan } from './plan.js';
import type { AgentWorld } from './world.js';

const CONNECT_MS = 500;
const RETRY_MS = 50;
const PATIENCE_MS = 1_000;

export class VipClient {
  readonly gate = new Gate();
  #end: End | null = null;
  #at: AgentHost | null = null;
  #turn = 0;

  constructor(
    private readonly world: AgentWorld,
    private readonly group: GroupPlan,
    private readonly host: Host,
  ) {}

  begin(): void {
    const { world } = this;
    const holder = world.vipHolder(this.group.name);
    if (holder === null) return this.#again(RETRY_MS);
    const port = world.placeOf(this.group, holder.index).port;
    const turn = ++this.#turn;
    world.network.connect(this.from, { ip: holder.host.ip, port }, CONNECT_MS, (result) => {
      if (turn !== this.#turn) return result instanceof End ? result.close() : undefined;
      if (!(result instanceof End) || !result.open) return this.#again(RETRY_MS);
      this.#end = result;
      this.#at = holder;
      this.#write(result);
    });
    world.loop.after(2 * CONNECT_MS, () => {
      if (turn === this.#turn) this.#again(0);
    });
  }

  get from(): { readonly host: Host; readonly gate: Gate } {
    return { host: this.host, gate: this.gate };
  }

  #again(wait_ms: number): void {
    this.#end?.close();
    this.#end = null;
    const turn = ++this.#turn;
    this.world.loop.after(wait_ms, () => {
      if (turn === this.#turn && !this.world.quiet) this.begin();
    });
  }

  #write(end: End): void {
    const { world } = this;
    // The address has moved: what is sent to it arrives elsewhere, where nobody knows the connection.
    if (!end.open || world.vipHolder(this.group.name) !== this.#at) return this.#again(RETRY_MS);
    const turn = ++this.#turn;
    end.onMessage = (message) => {
      if (message.kind !== 'reply' || turn !== this.#turn) return;
      const next = ++this.#turn;
      if (message.reply !== OK) return this.#again(RETRY_MS);
      world.loop.after(world.plan.writePeriod_ms, () => {
        if (next === this.#turn && !world.quiet) this.#write(end);
      });
    };
    end.send({ kind: 'request', args: ['SET', String(world.nextWrite())] });
    world.loop.after(PATIENCE_MS, () => {
      if (turn === this.#turn) this.#again(RETRY_MS);
    });
  }
}
