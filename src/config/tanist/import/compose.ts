/** Writes a cluster as a tanist.yml, each line with where it came from. */
import { DEFAULTS } from '../defaults.js';
import { formatDuration, formatSize } from '../units.js';
import type { Cluster, Member } from './combine.js';
import type { Facts, Sourced } from './facts.js';
import { type Entry, flow, map, oneLine, printEntries } from './plan.js';

/** A host with an address, if only one for examples. */
export interface PlacedMember extends Member {
  readonly address: string;
  readonly placeholder: boolean;
}

/** The text: the same values as YAML reads from it. */
export function compose(
  cluster: Cluster,
  members: readonly PlacedMember[],
  facts: Facts,
  todo: readonly string[],
): string {
  const single = cluster.groups.length === 0;
  const entries: Entry[] = [
    ...(cluster.mode === 'pair' ? [flow('mode', 'pair', 'two hosts without a Sentinel: VRRP decides')] : []),
    map('hosts', members.map(hostEntry)),
    ...(single ? plainEntries(facts) : groupEntries(cluster, facts)),
    ...settingEntries(cluster, facts),
    ...proxyEntries(cluster),
  ];
  const head = [
    'Made by `tanist import`; what each line came from stands behind it.',
    ...todo.map((line) => `To do: ${line}`),
  ];
  return `${head.map((line) => `# ${oneLine(line)}\n`).join('')}\n${printEntries(entries)}`;
}

function hostEntry({ name, address, witness, placeholder, source }: PlacedMember): Entry {
  const comment = placeholder ? `an example address: ${source}` : source;
  return flow(name, witness ? { address, witness } : address, comment);
}

/** One group without a name: `redis` and `vip` at the top. */
function plainEntries(facts: Facts): Entry[] {
  const port = facts.scriptPort ?? { value: DEFAULTS.redisPort, source: "Redis's own default" };
  return [map('redis', [flow('port', port.value, port.source)]), ...vipEntries(facts)];
}

/** The VIPs are the first group's: with others, nobody can say whose they are. */
function groupEntries({ groups, pools }: Cluster, facts: Facts): Entry[] {
  if (facts.vips.length > 0 && groups.length > 1) {
    const [vip] = facts.vips;
    facts.lose(
      vip?.source ?? '',
      `the VIP follows the group ${groups[0]?.name ?? ''}; move it if it belongs to another`,
    );
  }
  return [
    map(
      'groups',
      groups.map(({ name, hosts, port, user, password, source }, i) =>
        map(
          name,
          [
            ...(hosts === null ? [] : [flow('hosts', hosts)]),
            map('redis', [
              flow('port', port),
              ...(user === '' || password === '' ? [] : [flow('user', user)]),
              ...(password === '' ? [] : [flow('password', password, 'better in a file of its own: password_file')]),
            ]),
            ...(i === 0 ? vipEntries(facts) : []),
            ...pools
              .flatMap((pool) => pool.shards)
              .filter((shard) => shard.group === name && shard.replicated)
              .slice(0, 1)
              .map((shard) => flow('durability', 'replicated', shard.source)),
          ],
          source,
        ),
      ),
    ),
  ];
}

function vipEntries({ vips }: Facts): Entry[] {
  // The VIPs of a group are one virtual router: the first one's id is that of all.
  const vrid = vips.find((vip) => vip.vrid !== null)?.vrid ?? null;
  const items = vips.map(({ address, prefix, interface: device, source }) => ({
    flow: {
      address: prefix === null ? address : `${address}/${prefix}`,
      ...(device === null ? {} : { interface: device }),
      ...(vrid === null ? {} : { vrid }),
    },
    comment: source,
  }));
  const [first, ...rest] = items;
  if (first === undefined) return [];
  if (rest.length === 0) return [flow('vip', first.flow, first.comment)];
  return [{ key: 'vip', value: { kind: 'list', items }, comment: '' }];
}

function settingEntries({ mode }: Cluster, facts: Facts): Entry[] {
  const sentinel: Entry[] = [];
  const add = <T extends string | number>(
    key: string,
    given: Sourced<T> | null,
    show: (value: T) => string | number,
  ) => {
    if (given !== null) sentinel.push(flow(key, show(given.value), given.source));
  };
  add('port', facts.sentinelPort, (port) => port);
  add('password', facts.sentinelPassword, (password) => password);
  add('down_after', inRange(facts, facts.downAfter_ms, 100, 600_000), formatDuration);
  add('failover_timeout', inRange(facts, facts.failoverTimeout_ms, 1_000, 3_600_000), formatDuration);
  const failback = mode === 'pair' ? inRange(facts, facts.failbackAfter_ms, 0, 7 * 86_400_000) : null;
  return [
    ...(failback === null
      ? []
      : [flow('failback', { after: formatDuration(failback.value) }, `${failback.source}: it preempts`)]),
    ...(sentinel.length === 0 ? [] : [map('sentinel', sentinel)]),
    ...(facts.logLevel === null ? [] : [flow('log_level', facts.logLevel.value, facts.logLevel.source)]),
  ];
}

/** What a tanist.yml takes of a duration; null, and a loss, when it takes it not. */
function inRange(facts: Facts, given: Sourced<number> | null, min: number, max: number): Sourced<number> | null {
  if (given === null || (given.value >= min && given.value <= max)) return given;
  const range = `${formatDuration(min)} to ${formatDuration(max)}`;
  facts.lose(given.source, `${given.value} ms: it may be ${range}; the default holds`);
  return null;
}

function proxyEntries({ pools }: Cluster): Entry[] {
  const filled = pools.filter((pool) => pool.shards.length > 0);
  if (filled.length === 0) return [];
  const clash = filled.some((pool) => pool.port === DEFAULTS.stats.port);
  return [
    map('proxy', [
      ...(clash ? [flow('stats', 'off', 'a pool has its port')] : []),
      map(
        'pools',
        filled.map((pool) => map(pool.name, poolEntries(pool), pool.source)),
      ),
    ]),
  ];
}

function poolEntries(pool: Cluster['pools'][number]): Entry[] {
  const items = pool.shards.map(({ group, ring, weight, source }) => ({
    flow: { group, name: ring, ...(weight === 1 ? {} : { weight }) },
    comment: source,
  }));
  return [
    flow('listen', pool.port),
    { key: 'groups', value: { kind: 'list', items }, comment: 'the names on the ring keep every key where it is' },
    flow('hash', pool.hash),
    ...(pool.hashTag === null ? [] : [flow('hash_tag', pool.hashTag)]),
    flow('distribution', pool.distribution),
    ...(pool.password === null ? [] : [flow('password', pool.password, 'better in a file of its own: password_file')]),
    ...(pool.users === null ? [] : [flow('users', pool.users)]),
    ...(pool.timeout_ms === null ? [] : [flow('timeout', formatDuration(Math.min(pool.timeout_ms, 3_600_000)))]),
    ...(pool.clientConnections === 0 ? [] : [flow('client_connections', Math.min(pool.clientConnections, 1_000_000))]),
    ...(pool.hold === null
      ? []
      : [
          flow('hold', {
            time: formatDuration(Math.min(pool.hold.time_ms, 600_000)),
            size: formatSize(Math.min(pool.hold.size_bytes, 2 ** 32)),
          }),
        ]),
  ];
}
