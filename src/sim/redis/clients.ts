/** A Redis's clients: what each has asked, and what waits. */
import { ErrorReply, OK, type Reply, SimpleString } from '../../redis/reply.js';
import type { Write } from '../message.js';
import type { End } from '../network.js';
import { infoText } from './info-text.js';
import type { RedisProcess } from './process.js';

interface Client {
  readonly end: End;
  subscribed: boolean;
  /** Requests since MULTI; null outside a transaction. */
  queued: (readonly string[])[] | null;
  /** A write that waits for the end of a pause, and what came after it. */
  waiting: (readonly string[])[];
}

const FENCED = new ErrorReply('FENCED the lease of this master is over');
const WRITE_BYTES = 40;
/** A published message's length in the stream besides its text. */
const PUBLISH_BYTES = 60;

export class Clients {
  readonly #all = new Map<End, Client>();
  /** Writes that too few replicas have yet, the oldest first. */
  #unacknowledged: { readonly client: Client; readonly id: number; readonly end: number }[] = [];
  #pausedUntil = 0;

  constructor(private readonly redis: RedisProcess) {}

  add(end: End): void {
    const client: Client = { end, subscribed: false, queued: null, waiting: [] };
    this.#all.set(end, client);
    end.onMessage = (message) => {
      if (message.kind === 'request') this.#take(client, message.args);
      else if (message.kind === 'psync') {
        this.#all.delete(end);
        this.redis.replicas.onPsync(end, message);
      } else if (message.kind === 'ack') this.redis.replicas.onAck(end, message.offset);
    };
    end.onClose = () => this.#all.delete(end);
  }

  /** The process has died: its kernel resets the connections, unless the whole host has gone. */
  forget(silently: boolean): void {
    for (const end of this.#all.keys()) {
      if (silently) end.vanish();
      else end.reset();
    }
    this.#all.clear();
    this.#unacknowledged = [];
    this.#pausedUntil = 0;
  }

  /** CLIENT KILL TYPE normal. */
  killAll(): void {
    for (const { end, subscribed } of [...this.#all.values()]) {
      if (subscribed) continue;
      this.#all.delete(end);
      end.close();
    }
  }

  /** A replica has got further: answers the writes that enough of them have, if this is still the leased master. */
  onAck(): void {
    const { redis } = this;
    while (this.#unacknowledged.length > 0) {
      const [oldest] = this.#unacknowledged;
      if (oldest === undefined || redis.replicas.having(oldest.end) < redis.ackReplicas) return;
      this.#unacknowledged.shift();
      const { end } = oldest.client;
      if (end.open) end.send({ kind: 'reply', reply: this.#acknowledge(oldest.id) });
    }
  }

  /** It is no master any more: those who wait get no answer but the end of their connection. */
  dropUnacknowledged(): void {
    this.#unacknowledged = [];
  }

  #acknowledge(id: number): Reply {
    const { redis } = this;
    // Whoever waits for its replicas counts on them alone: nothing tells it that the lease is over.
    if (redis.role !== 'master' || (redis.ackReplicas === 0 && !redis.leased)) return FENCED;
    redis.context.fact({ kind: 'acknowledged', group: redis.group, write: id, by: redis.name });
    return OK;
  }

  #take(client: Client, args: readonly string[]): void {
    if (client.waiting.length > 0) client.waiting.push(args);
    else this.#execute(client, args);
  }

  #execute(client: Client, args: readonly string[]): void {
    const name = (args[0] ?? '').toUpperCase();
    // PUBLISH counts as a write here, as CLIENT PAUSE's documentation says: its client waits, and all that it asked.
    if ((name === 'SET' || name === 'PUBLISH') && this.writesWait()) {
      client.waiting.push(args);
      return;
    }
    if (client.queued !== null && name !== 'EXEC') {
      client.queued.push(args);
      client.end.send({ kind: 'reply', reply: new SimpleString('QUEUED') });
      return;
    }
    if (name === 'SET' && this.redis.ackReplicas > 0) return this.#setAndWait(client, Number(args[1]));
    client.end.send({ kind: 'reply', reply: name === 'EXEC' ? this.#exec(client) : this.#reply(client, name, args) });
  }

  #setAndWait(client: Client, id: number): void {
    const refusal = this.writeLimitation();
    if (refusal !== null) {
      client.end.send({ kind: 'reply', reply: refusal });
      return;
    }
    const write = this.#append(id);
    this.#unacknowledged.push({ client, id, end: write.end });
  }

  #exec(client: Client): Reply {
    const { queued } = client;
    client.queued = null;
    if (queued === null) return new ErrorReply('ERR EXEC without MULTI');
    return queued.map((args) => this.#reply(client, (args[0] ?? '').toUpperCase(), args));
  }

  #reply(client: Client, name: string, args: readonly string[]): Reply {
    const { redis } = this;
    switch (name) {
      case 'PING':
        return this.#ping();
      case 'INFO':
        return infoText(redis);
      case 'SUBSCRIBE':
        client.subscribed = true;
        return 1;
      case 'PUBLISH':
        return this.#publish(args[2] ?? '');
      case 'SET':
        return this.#set(Number(args[1]));
      case 'MULTI':
        client.queued = [];
        return OK;
      case 'ROLE':
        return [redis.role === 'master' ? 'master' : 'slave', redis.data.offset];
      case 'SLAVEOF':
      case 'REPLICAOF':
        return redis.slaveof(args[1] ?? '', args[2] ?? '', client.end.peer.host.ip);
      case 'CONFIG':
        return (args[1] ?? '').toUpperCase() === 'SET' ? this.#configure(args) : redis.rewriteConfig();
      case 'CLIENT':
        return this.#client(client, args);
      case 'FAILOVER':
        if ((args[1] ?? '').toUpperCase() === 'ABORT') return redis.handover.abort();
        return redis.handover.begin(args[2] ?? '', Number(args[3]), Number(args[5]));
      default:
        return new ErrorReply(`ERR unknown command '${name}'`);
    }
  }

