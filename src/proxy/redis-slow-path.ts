/** Requests that need more than one key's server: several keys, no key, a connection of their own, or an answer here. */
import { keyPlaces, mayBlock } from './commands/keys.js';
import { COMMANDS, type Command } from './commands/table.js';
import type { Client } from './forward/client.js';
import type { Pool } from './forward/pool.js';
import type { ServerLink } from './forward/server-link.js';
import type { Shard } from './forward/shard.js';
import type { RedisRequestFrame } from './framing/redis-request.js';
import { encodeArguments } from './redis-encode.js';
import { crossShard, errorReply, NOT_AUTHENTICATED, NOT_LOGGED_IN, tooManyConnections } from './redis-errors.js';
import { type OwnCommands, ownCommands } from './redis-own.js';
import { requestDenial } from './redis-permission.js';
import { splitByShard } from './redis-split.js';
import { RedisSubscriber } from './redis-subscriber.js';
import { type Request, type RequestPath, refuse, requestOf } from './redis-taken.js';
import { RedisTransactions } from './redis-transactions.js';

/** These are answered before a client has authenticated. */
const BEFORE_AUTH = new Set(['auth', 'hello', 'quit', 'reset']);
/** These are carried out at once inside MULTI; all others are queued. */
const INSIDE_MULTI = new Set(['exec', 'discard', 'multi', 'watch', 'quit', 'reset']);

