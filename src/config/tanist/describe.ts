/** What a configuration means, in words: the text of `tanist check`. */
import { placeName } from '../../base/place.js';
import { fileDigests, fingerprint } from './digest.js';
import type { Finding } from './findings.js';
import { configForHost, isOneMachine } from './for-host.js';
import type { Failback, GroupConfig, PoolSettings, TanistConfig, VipConfig } from './model.js';
import { pairs, type Style, table } from './table.js';
import { formatDuration, formatSize } from './units.js';

/** How many voters decide. */
export function quorumOf(config: TanistConfig): number {
  return Math.floor(config.hosts.length / 2) + 1;
}

/** The whole cluster. */
export function describeCluster(config: TanistConfig, style: Style): string {
  return [
    `${style.head(`Cluster ${config.cluster}`)}  ${decision(config)}`,
    '',
    style.head('Hosts'),
    ...table(
      ['Name', 'Address', 'Keeps', 'Interface'],
      config.hosts.map((host) => hostRow(config, host)),
      style,
    ),
    '',
    style.head('Groups'),
    ...table(['Name', 'Hosts', 'Redis', 'VIP', 'Durability', 'Failback'], config.groups.map(groupRow), style),
    ...poolLines(config, style),
    '',
    style.head('Settings'),
    ...pairs(settings(config), style),
    '',
  ].join('\n');
}

function decision({ mode, hosts, arbiter, ...config }: TanistConfig): string {
  if (mode === 'pair') {
    return `VRRP decides between two hosts${arbiter === null ? '' : `; who keeps the VIP must reach ${arbiter} or the other`}`;
  }
  const quorum = quorumOf({ mode, hosts, arbiter, ...config });
  const bear = hosts.length - quorum;
  const hostsVote = hosts.length === 1 ? '1 host votes' : `${hosts.length} hosts vote`;
  return `${hostsVote}, ${quorum} decide${quorum === 1 ? 's' : ''}; ${bear} may be lost`;
}

function hostRow(
  { groups }: TanistConfig,
  { name, address, witness, interface: device }: TanistConfig['hosts'][number],
) {
  const kept = groups.filter((group) => group.hosts.includes(name)).map((group) => group.name);
  const keeps = witness ? 'nothing: a witness' : kept.length === 0 ? 'nothing' : kept.join(', ');
  return [name, address, keeps, device ?? '-'];
}

function groupRow({ name, hosts, redis, vips, durability, failback }: GroupConfig): string[] {
  const vip = vips.length === 0 ? '-' : vips.map(vipText).join(', ');
  const attached = redis.attach ? ', started by others' : '';
  return [name, hosts.join(', '), `port ${redis.port}${attached}`, vip, durability, failbackText(failback)];
}

function vipText({ address, prefix, interface: device, vrid }: VipConfig): string {
  return `${address}/${prefix}${device === null ? '' : ` on ${device}`} (vrid ${vrid})`;
}

function failbackText(failback: Failback): string {
  return failback.when === 'after' ? `after ${formatDuration(failback.wait_ms)}` : failback.when;
}

function poolLines({ proxy }: TanistConfig, style: Style): string[] {
  if (proxy === null) return [];
  const rows = proxy.pools.map((pool) => [
    pool.name,
    placeName(pool.listen),
    pool.ring.map(shardText).join(', '),
    `${pool.hash}, ${pool.distribution}`,
    `${formatDuration(pool.holdTimeout_ms)}, ${formatSize(pool.hold_bytes)}`,
  ]);
  return ['', style.head('Pools'), ...table(['Name', 'Listens on', 'Shards', 'Placement', 'Holds'], rows, style)];
}

function shardText({ group, name, weight }: PoolSettings['ring'][number]): string {
  const ring = name === group ? '' : ` as ${name}`;
  return `${group}${ring}${weight === 1 ? '' : ` x${weight}`}`;
}

