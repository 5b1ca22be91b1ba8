/** The proxy of a tanist.yml and its pools. */
import type { UserConfig } from '../nutcracker-types.js';
import { DEFAULTS } from './defaults.js';
import type { HostConfig, PoolSettings, ProxySettings, RingEntry } from './model.js';
import type { PlacedGroup } from './read-groups.js';
import { isLoopback, isWildcard, type Listen, readListen } from './read-listen.js';
import { type Context, readClientTls, readSecret } from './read-secrets.js';
import type { FileShape, PoolShape } from './schema.js';
import { labelOf } from './shape.js';
import { branchAt, type Path } from './yaml-tree.js';

export interface PlacedPool extends PoolSettings {
  readonly path: Path;
}

export interface PlacedProxy extends ProxySettings {
  readonly pools: readonly PlacedPool[];
}

export function readProxy(
  context: Context,
  given: FileShape['proxy'],
  groups: readonly PlacedGroup[],
  hosts: readonly HostConfig[],
): PlacedProxy | null {
  if (given === undefined) return null;
  // Every host listens on all its addresses: the file is the same on all, so it cannot name one of them.
  const anywhere = hosts.some((host) => host.address.includes(':')) ? '::' : '0.0.0.0';
  if (typeof given !== 'object') {
    const listen = readListen(context, ['proxy'], given, anywhere);
    const pool = readPool(context, ['proxy'], DEFAULTS.pool, { listen: given }, groups, listen);
    return { workers: DEFAULTS.workers, stats: DEFAULTS.stats, pools: [pool] };
  }
  const pools = context.reporter.entries(['proxy', 'pools'], given.pools).map(([name, pool]) => {
    const path = ['proxy', 'pools', name];
    const listen = readListen(context, [...path, 'listen'], pool.listen, anywhere);
    checkListen(context, [...path, 'listen'], listen, hosts);
    return readPool(context, path, name, pool, groups, listen);
  });
  if (pools.length === 0 && !context.reporter.touched('proxy')) {
    context.reporter.key(['proxy', 'pools'], 'there is no pool', 'name one, or remove `proxy`');
  }
  return { workers: given.workers ?? DEFAULTS.workers, stats: readStats(context, given.stats), pools };
}

function readStats(context: Context, given: number | string | undefined): Listen | null {
  if (given === undefined) return DEFAULTS.stats;
  if (given === 'off') return null;
  return readListen(context, ['proxy', 'stats'], given, DEFAULTS.stats.host);
}

function checkListen({ reporter }: Context, at: Path, listen: Listen, hosts: readonly HostConfig[]): void {
  if (hosts.length < 2 || isWildcard(listen.host) || reporter.touched('hosts')) return;
  const owner = hosts.find((host) => host.address === listen.host);
  if (owner !== undefined || !isLoopback(listen.host)) {
    const whose = owner === undefined ? 'not an address of every host' : `the address of ${owner.name} alone`;
    reporter.value(
      at,
      `${labelOf(at)}: ${listen.host} is ${whose}, and every host runs this pool`,
      `write the port alone: ${listen.port}`,
    );
  }
}

function readPool(
  context: Context,
  path: Path,
  name: string,
  given: PoolShape,
  groups: readonly PlacedGroup[],
  listen: Listen,
): PlacedPool {
  const ring = readRing(context, path, given.groups, groups);
  if (given.distribution === 'random') {
    context.reporter.value(
      [...path, 'distribution'],
      'distribution: random gives keys no shard: what was written is not found again',
      'write ketama or modula',
    );
  }
  const hold = typeof given.hold === 'object' ? given.hold : { time: given.hold };
  return {
    name,
    listen,
    tls: readClientTls(context, [...path, 'tls'], given.tls),
    groups: ring.map((entry) => entry.group),
    ring,
    hash: given.hash ?? 'fnv1a_64',
    hashTag: given.hash_tag ?? null,
    distribution: given.distribution ?? 'ketama',
    auth: readSecret(context, path, given, 'password'),
    users: readUsers(context, [...path, 'users'], given.users),
    timeout_ms: given.timeout ?? null,
    clientConnections: given.client_connections ?? 0,
    holdTimeout_ms: hold.time ?? DEFAULTS.holdTimeout_ms,
    hold_bytes: ('size' in hold ? hold.size : undefined) ?? DEFAULTS.hold_bytes,
    readFrom: given.read_from ?? 'master',
    replicaLagMax_ms: given.replica_lag_max ?? DEFAULTS.replicaLagMax_ms,
    path,
  };
}

function readRing(
  context: Context,
  path: Path,
  given: PoolShape['groups'],
  groups: readonly PlacedGroup[],
): readonly RingEntry[] {
  if (given === undefined) return groups.map(({ name }) => ({ group: name, name, weight: 1 }));
  const { reporter } = context;
  const ring: RingEntry[] = [];
  for (const [i, item] of given.entries()) {
    const at = [...path, 'groups', i];
    const entry = typeof item === 'string' ? { group: item } : item;
    const groupAt = typeof item === 'string' ? at : [...at, 'group'];
    const { group, name = group, weight = 1 } = entry;
    if (ring.some((other) => other.group === group)) {
      reporter.value(
        groupAt,
        `the group '${group}' is in the pool twice`,
        'name it once, with a `weight` if it is to have more keys',
      );
    } else if (ring.some((other) => other.name === name)) {
      reporter.value(at, `the ring name '${name}' is used twice in the pool`, 'ring names must differ');
    } else if (!groups.some((each) => each.name === group)) {
      if (reporter.touched('groups', group)) continue;
      const known = groups.map((each) => each.name).join(', ');
      reporter.value(groupAt, `there is no group '${group}'`, `name one of ${known}, or add it to \`groups\``);
    } else ring.push({ group, name, weight });
  }
  return ring;
}

function readUsers({ reporter }: Context, path: Path, given: PoolShape['users']): UserConfig[] | null {
  if (given === undefined) return null;
  const names = new Set<string>();
  if (given.length === 0)
    reporter.key(path, '`users` names nobody: no client could log in', 'add a user, or remove it');
  return given.map((text, i) => {
    const at = [...path, i];
    const [name = '', ...rules] = text.split(/\s+/).filter((word) => word !== '');
    if (name === '') reporter.value(at, 'a user without a name', 'write e.g. - "alice on >secret ~* +@all"');
    else if (names.has(name)) reporter.value(at, 'this user is there twice', 'join the two lines');
    names.add(name);
    const { line = 1, column = 1 } = branchAt(reporter.tree, at)?.value ?? {};
    return { name, rules, place: { line, column } };
  });
}
