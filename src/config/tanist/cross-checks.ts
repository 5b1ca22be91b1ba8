/** What only shows when the parts of a tanist.yml are held beside each other. */
import { familyOf } from '../../base/ip-bytes.js';
import type { HostConfig, TanistConfig } from './model.js';
import type { PlacedGroup } from './read-groups.js';
import { isWildcard } from './read-listen.js';
import type { PlacedProxy } from './read-proxy.js';
import type { Reporter } from './report.js';
import type { Path } from './yaml-tree.js';

export interface Parts {
  readonly mode: TanistConfig['mode'];
  readonly hosts: readonly HostConfig[];
  readonly groups: readonly PlacedGroup[];
  readonly proxy: PlacedProxy | null;
  readonly sentinel: TanistConfig['sentinel'];
  readonly api: TanistConfig['api'];
  readonly arbiter: string | null;
}

export function crossCheck(reporter: Reporter, parts: Parts): void {
  for (const group of parts.groups) checkGroup(reporter, parts, group);
  checkVips(reporter, parts);
  checkVrids(reporter, parts.groups);
  checkDirectories(reporter, parts.groups);
  checkSockets(reporter, parts);
  const taken = parts.hosts.find((host) => host.address === parts.arbiter);
  if (taken !== undefined) {
    reporter.value(
      ['arbiter'],
      `the arbiter is the host ${taken.name} itself`,
      'name a third machine, such as the gateway',
    );
  }
}

function checkGroup(reporter: Reporter, { mode, hosts }: Parts, group: PlacedGroup): void {
  const { path, name, durability } = group;
  if (reporter.touched('hosts') || reporter.touched(...path, 'hosts')) return;
  const where: Path = path.length === 0 ? ['hosts'] : path;
  if (durability === 'replicated' && group.hosts.length < 2) {
    const own = reporter.has([...path, 'durability']) ? [...path, 'durability'] : ['durability'];
    reporter.value(
      own,
      `durability: replicated, but ${name} has one host: there is no replica to hold a write`,
      'add a host, or write async',
    );
  }
  if (mode !== 'pair') return;
  if (group.hosts.length !== hosts.length) {
    reporter.key(where, `${name} does not stand on both hosts, as \`mode: pair\` needs`, 'remove its `hosts`');
  }
  if (group.vips.length === 0 && !reporter.touched(...path, 'vip')) {
    reporter.key(
      where,
      `${name} has no \`vip\`, and in pair mode who holds it is the master`,
      'add e.g. `vip: 10.0.0.100/24`',
    );
  }
}

function checkVips(reporter: Reporter, { hosts, groups }: Parts): void {
  const seen = new Map<string, string>(hosts.map((host) => [host.address, `the address of the host ${host.name}`]));
  for (const group of groups) {
    for (const { address, path } of group.vips) {
      const twin = seen.get(address);
      if (twin !== undefined) {
        reporter.value(path, `the VIP ${address} is ${twin}`, 'a VIP is an address of its own, that no host has');
      }
      seen.set(address, `a VIP already, of ${group.name}`);
    }
  }
}

/** Routers with one id in one network take each other's place, whatever addresses they carry. */
function checkVrids(reporter: Reporter, groups: readonly PlacedGroup[]): void {
  const seen = new Map<string, { group: string; device: string | null }[]>();
  for (const group of groups) {
    for (const vip of group.vips) {
      const key = `${familyOf(vip.address)} ${vip.vrid}`;
      const others = seen.get(key) ?? [];
      const twin = others.find(
        (other) =>
          other.group !== group.name &&
          (other.device === null || vip.interface === null || other.device === vip.interface),
      );
      if (twin !== undefined) {
        const message = `the VIPs of ${twin.group} and ${group.name} have the same vrid, ${vip.vrid}`;
        reporter.value(
          vip.path,
          message,
          `write {address: ${vip.address}/${vip.prefix}, vrid: <another from 1 to 255>}`,
        );
      }
      seen.set(key, [...others, { group: group.name, device: vip.interface }]);
    }
  }
}

function checkDirectories(reporter: Reporter, groups: readonly PlacedGroup[]): void {
  for (const [i, group] of groups.entries()) {
    const twin = groups
      .slice(0, i)
      .find((other) => other.redis.directory === group.redis.directory && shareHost(other, group));
    if (twin === undefined) continue;
    const message = `${twin.name} and ${group.name} would keep their data in one directory, ${group.redis.directory}`;
    reporter.key([...group.path, 'redis', 'directory'], message, 'give each group its own');
  }
}

function shareHost(a: PlacedGroup, b: PlacedGroup): boolean {
  return a.hosts.some((host) => b.hosts.includes(host));
}

interface Socket {
  readonly what: string;
  /** null: an address of the host, and so a clash with any. */
  readonly host: string | null;
  readonly port: number;
  readonly path: Path;
  /** Hosts that open it; null for all. */
  readonly on: readonly string[] | null;
}

/** Two of one host's sockets on one port. */
function checkSockets(reporter: Reporter, { groups, proxy, sentinel, api }: Parts): void {
  const sockets: Socket[] = [
    ...groups.map((group) => ({
      what: `Redis of ${group.name}`,
      host: null,
      port: group.redis.port,
      path: group.portPath,
      on: group.hosts,
    })),
    { what: 'the Sentinel API', host: null, port: sentinel.port, path: ['sentinel', 'port'], on: null },
    { what: 'the HTTP API', host: api.host, port: api.port, path: ['api'], on: null },
    ...(proxy?.pools ?? []).map((pool) => ({
      what: `the pool ${pool.name}`,
      host: pool.listen.host,
      port: pool.listen.port,
      path: pool.path.length === 1 ? pool.path : [...pool.path, 'listen'],
      on: null,
    })),
  ];
  if (proxy?.stats != null) {
    sockets.push({ what: "the proxy's statistics", ...proxy.stats, path: ['proxy', 'stats'], on: null });
  }
  for (const [i, socket] of sockets.entries()) {
    const twin = sockets.slice(0, i).find((other) => clash(other, socket));
    if (twin === undefined) continue;
    const message = `${socket.what} and ${twin.what} would both listen on port ${socket.port} of one host`;
    // What was written is to blame, not what was left to the default.
    const at = reporter.has(socket.path) || !reporter.has(twin.path) ? socket.path : twin.path;
    reporter.value(at, message, 'give each a port of its own');
  }
}

function clash(a: Socket, b: Socket): boolean {
  if (a.port !== b.port) return false;
  if (a.on !== null && b.on !== null && !a.on.some((host) => b.on?.includes(host))) return false;
  return a.host === null || b.host === null || a.host === b.host || isWildcard(a.host) || isWildcard(b.host);
}
