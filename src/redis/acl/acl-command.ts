/** The `ACL` command. Pure but for what the context does: the server gives it the time, secrets and the file. */
import { errorText } from '../../base/error-text.js';
import { ErrorReply, MapReply, OK, type Reply, SetReply } from '../reply.js';
import { checkRequest, dryRunMessage, findCommand } from './acl-check.js';
import { ACL_CATEGORIES } from './acl-commands.js';
import type { AclLog } from './acl-log.js';
import {
  type AclSelector,
  commandsOfCategory,
  describeChannels,
  describeCommands,
  describeKeys,
} from './acl-selector.js';
import type { AclUser } from './acl-user.js';
import { AclLoadError, type AclUsers, parseAclFile, setUserErrorText } from './acl-users.js';

/** The file of the `aclfile` directive. Both throw an Error with a sentence for the user. */
export interface AclFileAccess {
  readonly read: () => string;
  readonly write: (text: string) => void;
}

export interface AclContext {
  readonly users: AclUsers;
  readonly log: AclLog;
  /** Who asks. */
  readonly username: string;
  readonly now_ms: number;
  /** Secret random bytes, as lower-case hexadecimal. */
  readonly randomHex: (bytes: number) => string;
  /** Null without `aclfile`. */
  readonly file: AclFileAccess | null;
  /** Called after users were taken away or loaded anew: clients of users that are gone must be closed. */
  readonly usersChanged: () => void;
}

interface Subcommand {
  /** Arguments after the subcommand. */
  readonly min: number;
  readonly max: number;
  readonly run: (args: readonly string[], context: AclContext) => Reply;
}

const MANY = Number.POSITIVE_INFINITY;

const SUBCOMMANDS: ReadonlyMap<string, Subcommand> = new Map<string, Subcommand>([
  ['cat', { min: 0, max: 1, run: cat }],
  ['deluser', { min: 1, max: MANY, run: delUser }],
  ['dryrun', { min: 2, max: MANY, run: dryRun }],
  ['genpass', { min: 0, max: 1, run: genPass }],
  ['getuser', { min: 1, max: 1, run: getUser }],
  ['help', { min: 0, max: 0, run: help }],
  ['list', { min: 0, max: 0, run: (_args, { users }) => users.lines() }],
  ['load', { min: 0, max: 0, run: loadFile }],
  ['log', { min: 0, max: 1, run: log }],
  ['save', { min: 0, max: 0, run: saveFile }],
  ['setuser', { min: 1, max: MANY, run: setUser }],
  ['users', { min: 0, max: 0, run: (_args, { users }) => users.names() }],
  ['whoami', { min: 0, max: 0, run: (_args, { username }) => username }],
]);

/** Runs `ACL <args>`. @param args the words after `ACL`. */
export function runAclCommand(args: readonly string[], context: AclContext): Reply {
  const [name, ...rest] = args;
  if (name === undefined) return new ErrorReply("ERR wrong number of arguments for 'acl' command");
  const subcommand = SUBCOMMANDS.get(name.toLowerCase());
  if (subcommand === undefined) return new ErrorReply(`ERR unknown subcommand '${name}'. Try ACL HELP.`);
  if (rest.length < subcommand.min || rest.length > subcommand.max) {
    return new ErrorReply(`ERR wrong number of arguments for 'acl|${name.toLowerCase()}' command`);
  }
  return subcommand.run(rest, context);
}

function cat([category]: readonly string[]): Reply {
  if (category === undefined) return ACL_CATEGORIES;
  return commandsOfCategory(category) ?? new ErrorReply(`ERR Unknown category '${category}'`);
}

function delUser(names: readonly string[], { users, usersChanged }: AclContext): Reply {
  if (names.includes('default')) return new ErrorReply("ERR The 'default' user cannot be removed");
  const deleted = users.deleteUsers(names).length;
  if (deleted > 0) usersChanged();
  return deleted;
}

function dryRun([name = '', ...request]: readonly string[], { users }: AclContext): Reply {
  const user = users.get(name);
  if (user === null) return new ErrorReply(`ERR User '${name}' not found`);
  const command = findCommand(request);
  if (command === null) return new ErrorReply(`ERR Command '${request[0] ?? ''}' not found`);
  const denial = checkRequest(user, request);
  return denial === null ? OK : dryRunMessage(denial);
}