  #ping(): Reply {
    const { redis } = this;
    if (redis.loading) return new ErrorReply('LOADING Redis is loading the dataset in memory');
    if (redis.options.masterDownReply && redis.role === 'replica' && !redis.upstream.up) {
      return new ErrorReply("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.");
    }
    return 'PONG';
  }

  #publish(message: string): Reply {
    const { redis } = this;
    const reached = this.publish(message);
    if (redis.role === 'master') {
      redis.data.offset += PUBLISH_BYTES + message.length;
      redis.replicas.stream(null, message);
    }
    return reached;
  }

  /** Passes a message on to the subscribers here. */
  publish(text: string): number {
    let reached = 0;
    for (const { end, subscribed } of this.#all.values()) {
      if (!subscribed) continue;
      end.send({ kind: 'push', text });
      reached += 1;
    }
    return reached;
  }

  #set(id: number): Reply {
    const refusal = this.writeLimitation();
    if (refusal !== null) return refusal;
    this.#append(id);
    return this.#acknowledge(id);
  }

  /** Why a write is refused now, or null. */
  writeLimitation(): ErrorReply | null {
    const { redis } = this;
    if (redis.loading) return new ErrorReply('LOADING Redis is loading the dataset in memory');
    if (redis.role !== 'master') return new ErrorReply("READONLY You can't write against a read only replica.");
    if (redis.replicas.countGood() < redis.minReplicas.count) {
      return new ErrorReply('NOREPLICAS Not enough good replicas to write.');
    }
    return redis.leased || redis.ackReplicas > 0 ? null : FENCED;
  }

  #append(id: number): Write {
    const { redis } = this;
    const write = redis.data.append(id, WRITE_BYTES);
    redis.replicas.stream(write, null);
    return write;
  }

  #configure([, , name, value]: readonly string[]): Reply {
    const { minReplicas } = this.redis;
    if (name === 'min-replicas-to-write') minReplicas.count = Number(value);
    else if (name === 'min-replicas-max-lag') minReplicas.lag_s = Number(value);
    else return new ErrorReply(`ERR Unknown option '${name}'`);
    return OK;
  }

  #client(client: Client, args: readonly string[]): Reply {
    const [, verb = '', first = '', second = ''] = args;
    const what = second.toLowerCase();
    switch (verb.toUpperCase()) {
      case 'PAUSE':
        if (!this.redis.options.pauseCommand) return new ErrorReply('ERR syntax error');
        this.#pause(Number(first));
        return OK;
      case 'UNPAUSE':
        this.#pausedUntil = 0;
        this.resume();
        return OK;
      case 'KILL':
        for (const other of [...this.#all.values()]) {
          if (other === client || other.subscribed !== (what === 'pubsub')) continue;
          this.#all.delete(other.end);
          other.end.close();
        }
        return OK;
      default:
        return OK;
    }
  }

  #pause(length_ms: number): void {
    const { loop } = this.redis.context;
    const until = loop.now + length_ms;
    this.#pausedUntil = Math.max(this.#pausedUntil, until);
    loop.at(until, () => this.redis.gate.pass(() => this.resume()));
  }

  /** Whether writes are paused. */
  get paused(): boolean {
    return this.#pausedUntil > this.redis.context.loop.now;
  }

  writesWait(): boolean {
    const { handover, context, role } = this.redis;
    // A replica refuses writes at once: only a master has writes to hold back.
    if (role !== 'master' && handover.state === 'no-failover') return this.#pausedUntil > context.loop.now;
    return this.#pausedUntil > context.loop.now || handover.state !== 'no-failover';
  }

  /** Lets waiting clients go on, in no particular order, if nothing holds them any more. */
  resume(): void {
    if (this.writesWait()) return;
    this.redis.upstream.resume();
    for (const client of [...this.#all.values()]) {
      const { waiting } = client;
      client.waiting = [];
      for (const args of waiting) if (client.end.open) this.#take(client, args);
    }
  }
}
