/**
 * The commands of a Sentinel as `COMMAND` tells them, and as requests are checked against: names, arity and flags are
 * those of redis-sentinel 7.0, with Valkey's synonyms and the few newer ones that clients send anyway.
 */
import { ACL_COMMANDS } from '../../redis/acl/acl-commands.js';
import { ErrorReply } from '../../redis/reply.js';

export interface CommandSpec {
  /** Lower case; a subcommand with its container, as in `client|id`. */
  readonly name: string;
  /** Words of the request, the command's own included; negative: at least that many. */
  readonly arity: number;
  readonly flags: readonly string[];
  readonly summary: string;
  readonly subcommands: ReadonlyMap<string, CommandSpec>;
}

/** The version since which a group of commands is known, roughly; only shown. */
const SINCE = '2.8.4';

const PLAIN = 'noscript loading stale';
const ADMIN = `admin ${PLAIN}`;
const HELP_FLAGS = 'loading stale';

/** Name, arity, flags, summary; a subcommand is indented under its container by its name's `|`. */
const ROWS: readonly (readonly [string, number, string, string])[] = [
  ['acl', -2, '', 'Users and their rights'],
  ['acl|cat', -2, PLAIN, 'The categories, or the commands of one'],
  ['acl|deluser', -3, ADMIN, 'Delete users'],
  ['acl|dryrun', -4, ADMIN, 'Say whether a user may run a command, without running it'],
  ['acl|genpass', -2, PLAIN, 'Make up a password'],
  ['acl|getuser', 3, ADMIN, 'What a user may do'],
  ['acl|help', 2, HELP_FLAGS, 'The subcommands'],
  ['acl|list', 2, ADMIN, 'All users, as the configuration has them'],
  ['acl|load', 2, ADMIN, 'Read the ACL file again'],
  ['acl|log', -2, ADMIN, 'The latest denials'],
  ['acl|save', 2, ADMIN, 'Write the ACL file'],
  ['acl|setuser', -3, ADMIN, 'Create or change a user'],
  ['acl|users', 2, ADMIN, 'The names of all users'],
  ['acl|whoami', 2, PLAIN, 'The name of your user'],
  ['auth', -2, `${PLAIN} fast no_auth allow_busy`, 'Log in'],
  ['client', -2, '', 'Connections of clients'],
  ['client|caching', 3, PLAIN, 'Tracking of the next request; there is nothing to track here'],
  ['client|getname', 2, PLAIN, "The connection's name"],
  ['client|getredir', 2, PLAIN, 'Where tracking goes; nowhere here'],
  ['client|help', 2, HELP_FLAGS, 'The subcommands'],
  ['client|id', 2, PLAIN, "The connection's number"],
  ['client|info', 2, PLAIN, 'This connection, as CLIENT LIST shows it'],
  ['client|kill', -3, ADMIN, 'Close connections'],
  ['client|list', -2, ADMIN, 'All connections'],
  ['client|no-evict', 3, ADMIN, 'Taken and without effect: no client is evicted here'],
  ['client|pause', -3, ADMIN, 'Taken and without effect: a Sentinel is not paused'],
  ['client|reply', 3, PLAIN, 'Whether requests are answered'],
  ['client|setinfo', 4, PLAIN, "The client library's name and version"],
  ['client|setname', 3, PLAIN, 'Name the connection'],
  ['client|tracking', -3, PLAIN, 'Taken and without effect: there are no keys here'],
  ['client|trackinginfo', 2, PLAIN, 'How the connection tracks keys'],
  ['client|unblock', -3, ADMIN, 'No client is ever blocked here'],
  ['client|unpause', 2, ADMIN, 'Taken and without effect'],
  ['command', -1, HELP_FLAGS, 'The commands and their properties'],
  ['command|count', 2, HELP_FLAGS, 'How many commands there are'],
  ['command|docs', -2, HELP_FLAGS, 'What commands are for'],
  ['command|getkeys', -4, HELP_FLAGS, 'The keys of a request; none here'],
  ['command|getkeysandflags', -4, HELP_FLAGS, 'The keys of a request; none here'],
  ['command|help', 2, HELP_FLAGS, 'The subcommands'],
  ['command|info', -2, HELP_FLAGS, 'The properties of some commands'],
  ['command|list', -2, HELP_FLAGS, 'The names of the commands'],
  ['hello', -1, `${PLAIN} fast no_auth allow_busy`, 'Choose the protocol, log in, name the connection'],
  ['info', -1, HELP_FLAGS, 'State and statistics'],
  ['ping', -1, 'fast', 'Whether anybody is there'],
  ['psubscribe', -2, `pubsub ${PLAIN}`, 'Receive the events that match patterns'],
  ['publish', 3, 'pubsub loading stale fast', 'How Sentinels greet each other'],
  ['punsubscribe', -1, `pubsub ${PLAIN}`, 'End subscriptions to patterns'],
  ['quit', -1, `${PLAIN} fast no_auth allow_busy`, 'Close the connection'],
  ['reset', 1, `${PLAIN} fast no_auth allow_busy`, 'Make the connection as new'],
  ['role', 1, `${PLAIN} fast`, 'What this server is'],
  ['sentinel', -2, 'admin', 'The masters that are watched'],
  ['sentinel|agent', 2, 'admin', 'What this agent says of the file that it runs with, as JSON (in a node agent)'],
  ['sentinel|ckquorum', 3, 'admin', 'Whether a failover would find its quorum and majority'],
  ['sentinel|config', -3, 'admin', 'Settings of the whole Sentinel'],
  ['sentinel|debug', -2, 'admin', 'Periods and time limits'],
  ['sentinel|failover', -3, 'admin', 'Start a failover by hand'],
  ['sentinel|flushconfig', 2, 'admin', 'Write the configuration file'],
  ['sentinel|get-master-addr-by-name', 3, 'admin', 'Where a master is'],
  ['sentinel|get-primary-addr-by-name', 3, 'admin', 'Where a master is'],
  ['sentinel|help', 2, HELP_FLAGS, 'The subcommands'],
  ['sentinel|info-cache', -3, 'admin', 'The last INFO of a master and its replicas'],
  ['sentinel|is-master-down-by-addr', 6, 'admin', 'Whether a master is down for us, and our vote'],
  ['sentinel|is-primary-down-by-addr', 6, 'admin', 'Whether a master is down for us, and our vote'],
  ['sentinel|keeper', 3, 'admin', "What this host's keeper says of its Redis, as JSON (in a node agent)"],
  ['sentinel|lease', -7, 'admin', 'Grant a master the right to take writes for a while, or take it back'],
  ['sentinel|master', 3, 'admin', 'A master'],
  ['sentinel|masters', 2, 'admin', 'All masters'],
  ['sentinel|monitor', 6, 'admin', 'Watch a master'],
  ['sentinel|myid', 2, 'admin', 'Our run id'],
  ['sentinel|pause', 4, 'admin', 'Maintenance: no automatic failover while on'],
  ['sentinel|pending-scripts', 2, 'admin', 'Scripts that run or wait'],
  ['sentinel|primaries', 2, 'admin', 'All masters'],
  ['sentinel|primary', 3, 'admin', 'A master'],
  ['sentinel|remove', 3, 'admin', 'Watch a master no longer'],
  ['sentinel|replicas', 3, 'admin', "A master's replicas"],
  ['sentinel|reset', 3, 'admin', 'Forget what was discovered of masters'],
  ['sentinel|sentinels', 3, 'admin', 'The other Sentinels of a master'],
  ['sentinel|set', -5, 'admin', 'Settings of a master'],
  ['sentinel|simulate-failure', -3, 'admin', 'Crash at a chosen moment of a failover'],
  ['sentinel|slaves', 3, 'admin', "A master's replicas"],
  ['sentinel|switchover', -3, 'admin', 'Hand the master over without losing a write (in a node agent that keeps it)'],
  ['shutdown', -1, `${ADMIN} no_multi allow_busy`, 'Save the state and end'],
  ['subscribe', -2, `pubsub ${PLAIN}`, 'Receive events'],
  ['unsubscribe', -1, `pubsub ${PLAIN}`, 'End subscriptions'],
];