export class RedisSlowPath implements RequestPath {
  readonly #pool: Pool;
  readonly #own: OwnCommands;
  readonly #transactions: RedisTransactions;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#transactions = new RedisTransactions(this);
    this.#own = ownCommands(this.#transactions);
  }

  get pool(): Pool {
    return this.#pool;
  }

  /** Takes the request in `frame`. @returns false when the client was halted and the request must be taken again. */
  take(client: Client, bytes: Buffer, start: number, framed: RedisRequestFrame, id: number): boolean {
    if (framed.argc === 0) return true;
    const command = COMMANDS.command(id);
    const request: Request = { client, bytes, start, frame: framed, id, name: framed.argText(bytes, 0).toLowerCase() };
    if (!client.authenticated && !BEFORE_AUTH.has(command?.name ?? '')) {
      return refuse(client, this.#pool.users === null ? NOT_AUTHENTICATED : NOT_LOGGED_IN);
    }
    if (client.user !== null && !client.user.free && !BEFORE_AUTH.has(request.name)) {
      const denial = requestDenial(client.user, request, command);
      if (denial !== null) return this.#deny(client, denial);
    }
    if (client.subscription instanceof RedisSubscriber && client.subscription.takes(request)) {
      return client.subscription.take(request);
    }
    if (client.transaction?.open === true && !INSIDE_MULTI.has(request.name)) {
      return this.#transactions.queue(request, command);
    }
    return command === undefined ? this.#unknown(request) : this.#bring(request, command);
  }

  #deny(client: Client, why: string): boolean {
    if (client.transaction?.open === true) client.transaction.broken ??= 'of previous errors';
    return refuse(client, errorReply(why));
  }

  /** Commands of modules, such as JSON.GET, have a dot and a key behind their name, by convention. */
  #unknown(request: Request): boolean {
    const { client, frame, name } = request;
    if (!name.includes('.') || frame.argc < 2) return refuse(client, errorReply(`ERR unknown command '${name}'`));
    return this.toKeys(request, [1]);
  }

  #bring(request: Request, command: Command): boolean {
    const { client, bytes, frame } = request;
    const { handling } = command;
    switch (handling.kind) {
      case 'refused':
        return refuse(client, errorReply(`ERR '${command.name}' is not served: ${handling.reason}`));
      case 'own': {
        const own = this.#own.get(command.name);
        return own === undefined
          ? refuse(client, errorReply(`ERR '${command.name}' is not served`))
          : own(this, request);
      }
      case 'split':
        return this.#split(request, command, handling.join);
      case 'one-key':
      case 'range':
      case 'counted':
      case 'may-store':
      case 'streams': {
        const found = keyPlaces(command, bytes, frame);
        if ('problem' in found) return refuse(client, errorReply(found.problem));
        if (mayBlock(command, bytes, frame)) return this.#toOwnLink(request, found.places);
        return this.toKeys(request, found.places);
      }
    }
  }

  /** The one shard that holds these keys, or null after the client has been told that there is none. */
  #shardOfAll(request: Request, places: readonly number[]): Shard | null {
    const { client, bytes, frame, name } = request;
    const shards = new Set(places.map((i) => this.#pool.shardOf(bytes, frame.argStart(i), frame.argEnd(i))));
    // Without a key, e.g. EVAL with 0 keys, any server will do, but always the same.
    const [only = this.#pool.shards[0]] = shards;
    if (shards.size <= 1 && only !== undefined) return only;
    refuse(client, errorReply(crossShard(name, shards.size)));
    return null;
  }

  /** Forwards a request as it is to the shard that holds all of its keys. */
  toKeys(request: Request, places: readonly number[]): boolean {
    const shard = this.#shardOfAll(request, places);
    return shard === null || this.toShard(request, shard);
  }

  toShard(request: Request, shard: Shard): boolean {
    const { client, bytes, start, frame, id } = request;
    const link = this.linkOrWait(client, shard, id);
    if (link === 'wait') return false;
    if (link === null) return refuse(client, errorReply(shard.waitError));
    const seq = client.claim();
    if (frame.inline) {
      const plain = requestOf(request);
      link.send(client.slot, seq, id, plain, 0, plain.length);
    } else {
      link.send(client.slot, seq, id, bytes, start, frame.end);
    }
    return true;
  }

  linkOrWait(client: Client, shard: Shard, id: number): ServerLink | 'wait' | null {
    const link = shard.linkFor(client, id);
    if (link === null) {
      client.halt('alone');
      return 'wait';
    }
    if (link.accepts) return link;
    return this.#pool.mustWait(client, shard) ? 'wait' : null;
  }

  /** Commands that may block keep nobody waiting but their own client. */
  #toOwnLink(request: Request, places: readonly number[]): boolean {
    const { client, id } = request;
    if (!this.alone(client)) return false;
    const shard = this.#shardOfAll(request, places);
    if (shard === null) return true;
    const link = this.ownLinkOrWait(client, shard);
    if (link === 'wait') return false;
    if (typeof link === 'string') return refuse(client, errorReply(link));
    const bytes = requestOf(request);
    link.send(client.slot, client.claim(), id, bytes, 0, bytes.length);
    // What comes behind it must not overtake it.
    client.blocking = true;
    client.halt('alone');
    return true;
  }

  /** A connection for this client alone; 'wait' when it must wait; any other text is an error. */
  ownLinkOrWait(client: Client, shard: Shard): ServerLink | string {
    if (!shard.open) return this.#pool.mustWait(client, shard) ? 'wait' : shard.waitError;
    return client.borrowLink(shard) ?? tooManyConnections(shard.config.label);
  }

  /** True when all earlier requests are answered; else the client is halted until they are. */
  alone(client: Client): boolean {
    if (client.inFlight === 0) return true;
    client.halt('alone');
    return false;
  }

  #split(request: Request, command: Command, join: 'values' | 'all-ok' | 'sum'): boolean {
    const { client, bytes, frame, id } = request;
    const parts = splitByShard(this.#pool, bytes, frame, join === 'all-ok' ? 2 : 1);
    if (typeof parts === 'string') return refuse(client, errorReply(parts.replace('%s', command.name)));
    const [only] = parts.shards;
    if (parts.shards.length === 1 && only !== undefined) return this.toShard(request, only.shard);
    const links: ServerLink[] = [];
    for (const { shard } of parts.shards) {
      const link = this.linkOrWait(client, shard, id);
      if (link === 'wait') return false;
      if (link === null) return refuse(client, errorReply(shard.waitError));
      links.push(link);
    }
    const kind = join === 'values' ? ({ type: 'values', fragmentOf: parts.fragmentOf } as const) : undefined;
    const type = join === 'sum' ? 'sum' : 'first';
    const who = this.#pool.joins.begin(client.slot, client.claim(), kind ?? { type }, parts.shards.length);
    parts.shards.forEach(({ indexes }, fragment) => {
      const part = encodeArguments(command.name, bytes, frame, indexes);
      links[fragment]?.send(who, fragment, id, part, 0, part.length);
    });
    return true;
  }
}
