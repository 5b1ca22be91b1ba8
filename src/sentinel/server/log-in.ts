/** AUTH, HELLO, RESET: who a client is and which protocol it speaks. */
import { ErrorReply, MapReply, OK, type Reply, SimpleString } from '../../redis/reply.js';
import type { Client } from './client.js';
import { clientInfo, isClientName } from './client-command.js';
import type { ServerContext } from './context.js';
import { REDIS_VERSION } from './info.js';

const WRONGPASS = new ErrorReply('WRONGPASS invalid username-password pair or user is disabled.');
const NO_PASSWORD_SET = new ErrorReply(
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
);
const HELLO_NOAUTH = new ErrorReply(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> ' +
    'option can be used to authenticate the client and select the RESP protocol version at the same time',
);

/** `AUTH [user] password`. */
export function authenticate(context: ServerContext, client: Client, args: readonly string[]): Reply {
  if (args.length > 2) return new ErrorReply('ERR syntax error');
  const [first = '', second] = args;
  if (second === undefined) {
    if (context.users.get('default')?.nopass === true) return NO_PASSWORD_SET;
    return logIn(context, client, 'default', first) ? OK : WRONGPASS;
  }
  return logIn(context, client, first, second) ? OK : WRONGPASS;
}

function logIn({ users, aclLog }: ServerContext, client: Client, name: string, password: string): boolean {
  if (users.authenticate(name, password) === null) {
    const event = { reason: 'auth', object: 'AUTH', username: name, clientInfo: clientInfo(client) } as const;
    aclLog.add(event, performance.now());
    return false;
  }
  client.logIn(name);
  return true;
}

interface HelloOptions {
  auth: { user: string; pass: string } | null;
  name: string | null;
}

/** `HELLO [protocol [AUTH user password] [SETNAME name]]`. */
export function hello(context: ServerContext, client: Client, args: readonly string[]): Reply {
  const [version, ...rest] = args;
  if (version !== undefined && !/^\d{1,18}$/.test(version)) {
    return new ErrorReply('ERR Protocol version is not an integer or out of range');
  }
  if (version !== undefined && version !== '2' && version !== '3') {
    return new ErrorReply('NOPROTO unsupported protocol version');
  }
  const options = helloOptions(rest);
  if (options instanceof ErrorReply) return options;
  const { auth, name } = options;
  if (auth !== null && !logIn(context, client, auth.user, auth.pass)) return WRONGPASS;
  if (!client.authenticated) return HELLO_NOAUTH;
  if (name !== null) client.name = name;
  if (version !== undefined) client.protocol = version === '3' ? 3 : 2;
  return new MapReply([
    ['server', 'redis'],
    ['version', REDIS_VERSION],
    ['proto', client.protocol],
    ['id', client.id],
    ['mode', 'sentinel'],
    ['modules', []],
  ]);
}

function helloOptions(words: readonly string[]): HelloOptions | ErrorReply {
  const options: HelloOptions = { auth: null, name: null };
  for (let at = 0; at < words.length; ) {
    const [word = '', one, two] = words.slice(at);
    if (word.toUpperCase() === 'AUTH' && one !== undefined && two !== undefined) {
      options.auth = { user: one, pass: two };
      at += 3;
    } else if (word.toUpperCase() === 'SETNAME' && one !== undefined) {
      if (!isClientName(one)) return NAME_ERROR;
      options.name = one;
      at += 2;
    } else {
      return new ErrorReply(`ERR Syntax error in HELLO option '${word.slice(0, 128)}'`);
    }
  }
  return options;
}

export const NAME_ERROR = new ErrorReply('ERR Client names cannot contain spaces, newlines or special characters.');

/** RESET: the connection is as it was after connecting. */
export function reset({ users, pubsub }: ServerContext, client: Client): Reply {
  pubsub.forget(client);
  client.protocol = 2;
  client.name = '';
  client.replies = 'on';
  client.noEvict = false;
  client.logOut(isOpen(users.get('default')));
  return new SimpleString('RESET');
}

/** Whether a client needs no password to be the user `default`. */
export function isOpen(defaultUser: { readonly enabled: boolean; readonly nopass: boolean } | null): boolean {
  return defaultUser?.enabled === true && defaultUser.nopass;
}
