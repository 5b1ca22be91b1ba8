/** FAILOVER TO … TIMEOUT …: writes wait, the target catches up, becomes the master, and we follow it. */
import type { FailoverState } from '../../redis/info.js';
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';
import type { Message } from '../message.js';
import type { RedisProcess } from './process.js';
import type { Replica } from './replicas.js';

export class Handover {
  state: FailoverState = 'no-failover';
  #target: { readonly ip: string; readonly port: number } | null = null;
  #generation = 0;

  constructor(private readonly redis: RedisProcess) {}

  begin(ip: string, port: number, timeout_ms: number): Reply {
    const { redis } = this;
    if (!redis.options.failoverCommand) return new ErrorReply("ERR unknown command 'FAILOVER'");
    if (this.state !== 'no-failover') return new ErrorReply('ERR FAILOVER already in progress.');
    if (redis.role !== 'master') return new ErrorReply('ERR FAILOVER is not valid when server is a replica.');
    const target = redis.replicas.all.find((one) => one.ip === ip && one.port === port && one.state === 'online');
    if (target === undefined) return new ErrorReply('ERR FAILOVER target HOST and PORT is not a replica.');
    this.state = 'waiting-for-sync';
    this.#target = { ip, port };
    const generation = ++this.#generation;
    redis.context.note(2, redis.name, () => `FAILOVER: writes wait for ${ip}:${port} to reach ${redis.data.offset}`);
    redis.replicas.ping();
    redis.context.loop.after(timeout_ms, () =>
      redis.gate.pass(() => {
        if (generation === this.#generation && this.state === 'waiting-for-sync') this.end();
      }),
    );
    return OK;
  }

  abort(): Reply {
    if (this.state === 'no-failover') return new ErrorReply('ERR No failover in progress.');
    if (this.state === 'failover-in-progress') this.redis.becomeMaster(false);
    this.end();
    return OK;
  }

  /** Gives up or is through: writes go on, if this is still a master. */
  end(): void {
    this.#generation += 1;
    this.state = 'no-failover';
    this.#target = null;
    this.redis.clients.resume();
  }

  onAck(replica: Replica): void {
    const target = this.#target;
    if (this.state !== 'waiting-for-sync' || target === null) return;
    if (replica.ip !== target.ip || replica.port !== target.port || replica.acked !== this.redis.data.offset) return;
    this.state = 'failover-in-progress';
    this.redis.context.note(2, this.redis.name, () => `FAILOVER: hands over to ${target.ip}:${target.port}`);
    this.redis.follow(target, true);
  }

  /** We are the target: the master asks us to take its place. @returns false when we cannot. */
  takeOver(message: Extract<Message, { kind: 'psync' }>): boolean {
    const { redis } = this;
    const { following, data } = redis;
    if (redis.role !== 'replica' || following === null || message.replid !== data.replid) return false;
    if (following.ip !== message.ip || following.port !== message.port) return false;
    redis.becomeMaster(true);
    return true;
  }

  completed(): void {
    if (this.state === 'failover-in-progress') this.end();
  }

  refused(): void {
    if (this.state !== 'failover-in-progress') return;
    this.redis.becomeMaster(false);
    this.end();
  }
}
