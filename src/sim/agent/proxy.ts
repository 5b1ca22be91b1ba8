/**
 * A client behind the proxy of a host: it writes where the agent of that host says, once ROLE has confirmed it. With
 * durability `replicated` the proxy waits for a replica (SET, then WAIT 1, which the simulated Redis does in one).
 */
import type { Place } from '../../keeper/core/io.js';
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';
import { Gate } from '../gate.js';
import { End } from '../network.js';
import type { AgentHost } from './agent-host.js';

const CONNECT_MS = 1_000;
const RETRY_MIN_MS = 25;
const RETRY_MAX_MS = 1_000;
const PATIENCE_MS = 5_000;
/** It serves on for so long when its agent has died. */
const ORPHAN_MS = 3_000;

export class ProxyClient {
  readonly gate = new Gate();
  #running = false;
  #life = 0;
  #route: { epoch: number; place: Place } | null = null;
  #heldUntil = Number.NEGATIVE_INFINITY;
  #end: End | null = null;
  #turn = 0;
  #tries = 0;

  constructor(private readonly host: AgentHost) {}

  start(): void {
    this.stop();
    this.#running = true;
    this.#route = null;
  }

  stop(): void {
    this.#running = false;
    this.#life += 1;
    this.#turn += 1;
    this.#end?.close();
    this.#end = null;
  }

  /** Its agent is gone. */
  orphan(): void {
    const life = ++this.#life;
    this.host.context.loop.after(ORPHAN_MS, () => {
      if (life === this.#life) this.stop();
    });
  }

  route(epoch: number, place: Place): void {
    if (!this.#running || (this.#route !== null && epoch < this.#route.epoch)) return;
    const same = this.#route?.place.host === place.host && this.#route.place.port === place.port;
    this.#route = { epoch, place };
    if (same) return;
    this.#heldUntil = Number.NEGATIVE_INFINITY;
    this.#tries = 0;
    this.#connect();
  }

  hold(for_ms: number): void {
    this.#heldUntil = this.host.context.loop.now + for_ms;
  }

  #connect(): void {
    this.#end?.close();
    this.#end = null;
    const { context, host } = this.host;
    const turn = ++this.#turn;
    if (this.#route === null || !this.#running || this.host.world.quiet) return;
    const { host: ip, port } = this.#route.place;
    context.network.connect({ host, gate: this.gate }, { ip, port }, CONNECT_MS, (result) => {
      if (turn !== this.#turn) return result instanceof End ? result.close() : undefined;
      if (!(result instanceof End) || !result.open) return this.#retry();
      this.#end = result;
      result.onClose = () => {
        if (this.#end !== result) return;
        this.#end = null;
        this.#retry();
      };
      this.#ask(result, ['ROLE'], (reply) => {
        if (Array.isArray(reply) && reply[0] === 'master') this.#write(result);
        else this.#retry();
      });
    });
  }

  #retry(): void {
    this.#end?.close();
    this.#end = null;
    const turn = ++this.#turn;
    const wait_ms = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(6, this.#tries++));
    this.host.context.loop.after(wait_ms, () => {
      if (turn === this.#turn) this.#connect();
    });
  }

  #write(end: End): void {
    const { context, world } = this.host;
    if (context.loop.now < this.#heldUntil) {
      const turn = ++this.#turn;
      context.loop.after(10, () => {
        if (turn === this.#turn && this.#end === end) this.#write(end);
      });
      return;
    }
    this.#ask(end, ['SET', String(world.nextWrite())], (reply) => {
      if (reply instanceof ErrorReply && !reply.message.startsWith('NOREPLICAS')) return this.#retry();
      if (reply === OK) this.#tries = 0;
      const turn = ++this.#turn;
      context.loop.after(world.plan.writePeriod_ms * (0.5 + context.prng.below(1_000) / 1_000), () => {
        if (turn === this.#turn && this.#end === end && !world.quiet) this.#write(end);
      });
    });
  }

  #ask(end: End, args: readonly string[], then: (reply: Reply) => void): void {
    const turn = ++this.#turn;
    end.onMessage = (message) => {
      if (message.kind === 'reply' && turn === this.#turn) then(message.reply);
    };
    end.send({ kind: 'request', args });
    this.host.context.loop.after(PATIENCE_MS, () => {
      if (turn === this.#turn) this.#retry();
    });
  }
}
