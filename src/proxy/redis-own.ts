/** Commands that the proxy answers itself, or brings to every server. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Client } from './forward/client.js';
import { type JoinKind, splitCursor } from './forward/join-replies.js';
import { laneOf } from './forward/lane.js';
import type { ServerLink } from './forward/server-link.js';
import type { Shard } from './forward/shard.js';
import {
  bulk,
  encodeRequest,
  REPLY_EMPTY_ARRAY,
  REPLY_NIL,
  REPLY_NULL_3,
  REPLY_OK,
  REPLY_PONG,
  verbatim,
} from './redis-encode.js';
import {
  errorReply,
  HELLO_NOT_AUTHENTICATED,
  NO_PASSWORD_SET,
  NOTHING_TO_AUTHENTICATE,
  WRONG_PAIR,
  WRONG_PASSWORD,
  wrongArguments,
} from './redis-errors.js';
import { infoText } from './redis-info.js';
import { slowLogReply } from './redis-slow-log.js';
import { subscribe } from './redis-subscriber.js';
import { type Request, type RequestPath, refuse, requestOf } from './redis-taken.js';
import type { RedisTransactions } from './redis-transactions.js';

/** @returns false when the client was halted and the request must be taken again. */
export type OwnCommand = (path: RequestPath, request: Request) => boolean;
export type OwnCommands = ReadonlyMap<string, OwnCommand>;

function argument(request: Request, i: number): Buffer {
  return request.bytes.subarray(request.frame.argStart(i), request.frame.argEnd(i));
}

function word(request: Request, i: number): string {
  return request.frame.argText(request.bytes, i).toLowerCase();
}

function reply(request: Request, bytes: Buffer): boolean {
  request.client.answer(bytes);
  return true;
}

const EMPTY_MAP = Buffer.from('%0\r\n');

function nil({ client }: Request): Buffer {
  return client.resp3 ? REPLY_NULL_3 : REPLY_NIL;
}

function badCount(request: Request): boolean {
  return reply(request, errorReply(wrongArguments(request.name)));
}

/** Sends the same request to these shards and joins the replies. */
function fanOut(path: RequestPath, request: Request, shards: readonly Shard[], kind: JoinKind, bytes: Buffer): boolean {
  const { client, id } = request;
  const links: ServerLink[] = [];
  for (const shard of shards) {
    const link = path.linkOrWait(client, shard, id);
    if (link === 'wait') return false;
    if (link === null) return refuse(client, errorReply(shard.waitError));
    links.push(link);
  }
  const who = path.pool.joins.begin(client.slot, client.claim(), kind, links.length);
  links.forEach((link, fragment) => {
    link.send(who, fragment, id, bytes, 0, bytes.length);
  });
  return true;
}

function everywhere(kind: JoinKind): OwnCommand {
  return (path, request) => fanOut(path, request, path.pool.shards, kind, requestOf(request));
}

function ping(_path: RequestPath, request: Request): boolean {
  if (request.frame.argc > 2) return badCount(request);
  return reply(request, request.frame.argc === 2 ? bulk(argument(request, 1)) : REPLY_PONG);
}

function echo(_path: RequestPath, request: Request): boolean {
  return request.frame.argc === 2 ? reply(request, bulk(argument(request, 1))) : badCount(request);
}

function quit(_path: RequestPath, { client }: Request): boolean {
  client.answer(REPLY_OK);
  client.halt('closing');
  return true;
}

/** Null when user and password are right, else the error. */
function login(path: RequestPath, client: Client, user: string | null, password: Buffer): Buffer | null {
  const { users, config } = path.pool;
  if (users !== null) {
    if (user === null && users.first !== null) return NOTHING_TO_AUTHENTICATE;
    const found = users.login(user ?? 'default', password.toString());
    if (found === null) return WRONG_PAIR;
    client.login(found);
    return null;
  }
  const { redisAuth } = config;
  if (redisAuth === null) return user === null ? NO_PASSWORD_SET : null;
  if (!isSame(redisAuth, password) || (user !== null && user !== 'default')) return WRONG_PASSWORD;
  client.login(null);
  return null;
}

/** Compares without telling by its duration how much of a guess was right. */
function isSame(secret: string, guess: Buffer): boolean {
  const digest = (value: string | Buffer): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(secret), digest(guess));
}

function auth(path: RequestPath, request: Request): boolean {
  const { argc } = request.frame;
  if (argc < 2) return badCount(request);
  if (argc > 3) return reply(request, errorReply('ERR syntax error'));
  const user = argc === 3 ? argument(request, 1).toString() : null;
  return reply(request, login(path, request.client, user, argument(request, argc - 1)) ?? REPLY_OK);
}

