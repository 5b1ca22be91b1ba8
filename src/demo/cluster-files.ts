/** The files of the demo's cluster. */
import { isAbsolute, resolve } from 'node:path';
import type { GroupView } from '../agent/view.js';

export const HOST_ADDRESSES: Readonly<Record<string, string>> = { a: '127.0.0.1', b: '127.0.0.2', c: '127.0.0.3' };
export const PROXY_ADDRESS = '127.0.0.1';
/** tanist.yml's name for the one group of a cluster that names none. */
export const GROUP = 'mymaster';

export interface ClusterOptions {
  /** The program, by name or path. */
  readonly redisServer: string;
  readonly durability: GroupView['durability'];
  readonly lease_ms: number;
}

/** The same on each host. */
export interface Ports {
  readonly redis: number;
  readonly sentinel: number;
  readonly api: number;
  /** The plain address. */
  readonly proxy: number;
  readonly proxyStatistics: number;
}

/** By their names in the demo's folder. */
export function clusterFiles(options: ClusterOptions, ports: Ports): Readonly<Record<string, string>> {
  return {
    'tanist.yml': tanistYml(options, ports),
    // A Redis that is started again has what it had, unless it has been emptied.
    'redis.conf': 'appendonly yes\nsave ""\n',
    'proxy.yml': proxyYml(options, ports),
  };
}

/** tanist.yml: three agents by one file. */
function tanistYml({ redisServer, durability, lease_ms }: ClusterOptions, ports: Ports): string {
  const program = redisServer.includes('/') && !isAbsolute(redisServer) ? resolve(redisServer) : redisServer;
  return [
    '# Three hosts on one machine: they have the same ports, each on an address of its own.',
    'hosts:',
    ...Object.entries(HOST_ADDRESSES).map(([name, address]) => `  ${name}: ${address}`),
    'redis:',
    `  port: ${ports.redis}`,
    `  program: ${JSON.stringify(program)}`,
    '  config: redis.conf',
    '  directory: redis',
    `lease: ${lease_ms}ms`,
    `durability: ${durability}`,
    `sentinel: { port: ${ports.sentinel} }`,
    `api: { listen: ${ports.api} }`,
    'state_directory: state',
    '',
  ].join('\n');
}

/** On an application's own host: it asks the agents, which are Sentinels to it. */
function proxyYml({ durability }: ClusterOptions, ports: Ports): string {
  const sentinels = Object.values(HOST_ADDRESSES).map((address) => `${address}:${ports.sentinel}`);
  return [
    'demo:',
    `  listen: ${PROXY_ADDRESS}:${ports.proxy}`,
    '  redis: true',
    `  sentinels: [${sentinels.join(', ')}]`,
    `  durability: ${durability}`,
    '  servers:',
    `    - ${GROUP}:1`,
    '',
  ].join('\n');
}
