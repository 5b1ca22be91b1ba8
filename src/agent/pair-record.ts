/**
 * Pair mode: VRRP has decided, and the Sentinel of this host only tells it. The decision reaches it as news of the other
 * host's Sentinel does, under the next config epoch, so that clients, history and routes follow as after a failover.
 */
import type { HostConfig, TanistConfig } from '../config/tanist/model.js';
import type { LeaderRecord, Place } from '../keeper/core/io.js';
import { HELLO_CHANNEL } from '../sentinel/core/hello.js';
import { sentinelId } from './identity.js';

/** @returns the command for this host's Sentinel; null when its record names this Redis already */
export function pairNews(
  config: TanistConfig,
  self: HostConfig,
  group: string,
  place: Place,
  record: LeaderRecord | null,
): readonly string[] | null {
  if (record !== null && record.master.host === place.host && record.master.port === place.port) return null;
  const other = config.hosts.find(({ name }) => name !== self.name);
  if (other === undefined) return null;
  const epoch = (record?.epoch ?? 0) + 1;
  const from = [other.address, config.sentinel.port, sentinelId(config.cluster, other.name)];
  return ['PUBLISH', HELLO_CHANNEL, [...from, epoch, group, place.host, place.port, epoch].join(',')];
}
