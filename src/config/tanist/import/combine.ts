/** Puts facts from all files together: which hosts there are, what they are called, which group stands where. */
import { DEFAULTS } from '../defaults.js';
import { NAME } from '../schema-words.js';
import {
  type Facts,
  type GroupFact,
  type HostRef,
  type PoolFact,
  type ShardFact,
  type Source,
  sameHost,
} from './facts.js';

/** A host of the cluster that is to be. */
export interface Member {
  readonly name: string;
  /** null: nobody has said; a placeholder is written. */
  readonly address: string | null;
  readonly witness: boolean;
  readonly source: Source;
}

export interface Shard extends Omit<ShardFact, 'group' | 'host' | 'port'> {
  readonly group: string;
}

export interface Cluster {
  readonly mode: 'quorum' | 'pair';
  readonly members: readonly Member[];
  /** `hosts` null: all that are no witnesses. */
  readonly groups: readonly (Omit<GroupFact, 'replicas' | 'master'> & { readonly hosts: readonly string[] | null })[];
  readonly pools: readonly (Omit<PoolFact, 'shards'> & { readonly shards: readonly Shard[] })[];
}

/** A host that the user names because no file does. */
export interface GivenHost {
  readonly name: string | null;
  readonly address: string;
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz';

export function combine(facts: Facts, given: readonly GivenHost[]): Cluster {
  const groups = groupsOf(facts);
  const seats = seatsOf(facts, groups, given);
  // Without Sentinels, whoever holds the VIP leads.
  const mode = facts.sentinels || groups.length > 0 || seats.length > 2 ? 'quorum' : 'pair';
  addMissing(seats, facts, mode);
  const members = nameAll(seats);
  const nameOf = (ref: HostRef): string => {
    const at = seats.findIndex((seat) => seat.refs.some((each) => sameHost(each, ref)));
    return members[at]?.name ?? '';
  };
  const keepers = members.filter((member) => !member.witness).map((member) => member.name);
  const hosts = hostsOf(groups, nameOf, keepers);
  return {
    mode,
    members,
    groups: groups.map(({ master: _master, replicas: _replicas, ...group }, i) => {
      const own = hosts[i] ?? [];
      return { ...group, hosts: own.length === 0 || own.join() === keepers.join() ? null : own };
    }),
    pools: poolsOf(facts, groups),
  };
}

/** Sentinels' masters, and what pools name beside them. */
function groupsOf(facts: Facts): GroupFact[] {
  const groups: GroupFact[] = [];
  for (const group of facts.groups) {
    const twin = groups.find((each) => each.port === group.port && sameHost(each.master, group.master));
    if (twin === undefined) groups.push({ ...group, name: goodName(group.name, group.source, facts) });
    else facts.lose(group.source, `${group.name}: it is the same Redis as ${twin.name}`);
  }
  for (const pool of facts.pools) {
    for (const [i, shard] of pool.shards.entries()) {
      if (groupAt(groups, shard) !== null) continue;
      if (shard.host === null) {
        groups.push(unknownGroup(shard, groups));
        continue;
      }
      const taken = (name: string): boolean => groups.some((group) => group.name === name);
      const { host: master, port, source } = shard;
      const base = NAME.test(shard.ring) ? shard.ring : toName(`${pool.name}-${i + 1}`);
      let name = base;
      for (let n = 2; taken(name); n += 1) name = `${base.slice(0, 58)}-${n}`;
      groups.push({ name, port, master, replicas: [], user: '', password: pool.password ?? '', source });
    }
  }
  return groups.map((group) =>
    group.password === '' ? { ...group, password: poolPassword(facts, groups, group) } : group,
  );
}

/** A group that a pool knows from Sentinels whose files were not given. */
function unknownGroup({ group, source }: ShardFact, groups: readonly GroupFact[]): GroupFact {
  let port: number = DEFAULTS.redisPort;
  while (groups.some((each) => each.port === port)) port += 1;
  const name = group ?? '';
  return { name, port, master: { name }, replicas: [], user: '', password: '', source, portGuessed: true };
}

/** A name as a tanist.yml takes it. */
function goodName(name: string, source: Source, facts: Facts): string {
  if (NAME.test(name)) return name;
  const good = toName(name);
  facts.lose(source, `the name '${name}': it is called ${good} here`);
  return good;
}

function toName(text: string): string {
  const good = text
    .replace(/[^A-Za-z0-9._-]/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 60);
  return good === '' ? 'x' : good;
}

/** A proxy logs in to its servers with its clients' password. */
function poolPassword(facts: Facts, groups: readonly GroupFact[], group: GroupFact): string {
  const pool = facts.pools.find((each) => each.shards.some((shard) => groupAt(groups, shard)?.name === group.name));
  return pool?.password ?? '';
}

/** The group that a shard is: by its name, or by the place of its master or of a replica. */
function groupAt(groups: readonly GroupFact[], shard: ShardFact): GroupFact | null {
  const { host } = shard;
  if (host === null) return groups.find((group) => group.name === shard.group) ?? null;
  const at = (ref: HostRef, group: GroupFact): boolean => group.port === shard.port && sameHost(ref, host);
  return groups.find((group) => [group.master, ...group.replicas].some((ref) => at(ref, group))) ?? null;
}

function poolsOf(facts: Facts, groups: readonly GroupFact[]): Cluster['pools'] {
  const names = new Set<string>();
  const ports = new Set(groups.map((group) => group.port));
  return facts.pools.map((pool) => {
    let name = goodName(pool.name, pool.source, facts);
    for (let n = 2; names.has(name); n += 1) name = `${goodName(pool.name, pool.source, facts).slice(0, 58)}-${n}`;
    names.add(name);
    let { port } = pool;
    while (ports.has(port)) port = port < 55_536 ? port + 10_000 : port - 54_000;
    if (port !== pool.port) {
      facts.lose(
        pool.source,
        `port ${pool.port} of the pool ${name}: something else of every host has it; ${port} stands in its place`,
      );
    }
    ports.add(port);
    return { ...pool, name, port, shards: shardsOf(pool, groups) };
  });
}

function shardsOf(pool: PoolFact, groups: readonly GroupFact[]): Shard[] {
  const shards: Shard[] = [];
  for (const shard of pool.shards) {
    const group = groupAt(groups, shard);
    if (group === null || shards.some((each) => each.group === group.name)) continue;
    const { ring, weight, replicated, source } = shard;
    shards.push({ group: group.name, ring, weight, replicated, source });
  }
  return shards;
}

/** A host before it has a name. */
interface Seat {
  readonly refs: readonly HostRef[];
  readonly name: string | null;
  readonly address: string | null;
  keeper: boolean;
  readonly source: Source;
}

function seatsOf(facts: Facts, groups: readonly GroupFact[], given: readonly GivenHost[]): Seat[] {
  const seats: Seat[] = [];
  const find = (ref: HostRef): Seat | undefined => seats.find((seat) => seat.refs.some((each) => sameHost(each, ref)));
  // Without a list of replicas, a host that is named on the command line may be one.
  const open = groups.length === 0 || groups.some((group) => group.replicas.length === 0);
  const named = given.map(
    ({ name, address }): Seat => ({
      refs: name === null ? [{ address }] : [{ address }, { name }],
      name,
      address,
      keeper: open,
      source: 'the command line',
    }),
  );
  const vips = new Set(facts.vips.map((vip) => vip.address));
  for (const { ref, as, source } of facts.hosts) {
    // A proxy may listen on the VIP, or have it among its servers: it is no host.
    if ('address' in ref && vips.has(ref.address)) continue;
    const known = find(ref);
    if (known !== undefined) {
      known.keeper ||= as === 'keeper';
      continue;
    }
    const told = named.find((seat) => seat.refs.some((each) => sameHost(each, ref)));
    if (told !== undefined) seats.push({ ...told, keeper: as === 'keeper', source });
    else if ('address' in ref)
      seats.push({ refs: [ref], name: null, address: ref.address, keeper: as === 'keeper', source });
    else
      seats.push({
        refs: [ref],
        name: NAME.test(ref.name) ? ref.name : null,
        address: null,
        keeper: as === 'keeper',
        source,
      });
  }
  for (const seat of named) {
    const known = seats.some((each) => each.refs.some((ref) => seat.refs.some((own) => sameHost(own, ref))));
    if (!known) seats.push(seat);
  }
  // Where nobody tells of a Redis, it stands beside the Sentinels.
  if (!seats.some((seat) => seat.keeper)) for (const seat of seats) seat.keeper = true;
  return [...seats.filter((seat) => seat.keeper), ...seats.filter((seat) => !seat.keeper)];
}

/** Hosts that must be there though no file tells of them: replicas, and voters enough for a majority. */
function addMissing(seats: Seat[], facts: Facts, mode: Cluster['mode']): void {
  const add = (keeper: boolean, why: string): void => {
    const seat: Seat = { refs: [], name: null, address: null, keeper, source: why };
    const at = seats.findIndex((each) => !each.keeper);
    if (keeper && at !== -1) seats.splice(at, 0, seat);
    else seats.push(seat);
  };
  if (mode === 'pair') {
    while (seats.length < 2) add(true, 'no file tells of this host');
    return;
  }
  const lonely = seats.filter((seat) => seat.keeper).length < 2;
  if (lonely) add(true, 'no file tells of a replica');
  const voters = Math.max(3, 2 * Math.min(facts.quorum?.value ?? 0, 8) - 1);
  const open = facts.groups.every((group) => group.replicas.length === 0);
  while (seats.length < voters) add(open && facts.sentinels, `no file tells of this host; ${voters} must vote`);
}

function nameAll(seats: readonly Seat[]): Member[] {
  const taken = new Set(seats.flatMap((seat) => (seat.name === null ? [] : [seat.name])));
  const used = new Set<string>();
  let next = 0;
  return seats.map(({ name, address, keeper, source }) => {
    let chosen = name !== null && !used.has(name) ? name : null;
    while (chosen === null) {
      const letter = ALPHABET[next] ?? `h${next + 1}`;
      next += 1;
      if (!taken.has(letter) && !used.has(letter)) chosen = letter;
    }
    used.add(chosen);
    return { name: chosen, address, witness: !keeper, source };
  });
}

/**
 * Hosts of each group: its master first, then its replicas. Of a group without known replicas, every keeper that has
 * nothing else on its port may be one.
 */
function hostsOf(
  groups: readonly GroupFact[],
  nameOf: (ref: HostRef) => string,
  keepers: readonly string[],
): string[][] {
  const hosts = groups.map(({ master, replicas }) =>
    [...new Set([master, ...replicas].map(nameOf))].filter((name) => keepers.includes(name)),
  );
  for (const [i, group] of groups.entries()) {
    const own = hosts[i];
    if (own === undefined || own.length > 1) continue;
    const taken = (name: string): boolean =>
      groups.some((other, j) => j !== i && other.port === group.port && hosts[j]?.includes(name));
    own.push(...keepers.filter((name) => !own.includes(name) && !taken(name)));
  }
  return hosts;
}
