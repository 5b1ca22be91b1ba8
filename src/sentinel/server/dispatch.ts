/** From a request to its answer: what it is, whether this client may send it, who answers. */
import { randomBytes } from 'node:crypto';
import { RateLimit } from '../../observe/rate-limit.js';
import { checkRequest, denialMessage, deniedObject } from '../../redis/acl/acl-check.js';
import { runAclCommand } from '../../redis/acl/acl-command.js';
import { ErrorReply, OK, type Reply, SimpleString } from '../../redis/reply.js';
import type { Client } from './client.js';
import { clientInfo, runClientCommand } from './client-command.js';
import { runCommandCommand } from './command-command.js';
import { type CommandSpec, specFor, unknownCommand } from './command-table.js';
import type { ServerContext } from './context.js';
import { infoText } from './info.js';
import { authenticate, hello, reset } from './log-in.js';
import { pendingScripts } from './pending-scripts.js';
import { subscribe, unsubscribe } from './subscribe.js';

const PONG = new SimpleString('PONG');
const NOAUTH = new ErrorReply('NOAUTH Authentication required.');

/** What a client that is subscribed may send under RESP2, where a reply could not be told from a message. */
const SUBSCRIBER_COMMANDS: ReadonlySet<string> = new Set([
  'ping',
  'subscribe',
  'psubscribe',
  'unsubscribe',
  'punsubscribe',
  'quit',
  'reset',
]);

/** Anybody can cause this complaint. */
const COMPLAINT_PERIOD_MS = 60_000;

/** Answers requests. */
export class Dispatcher {
  readonly #context: ServerContext;
  readonly #names: CommandNames;
  readonly #httpComplaints = new RateLimit(COMPLAINT_PERIOD_MS);

  constructor(context: ServerContext, names: CommandNames) {
    this.#context = context;
    this.#names = names;
  }

  run(client: Client, request: readonly string[]): void {
    const { stats } = this.#context;
    stats.commands += 1;
    const args = this.#names.original(request);
    if (args === null) return this.#refuse(client, unknownCommand(request));
    if (isHttp(args)) return this.#turnAway(client);
    const spec = specFor(args);
    if (spec instanceof ErrorReply) return this.#refuse(client, spec);
    const refusal = this.#refusal(client, spec, args);
    if (refusal !== null) return this.#refuse(client, refusal);
    client.lastCommand = spec.name;
    this.#execute(client, args);
  }

