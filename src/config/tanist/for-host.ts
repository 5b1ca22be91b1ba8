/** A cluster's configuration as one of its hosts uses it. */
import { join } from 'node:path';
import type { HostConfig, TanistConfig } from './model.js';
import { isLoopback, isWildcard, type Listen } from './read-listen.js';

/**
 * Whether all hosts are addresses of one machine (127.0.0.1, 127.0.0.2, ...), as for a trial: then they share its disk
 * and its ports.
 */
export function isOneMachine(config: TanistConfig): boolean {
  return config.hosts.length > 1 && config.hosts.every((host) => isLoopback(host.address));
}

/**
 * The same configuration, with what hosts of one machine cannot share made the host's own: directories get its name
 * below them, and what listens on all addresses, or on 127.0.0.1, listens on the host's address.
 * @throws {RangeError} when there is no host of that name.
 */
export function configForHost(config: TanistConfig, name: string): TanistConfig {
  const host = config.hosts.find((each) => each.name === name);
  if (host === undefined) throw new RangeError(`there is no host ${name} in ${config.file}`);
  if (!isOneMachine(config)) return config;
  const { proxy } = config;
  return {
    ...config,
    groups: config.groups.map((group) => ({
      ...group,
      redis: { ...group.redis, directory: join(group.redis.directory, name) },
    })),
    proxy: proxy && {
      ...proxy,
      stats: proxy.stats && ownListen(proxy.stats, host),
      pools: proxy.pools.map((pool) => ({ ...pool, listen: ownListen(pool.listen, host) })),
    },
    api: { ...config.api, ...ownListen(config.api, host) },
    stateDirectory: join(config.stateDirectory, name),
  };
}

function ownListen({ host, port }: Listen, own: HostConfig): Listen {
  return { host: isWildcard(host) || host === '127.0.0.1' || host === '::1' ? own.address : host, port };
}
