/** MULTI, EXEC, DISCARD, WATCH and UNWATCH, for transactions whose keys are all on one shard. */
import { keyPlaces } from './commands/keys.js';
import type { Command } from './commands/table.js';
import { NOBODY } from './forward/pending.js';
import { Transaction } from './forward/transaction.js';
import {
  encodeRequest,
  REPLY_EMPTY_ARRAY,
  REPLY_NIL_ARRAY,
  REPLY_NULL_3,
  REPLY_OK,
  REPLY_QUEUED,
} from './redis-encode.js';
import { errorReply, wrongArguments } from './redis-errors.js';
import { type Request, type RequestPath, refuse, requestOf } from './redis-taken.js';

const MULTI = encodeRequest(['MULTI']);
const EXEC = encodeRequest(['EXEC']);
const UNWATCH = encodeRequest(['UNWATCH']);

export class RedisTransactions {
  readonly #path: RequestPath;

  constructor(path: RequestPath) {
    this.#path = path;
  }

  multi({ client, frame, name }: Request): boolean {
    if (frame.argc !== 1) return refuse(client, errorReply(wrongArguments(name)));
    client.transaction ??= new Transaction();
    if (client.transaction.open) return refuse(client, errorReply('ERR MULTI calls can not be nested'));
    client.transaction.open = true;
    client.plain = false;
    return refuse(client, REPLY_OK);
  }

  /** A command inside MULTI. */
  queue(request: Request, command: Command | undefined): boolean {
    const { client, bytes, frame, name } = request;
    const { transaction } = client;
    if (transaction === null) return refuse(client, errorReply('ERR no transaction'));
    const problem = this.#problem(request, command) ?? this.#placeKeys(request, command, transaction);
    const full =
      problem === null
        ? transaction.add(requestOf({ client, bytes, frame, name, start: request.start, id: request.id }))
        : null;
    const error = problem ?? full;
    if (error === null) return refuse(client, REPLY_QUEUED);
    transaction.broken = 'of previous errors';
    return refuse(client, errorReply(error));
  }

  #problem({ name }: Request, command: Command | undefined): string | null {
    if (command === undefined) return name.includes('.') ? null : `ERR unknown command '${name}'`;
    const { kind } = command.handling;
    if (kind === 'refused' || (kind === 'own' && name !== 'ping' && name !== 'echo' && name !== 'time')) {
      return `ERR '${name}' is not served inside MULTI by the proxy`;
    }
    return null;
  }

  #placeKeys(request: Request, command: Command | undefined, transaction: Transaction): string | null {
    const { bytes, frame } = request;
    const found = command === undefined ? { places: [1] } : keyPlaces(command, bytes, frame);
    if ('problem' in found) return found.problem;
    for (const i of found.places) {
      const shard = this.#path.pool.shardOf(bytes, frame.argStart(i), frame.argEnd(i));
      transaction.shard ??= shard;
      if (shard !== transaction.shard) {
        return `ERR all keys of a transaction must be on one shard, and this one is on '${shard.config.label}', not on '${transaction.shard.config.label}'`;
      }
    }
    return null;
  }

  exec({ client, id }: Request): boolean {
    const { transaction } = client;
    if (transaction === null || !transaction.open) return refuse(client, errorReply('ERR EXEC without MULTI'));
    if (transaction.broken !== null) {
      const { broken } = transaction;
      client.endTransaction();
      // A transaction whose watched keys cannot be checked has failed as if one had changed.
      if (broken !== 'of previous errors') return refuse(client, client.resp3 ? REPLY_NULL_3 : REPLY_NIL_ARRAY);
      return refuse(client, errorReply(`EXECABORT Transaction discarded because ${broken}.`));
    }
    const { shard } = transaction;
    if (shard === null) {
      const keyless = transaction.count > 0;
      client.endTransaction();
      return refuse(
        client,
        keyless ? errorReply('ERR a transaction through the proxy needs a key') : REPLY_EMPTY_ARRAY,
      );
    }
    const link = transaction.watching ?? this.#path.linkOrWait(client, shard, id);
    if (link === 'wait') return false;
    if (link === null) {
      client.endTransaction();
      return refuse(client, errorReply(shard.waitError));
    }
    // The replies to MULTI and to each command say nothing that the client has not been told.
    link.sendTogether(client.slot, client.claim(), id, [MULTI, ...transaction.commands, EXEC]);
    client.endTransaction();
    return true;
  }

  discard({ client }: Request): boolean {
    const { transaction } = client;
    if (transaction === null || !transaction.open) return refuse(client, errorReply('ERR DISCARD without MULTI'));
    this.#unwatchServer(transaction);
    client.endTransaction();
    return refuse(client, REPLY_OK);
  }

  /** Watched keys belong to a connection, so the client gets one of its own until the transaction is over. */
  watch(request: Request): boolean {
    const { client, bytes, frame, id, name } = request;
    if (frame.argc < 2) return refuse(client, errorReply(wrongArguments(name)));
    if (client.transaction?.open === true) return refuse(client, errorReply('ERR WATCH inside MULTI is not allowed'));
    if (!this.#path.alone(client)) return false;
    const transaction = client.transaction ?? new Transaction();
    for (let i = 1; i < frame.argc; i++) {
      const shard = this.#path.pool.shardOf(bytes, frame.argStart(i), frame.argEnd(i));
      transaction.shard ??= shard;
      if (shard === transaction.shard) continue;
      return refuse(client, errorReply('ERR all watched keys and all keys of the transaction must be on one shard'));
    }
    if (transaction.shard === null) return refuse(client, errorReply(wrongArguments(name)));
    const link = transaction.watching ?? this.#path.ownLinkOrWait(client, transaction.shard);
    if (link === 'wait') return false;
    if (typeof link === 'string') return refuse(client, errorReply(link));
    transaction.watching = link;
    client.transaction = transaction;
    const whole = requestOf(request);
    link.send(client.slot, client.claim(), id, whole, 0, whole.length);
    // Reads that follow go over another connection, and must not come before the watch.
    client.halt('alone');
    return true;
  }

  unwatch({ client }: Request): boolean {
    const { transaction } = client;
    if (transaction !== null) this.#unwatchServer(transaction);
    if (transaction?.open !== true) client.endTransaction();
    return refuse(client, REPLY_OK);
  }

  #unwatchServer(transaction: Transaction): void {
    transaction.watching?.send(NOBODY, 0, 0, UNWATCH, 0, UNWATCH.length);
  }
}
