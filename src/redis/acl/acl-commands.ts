/** The commands that a Sentinel has, with the ACL categories of each, as redis-sentinel 7.0 and valkey-sentinel 8 have them. */

/** Every category that exists; those without a command of a Sentinel can be named all the same. */
export const ACL_CATEGORIES = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
] as const;

export type AclCategory = (typeof ACL_CATEGORIES)[number];

export interface AclCommand {
  /** Lower case; a subcommand with its container, as in `sentinel|masters`. */
  readonly name: string;
  readonly categories: readonly string[];
}

/** The commands that rules may name. */
export interface AclCatalogue {
  /** All commands and subcommands, by name. */
  readonly commands: ReadonlyMap<string, AclCommand>;
  /** Commands that are made of subcommands. */
  readonly containers: ReadonlySet<string>;
}

const RISKY = ['admin', 'slow', 'dangerous'] as const;

const PLAIN: Readonly<Record<string, readonly AclCategory[]>> = {
  ping: ['fast', 'connection'],
  auth: ['fast', 'connection'],
  hello: ['fast', 'connection'],
  info: ['slow', 'dangerous'],
  role: ['admin', 'fast', 'dangerous'],
  shutdown: RISKY,
  subscribe: ['pubsub', 'slow'],
  unsubscribe: ['pubsub', 'slow'],
  psubscribe: ['pubsub', 'slow'],
  punsubscribe: ['pubsub', 'slow'],
  publish: ['pubsub', 'fast'],
  quit: ['fast', 'connection'],
  reset: ['fast', 'connection'],
};

interface Container {
  readonly own: readonly AclCategory[];
  /** Categories and the subcommands that have them. */
  readonly groups: readonly (readonly [readonly AclCategory[], string])[];
}

const CONTAINERS: Readonly<Record<string, Container>> = {
  sentinel: {
    own: RISKY,
    groups: [
      [
        RISKY,
        'ckquorum config debug failover flushconfig get-master-addr-by-name info-cache is-master-down-by-addr keeper lease ' +
          'master masters monitor myid pause pending-scripts remove replicas reset sentinels set simulate-failure slaves ' +
          'switchover get-primary-addr-by-name is-primary-down-by-addr primary primaries',
      ],
      [['slow'], 'help'],
    ],
  },
  acl: {
    own: ['slow'],
    groups: [
      [RISKY, 'deluser dryrun getuser list load log save setuser users'],
      [['slow'], 'cat genpass help whoami'],
    ],
  },
  client: {
    own: ['slow', 'connection'],
    groups: [
      [['admin', 'slow', 'dangerous', 'connection'], 'kill list no-evict pause unblock unpause'],
      [['slow', 'connection'], 'caching getname getredir help id info reply setname tracking trackinginfo'],
      // Newer than 7.0 (Redis 7.2, Valkey 8); clients send the first on every connection.
      [['slow', 'connection'], 'setinfo no-touch capa'],
    ],
  },
  command: {
    own: ['slow', 'connection'],
    groups: [[['slow', 'connection'], 'count docs getkeys getkeysandflags help info list']],
  },
};

function allCommands(): readonly AclCommand[] {
  const list: AclCommand[] = Object.entries(PLAIN).map(([name, categories]) => ({ name, categories }));
  for (const [name, { own, groups }] of Object.entries(CONTAINERS)) {
    list.push({ name, categories: own });
    for (const [categories, subcommands] of groups) {
      for (const sub of subcommands.split(' ')) list.push({ name: `${name}|${sub}`, categories });
    }
  }
  return list;
}

/** @param list every command and subcommand once. */
export function catalogueOf(list: readonly AclCommand[]): AclCatalogue {
  const containers = list.flatMap(({ name }) => (name.includes('|') ? [name.slice(0, name.indexOf('|'))] : []));
  return { commands: new Map(list.map((command) => [command.name, command])), containers: new Set(containers) };
}

export const SENTINEL_CATALOGUE: AclCatalogue = catalogueOf(allCommands());

/** All commands and subcommands of a Sentinel, by name. */
export const ACL_COMMANDS = SENTINEL_CATALOGUE.commands;

export function isCategory(name: string): name is AclCategory {
  return ACL_CATEGORIES.some((category) => category === name);
}

/** Commands that a client may send before it has logged in: no rule takes them away. */
export const ALWAYS_ALLOWED: ReadonlySet<string> = new Set(['auth', 'hello', 'quit', 'reset']);
