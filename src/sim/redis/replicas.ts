/** The replicas of a Redis: who gets the stream, and what each has acknowledged. */
import type { Message, Write } from '../message.js';
import type { End } from '../network.js';
import type { RedisProcess } from './process.js';

export interface Replica {
  readonly end: End;
  readonly ip: string;
  readonly port: number;
  state: 'wait_bgsave' | 'online';
  acked: number;
  lastAckAt: number;
}

/** What a ping adds to the stream. */
const PING_BYTES = 14;
/** Silence after which a replica is dropped (repl-timeout, shortened as all periods of replication here are). */
export const REPL_TIMEOUT_MS = 8_000;

export class Replicas {
  all: Replica[] = [];
  /** Since when there has been one without a break; null when there is none. */
  attachedSince: number | null = null;
  /** When any of them acknowledged last, also one that has gone since. */
  lastAckAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly redis: RedisProcess) {}

  /** PSYNC: the rest of the history where that is possible, else all of it after a snapshot has been taken. */
  onPsync(end: End, message: Extract<Message, { kind: 'psync' }>): void {
    const { redis } = this;
    const { data, context } = redis;
    if (message.handover && !redis.handover.takeOver(message)) {
      end.send({ kind: 'no-sync', why: 'not a failover that we take part in' });
      return;
    }
    if (redis.loading || (redis.role === 'replica' && !redis.upstream.up)) {
      end.send({ kind: 'no-sync', why: 'no link with our own master' });
      return;
    }
    this.drop(end);
    const replica: Replica = {
      end,
      ip: message.ip,
      port: message.port,
      state: 'wait_bgsave',
      acked: 0,
      lastAckAt: context.loop.now,
    };
    this.all.push(replica);
    end.onClose = () => this.drop(end);
    if (data.canContinue(message.replid, message.offset)) {
      replica.state = 'online';
      replica.acked = message.offset;
      end.send({
        kind: 'continue',
        replid: data.replid,
        offset: data.offset,
        writes: data.writesAfter(message.offset),
      });
      return;
    }
    context.loop.after(redis.options.snapshot_ms, () =>
      redis.gate.pass(() => {
        if (!redis.alive || !end.open || !this.all.includes(replica)) return;
        replica.state = 'online';
        replica.lastAckAt = context.loop.now;
        end.send({ kind: 'full-sync', replid: data.replid, offset: data.offset, writes: [...data.writes] });
      }),
    );
  }

  onAck(end: End, offset: number): void {
    const replica = this.all.find((one) => one.end === end);
    if (replica === undefined) return;
    replica.acked = offset;
    replica.lastAckAt = this.redis.context.loop.now;
    this.lastAckAt = replica.lastAckAt;
    this.attachedSince ??= replica.lastAckAt;
    this.redis.handover.onAck(replica);
    this.redis.clients.onAck();
  }

  /** How many replicas have acknowledged all up to this offset. */
  having(offset: number): number {
    return this.all.filter(({ state, acked }) => state === 'online' && acked >= offset).length;
  }

  /** Those that min-replicas-to-write counts. */
  countGood(): number {
    const { minReplicas, context } = this.redis;
    if (minReplicas.count === 0) return 0;
    const { now } = context.loop;
    return this.all.filter(
      ({ state, lastAckAt }) => state === 'online' && Math.floor((now - lastAckAt) / 1_000) <= minReplicas.lag_s,
    ).length;
  }

  stream(write: Write | null, hello: string | null): void {
    const wantAck = this.redis.handover.state === 'waiting-for-sync' || this.redis.ackReplicas > 0;
    for (const replica of this.all) {
      if (replica.state !== 'online') continue;
      replica.end.send({ kind: 'stream', end: this.redis.data.offset, write, hello, wantAck });
    }
  }

  /** Passes on what the own master has sent. */
  relay(message: Message): void {
    for (const replica of this.all) if (replica.state === 'online') replica.end.send(message);
  }

  ping(): void {
    if (this.redis.role !== 'master' || this.all.length === 0) return;
    this.redis.data.offset += PING_BYTES;
    this.stream(null, null);
  }

  dropSilent(): void {
    const { now } = this.redis.context.loop;
    for (const replica of [...this.all]) {
      if (now - replica.lastAckAt <= REPL_TIMEOUT_MS) continue;
      replica.end.close();
      this.drop(replica.end);
    }
  }

  /** Replicas have to ask anew: the history has changed. */
  disconnect(): void {
    for (const replica of this.all) replica.end.close();
    this.all = [];
    this.attachedSince = null;
  }

  drop(end: End): void {
    this.all = this.all.filter((one) => one.end !== end);
    if (this.all.length === 0) this.attachedSince = null;
  }
}