/** Under RESP3, replies come over connections on which the servers speak it too, as they are. */
function hello(path: RequestPath, request: Request): boolean {
  const { frame, client } = request;
  const version = frame.argc > 1 ? word(request, 1) : client.resp3 ? '3' : '2';
  if (version !== '2' && version !== '3') {
    return reply(request, errorReply('NOPROTO unsupported protocol version'));
  }
  const changes = client.resp3 !== (version === '3');
  if (changes && client.transaction !== null) {
    return reply(request, errorReply('ERR a change of the protocol is not served with watched keys'));
  }
  if (changes && client.subscription !== null) {
    return reply(request, errorReply('ERR a change of the protocol is not served with subscriptions'));
  }
  // What comes behind it goes over another connection, and must not overtake what came before.
  if (changes && !path.alone(client)) return false;
  const problem = helloOptions(path, request);
  if (problem !== null) return reply(request, problem);
  if (!client.authenticated) return reply(request, HELLO_NOT_AUTHENTICATED);
  client.resp3 = version === '3';
  return reply(request, helloReply(client));
}

/** The error in what stands behind the version, or null; AUTH is carried out. */
function helloOptions(path: RequestPath, request: Request): Buffer | null {
  const { frame, client } = request;
  for (let i = 2; i < frame.argc; ) {
    const option = word(request, i);
    if (option === 'auth' && i + 2 < frame.argc) {
      const refusal = login(path, client, argument(request, i + 1).toString(), argument(request, i + 2));
      if (refusal !== null) return refusal;
      i += 3;
    } else if (option === 'setname' && i + 1 < frame.argc) {
      i += 2;
    } else {
      return errorReply(`ERR Syntax error in HELLO option '${option}'`);
    }
  }
  return null;
}

function helloReply({ slot, resp3 }: Client): Buffer {
  const proto = resp3 ? 3 : 2;
  const fields = ['server', 'redis', 'version', '7.0.0', 'proto', proto, 'id', slot + 1, 'mode', 'standalone'];
  const rest = ['role', 'master', 'modules'];
  const parts = [...fields, ...rest].map((f) => (typeof f === 'number' ? Buffer.from(`:${f}\r\n`) : bulk(f)));
  const pairs = (parts.length + 1) / 2;
  const header = Buffer.from(resp3 ? `%${pairs}\r\n` : `*${pairs * 2}\r\n`);
  return Buffer.concat([header, ...parts, REPLY_EMPTY_ARRAY]);
}

function select(path: RequestPath, request: Request): boolean {
  if (request.frame.argc !== 2) return badCount(request);
  const { client } = request;
  const db = Number(word(request, 1));
  if (!/^\d{1,6}$/.test(word(request, 1))) return reply(request, errorReply('ERR invalid DB index'));
  if (db === client.db) return reply(request, REPLY_OK);
  if (!path.alone(client)) return false;
  // The servers decide whether they have this database: asked over connections that use it from then on.
  const before = client.db;
  client.db = db;
  const taken = fanOut(path, request, path.pool.shards, { type: 'first' }, encodeRequest(['SELECT', String(db)]));
  if (!taken) client.db = before;
  else client.halt('alone');
  return taken;
}

function time(_path: RequestPath, request: Request): boolean {
  const now_us = Math.round((performance.timeOrigin + performance.now()) * 1000);
  const seconds = Math.floor(now_us / 1e6);
  return reply(request, encodeRequest([String(seconds), String(now_us - seconds * 1e6)]));
}

/** Enough for libraries that introduce themselves; what concerns one server's clients is not here. */
function client(_path: RequestPath, request: Request): boolean {
  const sub = request.frame.argc > 1 ? word(request, 1) : '';
  switch (sub) {
    case 'setname':
    case 'setinfo':
    case 'no-evict':
    case 'no-touch':
      return reply(request, REPLY_OK);
    case 'getname':
      return reply(request, nil(request));
    case 'id':
      return reply(request, Buffer.from(`:${request.client.slot + 1}\r\n`));
    default:
      return reply(request, errorReply(`ERR 'client ${sub}' is not served: it addresses one server's connections`));
  }
}

/** Libraries look commands up in it; an empty answer makes them rely on what they know. */
function command(path: RequestPath, request: Request): boolean {
  if (request.frame.argc > 1 && word(request, 1) === 'docs') {
    return reply(request, request.client.resp3 ? EMPTY_MAP : REPLY_EMPTY_ARRAY);
  }
  const [first] = path.pool.shards;
  return first === undefined ? reply(request, REPLY_EMPTY_ARRAY) : path.toShard(request, first);
}

/** Who the client is; users are kept in the configuration file. */
function acl(_path: RequestPath, request: Request): boolean {
  if (request.frame.argc === 2 && word(request, 1) === 'whoami') {
    return reply(request, bulk(request.client.user?.name ?? 'default'));
  }
  return reply(request, errorReply("ERR of 'acl', only WHOAMI is served: users are kept in the proxy's configuration"));
}