const GENPASS_BITS_MAX = 4096;

function genPass([bits]: readonly string[], { randomHex }: AclContext): Reply {
  const count = bits === undefined ? 256 : integer(bits);
  if (count === null) return new ErrorReply('ERR value is not an integer or out of range');
  if (count < 1 || count > GENPASS_BITS_MAX) {
    const range = `a positive number up to ${GENPASS_BITS_MAX}`;
    return new ErrorReply(`ERR ACL GENPASS argument must be the number of bits for the output password, ${range}`);
  }
  const digits = Math.ceil(count / 4);
  return randomHex(Math.ceil(digits / 2)).slice(0, digits);
}

function getUser([name = '']: readonly string[], { users }: AclContext): Reply {
  const user = users.get(name);
  if (user === null) return null;
  return new MapReply([
    ['flags', new SetReply(userFlags(user))],
    ['passwords', user.passwords],
    ...selectorFields(user.root),
    ['selectors', user.selectors.map((selector) => new MapReply(selectorFields(selector)))],
  ]);
}

function userFlags(user: AclUser): readonly string[] {
  const flags = [user.enabled ? 'on' : 'off'];
  if (user.nopass) flags.push('nopass');
  if (user.payload !== 'unset') flags.push(user.payload);
  return flags;
}

function selectorFields(selector: AclSelector): readonly (readonly [Reply, Reply])[] {
  return [
    ['commands', describeCommands(selector)],
    ['keys', describeKeys(selector)],
    ['channels', describeChannels(selector)],
  ];
}

function setUser([name = '', ...rules]: readonly string[], { users }: AclContext): Reply {
  if (name === '' || /[\s\0]/.test(name))
    return new ErrorReply("ERR Usernames can't contain spaces or null characters");
  const fault = users.setUser(name, rules);
  return fault === null ? OK : new ErrorReply(setUserErrorText(fault));
}

const LOG_DEFAULT = 10;

function log([argument]: readonly string[], context: AclContext): Reply {
  if (argument?.toLowerCase() === 'reset') {
    context.log.reset();
    return OK;
  }
  const count = argument === undefined ? LOG_DEFAULT : integer(argument);
  if (count === null) return new ErrorReply('ERR value is not an integer or out of range');
  return context.log.reply(Math.max(0, count), context.now_ms);
}

const NO_FILE =
  'ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER ' +
  'command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users ' +
  'in the Redis configuration.';

function loadFile(_args: readonly string[], { users, file, usersChanged }: AclContext): Reply {
  if (file === null) return new ErrorReply(NO_FILE);
  let text: string;
  try {
    text = file.read();
  } catch (error) {
    return new ErrorReply(`ERR ${errorText(error)}`);
  }
  try {
    users.load(parseAclFile(text));
  } catch (error) {
    if (error instanceof AclLoadError) return new ErrorReply(`ERR ${error.message}`);
    throw error;
  }
  usersChanged();
  return OK;
}

function saveFile(_args: readonly string[], { users, file }: AclContext): Reply {
  if (file === null) return new ErrorReply(NO_FILE);
  try {
    file.write(
      users
        .lines()
        .map((line) => `${line}\n`)
        .join(''),
    );
    return OK;
  } catch (error) {
    return new ErrorReply(`ERR There was an error trying to save the ACLs: ${errorText(error)}`);
  }
}

function integer(text: string): number | null {
  return /^-?\d{1,15}$/.test(text) ? Number(text) : null;
}

const HELP = [
  'ACL <subcommand> [<argument> …]. Subcommands are:',
  'CAT [<category>]: the categories, or the commands of one.',
  'DELUSER <username> [<username> …]: delete users.',
  'DRYRUN <username> <command> [<argument> …]: say whether the user could run it.',
  'GETUSER <username>: what the user may do.',
  'GENPASS [<bits>]: a random password, of 256 bits unless told.',
  'LIST: all users in the form of the configuration.',
  'LOAD: read the ACL file again.',
  'LOG [<count> | RESET]: the latest denials.',
  'SAVE: write the ACL file.',
  'SETUSER <username> <rule> [<rule> …]: create or change a user.',
  'USERS: the names.',
  'WHOAMI: your name.',
  'HELP: this text.',
];

function help(): Reply {
  return HELP;
}