/** Extensions that `COMMAND` does not list, as Redis does not list them in a Sentinel. */
const UNLISTED: ReadonlySet<string> = new Set(['quit', 'reset']);

function buildTable(): ReadonlyMap<string, CommandSpec> {
  const table = new Map<string, CommandSpec & { subcommands: Map<string, CommandSpec> }>();
  for (const [name, arity, flags, summary] of ROWS) {
    const spec = { name, arity, flags: flags === '' ? [] : flags.split(' '), summary, subcommands: new Map() };
    const [container = name, sub] = name.split('|');
    if (sub === undefined) table.set(name, spec);
    else table.get(container)?.subcommands.set(sub, spec);
  }
  return table;
}

/** Every command by its lower-case name. */
export const COMMANDS: ReadonlyMap<string, CommandSpec> = buildTable();

/** The commands that `COMMAND` tells of. */
export function listedCommands(): CommandSpec[] {
  return [...COMMANDS.values()].filter((spec) => !UNLISTED.has(spec.name));
}

/** The spec of `name` or `container|subcommand`. */
export function findSpec(name: string): CommandSpec | null {
  const [container = '', sub] = name.toLowerCase().split('|');
  const command = COMMANDS.get(container) ?? null;
  return sub === undefined ? command : (command?.subcommands.get(sub) ?? null);
}

