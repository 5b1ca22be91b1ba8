/** A replica's link to its master. */
import type { Message } from '../message.js';
import { End } from '../network.js';
import type { RedisProcess } from './process.js';
import { REPL_TIMEOUT_MS } from './replicas.js';

export class Upstream {
  up = false;
  syncing = false;
  lastHeardAt = 0;
  /** Since when the link is down; null when it has never been up. */
  downSince: number | null = null;
  /** How long what its master streams waits before it is looked at. */
  late_ms = 0;
  #lateUntil = 0;
  /** Messages that wait so, or for the process after that. */
  #latecomers = 0;
  #end: End | null = null;
  #connecting = false;
  /** Counts the masters that were followed: an answer for an earlier one is dropped. */
  #generation = 0;
  /** What came in a pause of writes, where that holds it back. */
  #held: Extract<Message, { kind: 'stream' }>[] = [];
  /** PSYNC … FAILOVER, until it is answered. */
  #handover = false;

  constructor(private readonly redis: RedisProcess) {}

  /** Begins anew with the Redis that is to be followed now. */
  restart(handover: boolean): void {
    this.stop();
    this.#handover = handover;
    this.connect();
  }

  stop(): void {
    this.#generation += 1;
    this.#held = [];
    this.#end?.close();
    this.#end = null;
    this.#latecomers = 0;
    this.#connecting = false;
    this.#handover = false;
    if (this.up) this.downSince = this.redis.context.loop.now;
    this.up = false;
    this.syncing = false;
  }

  /** The process is gone or new. */
  reset(): void {
    this.stop();
    this.downSince = null;
  }

  /** Tries to reach the master, unless that is done or under way. */
  connect(): void {
    const { redis } = this;
    const { following, context } = redis;
    if (following === null || this.#end !== null || this.#connecting || redis.loading) return;
    this.#connecting = true;
    const generation = this.#generation;
    context.network.connect(redis, following, REPL_TIMEOUT_MS, (result) => {
      if (generation !== this.#generation || !redis.alive) {
        if (result instanceof End) result.close();
        return;
      }
      this.#connecting = false;
      // Tried again by the next round of the process's own timer.
      if (!(result instanceof End) || !result.open) return;
      this.#end = result;
      this.lastHeardAt = context.loop.now;
      result.onMessage = (message) => this.#arrived(result, message);
      result.onClose = () => this.#lost();
      const { replid, offset } = redis.data;
      const { ip } = redis.host;
      result.send({ kind: 'psync', ip, port: redis.port, replid, offset, handover: this.#handover });
    });
  }

  #lost(): void {
    this.#end = null;
    this.#latecomers = 0;
    this.#held = [];
    if (this.up) this.downSince = this.redis.context.loop.now;
    this.up = false;
    this.syncing = false;
  }

  /** Of one connection nothing overtakes anything. */
  #arrived(end: End, message: Message): void {
    const { loop } = this.redis.context;
    if (this.late_ms === 0 && this.#latecomers === 0) return this.#onMessage(message);
    this.#lateUntil = Math.max(this.#lateUntil, loop.now + this.late_ms);
    this.#latecomers += 1;
    loop.at(this.#lateUntil, () => {
      if (this.#end === end) this.redis.gate.pass(() => this.#takeLate(end, message));
    });
  }

  #takeLate(end: End, message: Message): void {
    if (this.#end !== end) return;
    this.#latecomers -= 1;
    this.#onMessage(message);
  }

  #onMessage(message: Message): void {
    const { redis } = this;
    this.lastHeardAt = redis.context.loop.now;
    switch (message.kind) {
      case 'continue':
        redis.data.proceed(message.replid, message.offset, message.writes);
        this.#established();
        return;
      case 'full-sync':
        this.syncing = true;
        this.#load(message);
        return;
      case 'no-sync':
        this.#end?.close();
        this.#lost();
        redis.handover.refused();
        return;
      case 'stream':
        if (redis.pauseHoldsStream && redis.clients.paused) this.#held.push(message);
        else this.#take(message);
        return;
      default:
        return;
    }
  }

  #load(message: Extract<Message, { kind: 'full-sync' }>): void {
    const { redis } = this;
    const generation = this.#generation;
    const from = this.#end;
    const { group, name } = redis;
    redis.context.fact({ kind: 'replaced', group, redis: name, had: redis.data.writes, has: message.writes });
    redis.data.replace(message.replid, message.offset, message.writes);
    redis.replicas.disconnect();
    redis.context.note(2, redis.name, () => `full resync, ${message.writes.length} writes, offset ${message.offset}`);
    redis.context.loop.after(redis.options.load_ms, () =>
      redis.gate.pass(() => {
        if (generation === this.#generation && this.#end === from) this.#established();
      }),
    );
  }

  #established(): void {
    this.up = true;
    this.syncing = false;
    this.redis.handover.completed();
    this.#handover = false;
    this.ack();
    this.redis.context.note(2, this.redis.name, () => `link with its master is up, offset ${this.redis.data.offset}`);
  }

  /** The pause is over. */
  resume(): void {
    const held = this.#held;
    this.#held = [];
    for (const message of held) this.#take(message);
  }

  #take(message: Extract<Message, { kind: 'stream' }>): void {
    const { data } = this.redis;
    if (message.end <= data.offset) return;
    data.offset = message.end;
    if (message.write !== null) data.writes.push(message.write);
    if (message.hello !== null) this.redis.clients.publish(message.hello);
    this.redis.replicas.relay(message);
    if (message.wantAck) this.ack();
  }

  ack(): void {
    if (this.up) this.#end?.send({ kind: 'ack', offset: this.redis.data.offset });
  }

  /** Gives a silent master up, and tries again where there is no connection. */
  cron(): void {
    if (this.#end !== null && this.redis.context.loop.now - this.lastHeardAt > REPL_TIMEOUT_MS) {
      this.#end.close();
      this.#lost();
    }
    if (this.#end === null) this.connect();
    this.ack();
  }
}