  /** A browser was made to send commands by a page of somebody else's: nothing that follows may be carried out. */
  #turnAway(client: Client): void {
    if (this.#httpComplaints.passes(performance.now())) {
      const who = client.address;
      this.#context.log(
        'warning',
        `Possible attack: ${who} sends HTTP, as a page in a browser can be made to. It is cut off`,
      );
    }
    client.destroy();
  }

  #refuse(client: Client, why: ErrorReply): void {
    this.#context.stats.errors += 1;
    client.reply(why);
  }

  /** Why this client may not send this now, or null. */
  #refusal(client: Client, spec: CommandSpec, args: readonly string[]): ErrorReply | null {
    if (!client.authenticated) return spec.flags.includes('no_auth') ? null : NOAUTH;
    const user = this.#context.users.get(client.user);
    if (user === null) return NOAUTH;
    const denial = checkRequest(user, args);
    if (denial !== null) {
      const object = deniedObject(denial);
      const event = { reason: denial.kind, object, username: client.user, clientInfo: clientInfo(client) };
      this.#context.aclLog.add(event, performance.now());
      return new ErrorReply(denialMessage(denial));
    }
    if (client.protocol === 2 && client.subscriptions > 0 && !SUBSCRIBER_COMMANDS.has(spec.name)) {
      const allowed = '(P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET';
      return new ErrorReply(`ERR Can't execute '${spec.name}': only ${allowed} are allowed in this context`);
    }
    return null;
  }

  #execute(client: Client, args: readonly string[]): void {
    const context = this.#context;
    const [name = '', ...rest] = args;
    switch (name.toLowerCase()) {
      case 'ping':
        return this.#answer(client, ping(client, rest));
      case 'auth':
        return this.#answer(client, authenticate(context, client, rest));
      case 'hello':
        return this.#answer(client, hello(context, client, rest));
      case 'reset':
        return this.#answer(client, reset(context, client));
      case 'quit':
        client.reply(OK);
        return client.closeAfterReply();
      case 'client':
        return runClientCommand(context, client, rest);
      case 'command':
        return this.#answer(client, runCommandCommand(rest));
      case 'acl':
        return this.#acl(client, rest);
      case 'subscribe':
        return subscribe(context, client, 'channels', rest);
      case 'psubscribe':
        return subscribe(context, client, 'patterns', rest);
      case 'unsubscribe':
        return unsubscribe(context, client, 'channels', rest);
      case 'punsubscribe':
        return unsubscribe(context, client, 'patterns', rest);
      case 'info':
        return this.#answer(client, infoText(context, rest));
      case 'shutdown':
        return this.#shutdown(client, rest);
      case 'sentinel':
        if (rest[0]?.toLowerCase() === 'pending-scripts') {
          return this.#answer(client, pendingScripts(context.scripts.view()));
        }
        return context.backend.command(args, (reply) => this.#answer(client, reply));
      default:
        return context.backend.command(args, (reply) => this.#answer(client, reply));
    }
  }

  #answer(client: Client, reply: Reply): void {
    if (reply instanceof ErrorReply) this.#context.stats.errors += 1;
    client.reply(reply);
  }

  #acl(client: Client, args: readonly string[]): void {
    const { users, aclLog, aclFile } = this.#context;
    const reply = runAclCommand(args, {
      users,
      log: aclLog,
      username: client.user,
      now_ms: performance.now(),
      randomHex: (bytes) => randomBytes(bytes).toString('hex'),
      file: aclFile,
      usersChanged: () => this.#context.usersChanged(),
    });
    this.#answer(client, reply);
    if (args[0]?.toLowerCase() === 'setuser') this.#context.usersChanged();
  }

  #shutdown(client: Client, args: readonly string[]): void {
    const known = args.every((arg) => ['NOSAVE', 'SAVE', 'NOW', 'FORCE', 'ABORT'].includes(arg.toUpperCase()));
    const words = args.map((arg) => arg.toUpperCase());
    if (!known || (words.includes('SAVE') && words.includes('NOSAVE'))) {
      return this.#refuse(client, new ErrorReply('ERR syntax error'));
    }
    if (words.includes('ABORT')) {
      const why = words.length > 1 ? 'ERR syntax error' : 'ERR No shutdown in progress.';
      return this.#refuse(client, new ErrorReply(why));
    }
    // As in Redis, the closed connection is the answer.
    client.noReply();
    this.#context.shutdown();
  }
}

/** A line of an HTTP request with a body: as in Redis `POST` and `Host:` are no unknown commands, but an attack. */
function isHttp([name = '']: readonly string[]): boolean {
  return /^(post|host:)$/i.test(name);
}

/** `rename-command`: how commands are called by clients. */
export class CommandNames {
  readonly #original = new Map<string, string>();
  readonly #hidden = new Set<string>();

  /** @param renamed upper-case name to its new name; an empty one takes the command away */
  constructor(renamed: ReadonlyMap<string, string>) {
    for (const [name, to] of renamed) {
      this.#hidden.add(name.toLowerCase());
      if (to !== '') this.#original.set(to.toLowerCase(), name.toLowerCase());
    }
  }

  /** The request under the command's original name; null when nothing bears the name that was sent. */
  original(request: readonly string[]): readonly string[] | null {
    if (this.#hidden.size === 0) return request;
    const [sent = '', ...rest] = request;
    const name = this.#original.get(sent.toLowerCase());
    if (name !== undefined) return [name, ...rest];
    return this.#hidden.has(sent.toLowerCase()) ? null : request;
  }
}

function ping(client: Client, args: readonly string[]): Reply {
  if (args.length > 1) return new ErrorReply("ERR wrong number of arguments for 'ping' command");
  const [message] = args;
  if (client.protocol === 2 && client.subscriptions > 0) return ['pong', message ?? ''];
  return message ?? PONG;
}