export function categoriesOf(spec: CommandSpec): string[] {
  return (ACL_COMMANDS.get(spec.name)?.categories ?? []).map((category) => `@${category}`);
}

/** The version that `COMMAND DOCS` shows. */
export function sinceOf(_spec: CommandSpec): string {
  return SINCE;
}

/** `server`, `connection`, `pubsub` or `sentinel`. */
export function groupOf(spec: CommandSpec): string {
  const [container = ''] = spec.name.split('|');
  if (container === 'sentinel') return 'sentinel';
  if (spec.flags.includes('pubsub')) return 'pubsub';
  return ['auth', 'client', 'hello', 'ping', 'quit', 'reset'].includes(container) ? 'connection' : 'server';
}

/** How much of a client's words is shown in an error. */
const SHOWN_MAX_chars = 128;

/**
 * The spec that a request is for, or why there is none: an unknown command or subcommand, or a wrong number of words.
 * @param args with the command's original name first
 */
export function specFor(args: readonly string[]): CommandSpec | ErrorReply {
  const [name = '', sub = ''] = args;
  const command = COMMANDS.get(name.toLowerCase());
  if (command === undefined) return unknownCommand(args);
  const spec = command.subcommands.size > 0 && args.length > 1 ? command.subcommands.get(sub.toLowerCase()) : command;
  if (spec === undefined) {
    return new ErrorReply(`ERR unknown subcommand '${sub.slice(0, SHOWN_MAX_chars)}'. Try ${name.toUpperCase()} HELP.`);
  }
  const right = spec.arity < 0 ? args.length >= -spec.arity : args.length === spec.arity;
  return right ? spec : new ErrorReply(`ERR wrong number of arguments for '${spec.name}' command`);
}

/** Redis's words for a command that does not exist. */
export function unknownCommand([name = '', ...args]: readonly string[]): ErrorReply {
  let shown = '';
  for (const arg of args) {
    if (shown.length >= SHOWN_MAX_chars) break;
    shown += `'${arg.slice(0, SHOWN_MAX_chars - shown.length)}' `;
  }
  return new ErrorReply(`ERR unknown command '${name.slice(0, SHOWN_MAX_chars)}', with args beginning with: ${shown}`);
}