function info({ pool }: RequestPath, request: Request): boolean {
  const sections = Array.from({ length: request.frame.argc - 1 }, (_, i) => word(request, i + 1));
  const text = infoText(pool, sections);
  return reply(request, request.client.resp3 ? verbatim(text) : bulk(text));
}

function slowLog({ pool }: RequestPath, request: Request): boolean {
  const args = Array.from({ length: request.frame.argc - 1 }, (_, i) => word(request, i + 1));
  return reply(request, slowLogReply(pool, args));
}

function scan(path: RequestPath, request: Request): boolean {
  if (request.frame.argc < 2) return badCount(request);
  const { shards } = path.pool;
  if (!/^\d{1,24}$/.test(word(request, 1))) return reply(request, errorReply('ERR invalid cursor'));
  const { shard, cursor } = splitCursor(BigInt(word(request, 1)), shards.length);
  const target = shards[shard];
  if (target === undefined) return reply(request, errorReply('ERR invalid cursor'));
  const args = ['SCAN', String(cursor)];
  const rest = Array.from({ length: request.frame.argc - 2 }, (_, i) => argument(request, i + 2));
  const kind: JoinKind = { type: 'scan', shard, shards: shards.length };
  return fanOut(path, request, [target], kind, encodeRequest([...args, ...rest]));
}

function script(path: RequestPath, request: Request): boolean {
  const sub = request.frame.argc > 1 ? word(request, 1) : '';
  switch (sub) {
    case 'load':
    case 'flush':
      return everywhere({ type: 'first' })(path, request);
    case 'exists':
      return everywhere({ type: 'all' })(path, request);
    default:
      return reply(request, errorReply(`ERR 'script ${sub}' is not served: it addresses one server`));
  }
}

/** Back to the state of a new connection. */
function reset(path: RequestPath, request: Request): boolean {
  if (!path.alone(request.client)) return false;
  const { client: who } = request;
  who.returnLink();
  who.subscription?.end();
  who.transaction = null;
  who.lane = laneOf(path.pool.config.redisDb, false);
  who.loginAnew();
  return reply(request, Buffer.from('+RESET\r\n'));
}

/** Replicas are not this connection's matter: a client that asks for their acknowledgement must ask a server. */
function wait(_path: RequestPath, request: Request): boolean {
  return reply(request, errorReply("ERR 'wait' is not served: it speaks of one connection's writes on one server"));
}

function publish(path: RequestPath, request: Request): boolean {
  if (request.frame.argc !== 3) return badCount(request);
  return toFirst(path, request);
}

/** Subscriptions and what is published meet on the first shard: a pattern may match channels of any name. */
function toFirst(path: RequestPath, request: Request): boolean {
  const [first] = path.pool.shards;
  return first !== undefined && path.toShard(request, first);
}

function enterSubscription(path: RequestPath, request: Request): boolean {
  const [first] = path.pool.shards;
  return first !== undefined && subscribe(path, first, request);
}

/** Redis answers it even to a client without a subscription. */
function leaveNothing(_path: RequestPath, request: Request): boolean {
  const header = Buffer.from(request.client.resp3 ? '>3\r\n' : '*3\r\n');
  return reply(request, Buffer.concat([header, bulk(request.name), nil(request), Buffer.from(':0\r\n')]));
}

export function ownCommands(transactions: RedisTransactions): OwnCommands {
  const ok: OwnCommand = (_path, request) => reply(request, REPLY_OK);
  return new Map<string, OwnCommand>([
    ['acl', acl],
    ['auth', auth],
    ['client', client],
    ['command', command],
    ['dbsize', everywhere({ type: 'sum' })],
    ['echo', echo],
    ['flushall', everywhere({ type: 'first' })],
    ['flushdb', everywhere({ type: 'first' })],
    ['hello', hello],
    ['info', info],
    ['keys', everywhere({ type: 'concat' })],
    ['ping', ping],
    ['psubscribe', enterSubscription],
    ['publish', publish],
    ['pubsub', toFirst],
    ['punsubscribe', leaveNothing],
    ['subscribe', enterSubscription],
    ['unsubscribe', leaveNothing],
    ['quit', quit],
    ['randomkey', everywhere({ type: 'any' })],
    ['readonly', ok],
    ['readwrite', ok],
    ['reset', reset],
    ['scan', scan],
    ['script', script],
    ['select', select],
    ['slowlog', slowLog],
    ['time', time],
    ['wait', wait],
    ['multi', (_path, request) => transactions.multi(request)],
    ['exec', (_path, request) => transactions.exec(request)],
    ['discard', (_path, request) => transactions.discard(request)],
    ['watch', (_path, request) => transactions.watch(request)],
    ['unwatch', (_path, request) => transactions.unwatch(request)],
  ]);
}