function settings(config: TanistConfig): [string, string][] {
  const { lease, sentinel, api, proxy, hooks, mode } = config;
  const locked = (secret: object | null, what: string): string => (secret === null ? `no ${what}` : `with a ${what}`);
  return [
    ['Lease', leaseText(mode, lease.ttl_ms)],
    [
      'Sentinel',
      `port ${sentinel.port}, ${locked(sentinel.auth, 'password')}; down after ${formatDuration(sentinel.downAfter_ms)}, ` +
        `failover timeout ${formatDuration(sentinel.failoverTimeout_ms)}`,
    ],
    ['API', `${placeName(api)}, ${locked(api.token, 'token')}`],
    ...(proxy === null ? [] : [['Proxy', proxyText(proxy)] as [string, string]]),
    ...hooks.map((hook): [string, string] => [`Hook ${hook.name}`, `${hook.action.kind} on ${hook.on.join(', ')}`]),
    ['State', config.stateDirectory],
    ['File', `fingerprint ${fingerprint(fileDigests(config))}: the same on every host`],
  ];
}

function leaseText(mode: TanistConfig['mode'], ttl_ms: number | null): string {
  if (mode === 'pair') return 'none: two hosts have no majority';
  return ttl_ms === null ? 'off' : `${formatDuration(ttl_ms)}: a master that is cut off stops within that`;
}

function proxyText({ workers, stats }: NonNullable<TanistConfig['proxy']>): string {
  const processes = workers === 1 ? '1 process' : `${workers} processes`;
  return `${processes}, ${stats === null ? 'no statistics' : `statistics on ${placeName(stats)}`}`;
}

/**
 * What one host would do.
 * @throws {RangeError} when there is no host of that name.
 */
export function describeHost(cluster: TanistConfig, name: string, style: Style): string {
  const config = configForHost(cluster, name);
  const host = config.hosts.find((each) => each.name === name);
  const { address = '', witness = false, interface: device = null } = host ?? {};
  const groups = config.groups.filter((group) => group.hosts.includes(name));
  const rows: [string, string][] = [
    ...groups.flatMap((group) => hostGroupRows(group, name, device)),
    [
      'votes',
      config.mode === 'pair'
        ? 'no: VRRP decides'
        : `${witness ? 'as a witness, ' : ''}on ${placeName({ host: address, port: config.sentinel.port })}`,
    ],
    ...(config.proxy?.pools ?? []).map((pool): [string, string] => [
      'proxy',
      `${placeName(pool.listen)} to ${pool.groups.join(', ')}`,
    ]),
    ['API', `http://${placeName(config.api)}`],
    ['state', config.stateDirectory],
  ];
  return [
    `${style.head(`Host ${name}`)}  ${address}${isOneMachine(config) ? ', one of several on this machine' : ''}`,
    ...pairs(rows, style),
    '',
  ].join('\n');
}

function hostGroupRows(
  { name, hosts, redis, vips }: GroupConfig,
  host: string,
  device: string | null,
): [string, string][] {
  const place = hosts.indexOf(host);
  const choice = place === 0 ? 'preferred as master' : `choice ${place + 1} of ${hosts.length}`;
  const how = redis.attach ? 'adopts the Redis' : `keeps ${redis.program}`;
  const conf = redis.config === null ? '' : ` with ${redis.config}`;
  return [
    [name, `${how} on port ${redis.port}${conf}, in ${redis.directory}; ${choice}`],
    ...vips.map((vip): [string, string] => {
      const where = vip.interface ?? device ?? 'the interface of its address';
      return ['', `${vip.address}/${vip.prefix} on ${where} while it is the master (vrid ${vip.vrid})`];
    }),
  ];
}

/** Findings, each with its fix. */
export function describeFindings(list: readonly Finding[], style: Style): string {
  const part = (level: Finding['level'], title: string): string[] => {
    const some = list.filter((each) => each.level === level);
    if (some.length === 0) return [];
    const lines = some.flatMap(({ code, message, fix }) => [
      `  ${message} ${style.dim(`[${code}]`)}`,
      `    fix: ${fix}`,
    ]);
    return [level === 'warning' ? style.warn(title) : style.head(title), ...lines, ''];
  };
  return [...part('warning', 'Warnings'), ...part('note', 'Notes')].join('\n');
}
