/** CLIENT and its subcommands. */
import { ErrorReply, MapReply, OK, type Reply, SetReply } from '../../redis/reply.js';
import type { Client } from './client.js';
import { clientFilter } from './client-filter.js';
import { CLIENT_HELP } from './client-help.js';
import type { ServerContext } from './context.js';

const SYNTAX = new ErrorReply('ERR syntax error');

/** Names are shown in lists that are split at spaces. */
export function isClientName(name: string): boolean {
  return /^[!-~]*$/.test(name);
}

/** A client as CLIENT LIST and CLIENT INFO show it. What a Sentinel has no use for is shown as 0. */
export function clientInfo(client: Client): string {
  const now = performance.now();
  const seconds = (since: number): number => Math.floor((now - since) / 1000);
  const fields: readonly (readonly [string, string | number])[] = [
    ['id', client.id],
    ['addr', client.address],
    ['laddr', client.localAddress],
    ['fd', client.id],
    ['name', client.name],
    ['age', seconds(client.connectedAt)],
    ['idle', seconds(client.lastRequestAt)],
    ['flags', client.subscriptions > 0 ? 'P' : 'N'],
    ['db', 0],
    ['sub', client.channels.size],
    ['psub', client.patterns.size],
    ['ssub', 0],
    ['multi', -1],
    ['qbuf', 0],
    ['qbuf-free', 0],
    ['argv-mem', 0],
    ['multi-mem', 0],
    ['rbs', 0],
    ['rbp', 0],
    ['obl', 0],
    ['oll', 0],
    ['omem', client.unsent_bytes],
    ['tot-mem', client.unsent_bytes],
    ['events', 'r'],
    ['cmd', client.lastCommand],
    ['user', client.authenticated ? client.user : '(superuser)'],
    ['redir', -1],
    ['resp', client.protocol],
    ['lib-name', client.libName],
    ['lib-ver', client.libVersion],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(' ');
}

/** Runs `CLIENT <args>` and answers it. */
export function runClientCommand(context: ServerContext, client: Client, args: readonly string[]): void {
  const [name = '', ...rest] = args;
  switch (name.toLowerCase()) {
    case 'reply':
      return setReplies(client, rest[0] ?? '');
    case 'kill':
      return kill(context, client, rest);
    default:
      return client.reply(answerTo(context, client, name.toLowerCase(), rest));
  }
}

function answerTo(context: ServerContext, client: Client, name: string, args: readonly string[]): Reply {
  switch (name) {
    case 'id':
      return client.id;
    case 'info':
      return `${clientInfo(client)}\n`;
    case 'list':
      return list(context, args);
    case 'getname':
      return client.name === '' ? null : client.name;
    case 'setname':
      return setName(client, args[0] ?? '');
    case 'setinfo':
      return setInfo(client, args);
    case 'no-evict':
      return onOff(args[0], (on) => {
        client.noEvict = on;
      });
    case 'tracking':
      return onOff(args[0], () => undefined);
    case 'trackinginfo':
      return new MapReply([
        ['flags', new SetReply(['off'])],
        ['redirect', -1],
        ['prefixes', []],
      ]);
    case 'caching':
      return new ErrorReply(
        'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled',
      );
    case 'getredir':
      return -1;
    case 'pause':
      return /^\d{1,15}$/.test(args[0] ?? '') ? OK : new ErrorReply('ERR timeout is not an integer or out of range');
    case 'unpause':
      return OK;
    case 'unblock':
      return 0;
    default:
      return CLIENT_HELP;
  }
}

function onOff(word: string | undefined, set: (on: boolean) => void): Reply {
  const value = word?.toLowerCase();
  if (value !== 'on' && value !== 'off') return SYNTAX;
  set(value === 'on');
  return OK;
}

function setReplies(client: Client, word: string): void {
  switch (word.toLowerCase()) {
    case 'on':
      client.replies = 'on';
      return client.reply(OK);
    case 'off':
      client.replies = 'off';
      return client.noReply();
    case 'skip':
      if (client.replies === 'on') client.replies = 'skip';
      return client.noReply();
    default:
      return client.reply(SYNTAX);
  }
}

function setName(client: Client, name: string): Reply {
  if (!isClientName(name)) {
    return new ErrorReply('ERR Client names cannot contain spaces, newlines or special characters.');
  }
  client.name = name;
  return OK;
}

function setInfo(client: Client, [attribute = '', value = '']: readonly string[]): Reply {
  const name = attribute.toLowerCase();
  if (name !== 'lib-name' && name !== 'lib-ver') {
    return new ErrorReply(`ERR Unrecognized option '${attribute.slice(0, 128)}'`);
  }
  if (!isClientName(value)) {
    return new ErrorReply(`ERR ${name} cannot contain spaces, newlines or special characters.`);
  }
  if (name === 'lib-name') client.libName = value;
  else client.libVersion = value;
  return OK;
}

function list({ clients }: ServerContext, args: readonly string[]): Reply {
  const [option, ...values] = args;
  let shown = [...clients.values()];
  if (option?.toLowerCase() === 'type' && values.length === 1) {
    const filter = clientFilter(['TYPE', values[0] ?? '']);
    if (filter instanceof ErrorReply) return filter;
    shown = shown.filter(filter.matches);
  } else if (option?.toLowerCase() === 'id' && values.length > 0) {
    if (!values.every((value) => /^\d{1,15}$/.test(value))) return new ErrorReply('ERR Invalid client ID');
    shown = values.flatMap((value) => clients.get(Number(value)) ?? []);
  } else if (option !== undefined) {
    return SYNTAX;
  }
  return shown.map((client) => `${clientInfo(client)}\n`).join('');
}

/** `CLIENT KILL ip:port`, or `CLIENT KILL <filter> <value> …`. */
function kill({ clients, users }: ServerContext, asking: Client, args: readonly string[]): void {
  const old = args.length === 1;
  const filter = clientFilter(old ? ['ADDR', args[0] ?? '', 'SKIPME', 'no'] : args);
  if (filter instanceof ErrorReply) return asking.reply(filter);
  if (filter.user !== null && users.get(filter.user) === null) {
    return asking.reply(new ErrorReply(`ERR No such user '${filter.user.slice(0, 128)}'`));
  }
  const victims = [...clients.values()].filter(
    (client) => filter.matches(client) && !(filter.skipMe && client === asking),
  );
  for (const victim of victims) if (victim !== asking) victim.destroy();
  if (old) asking.reply(victims.length > 0 ? OK : new ErrorReply('ERR No such client'));
  else asking.reply(victims.length);
  if (victims.includes(asking)) asking.closeAfterReply();
}
