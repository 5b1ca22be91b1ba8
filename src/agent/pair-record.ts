/**
 * Pair mode: VRRP has decided, and the Sentinel of this host only tells it. The decision reaches it as news of the other
 * host's Sentinel does, under the next config epoch, so that clients, history and routes follow as after a failover.
 */
import type { HostConfig, TanistConfig } from '../config/tanist/model.js';
import type { LeaderRecord, Place } from '../keeper/core/io.js';
import { samePlace } from '../keeper/core/state.js';
import { HELLO_CHANNEL } from '../sentinel/core/hello.js';
import { sentinelId } from './identity.js';

/**
 * Both hosts tell their Sentinels: the one that VRRP has made the master, of itself; the other, of that one. Their records may
 * have gone apart while they were cut off from each other, even under one epoch, and the Sentinels settle that by the greater
 * epoch alone: whichever it was, the next one names the same Redis on both sides.
 * @param leader who leads; null while that is not settled
 * @returns the command for this host's Sentinel; null when there is nothing to tell
 */
export function pairNews(
  config: TanistConfig,
  self: HostConfig,
  group: string,
  leader: Place | null,
  record: LeaderRecord | null,
): readonly string[] | null {
  const other = config.hosts.find(({ name }) => name !== self.name);
  if (other === undefined) return null;
  const from = { host: other.address, port: config.sentinel.port, runId: sentinelId(config.cluster, other.name) };
  return helloFor(from, group, leader, record);
}

/** The same, as news of any Sentinel. */
export function helloFor(
  from: Place & { readonly runId: string },
  group: string,
  leader: Place | null,
  record: LeaderRecord | null,
): readonly string[] | null {
  if (leader === null) return null;
  if (record !== null && samePlace(record.master, leader)) return null;
  const epoch = (record?.epoch ?? 0) + 1;
  const news = [from.host, from.port, from.runId, epoch, group, leader.host, leader.port, epoch];
  return ['PUBLISH', HELLO_CHANNEL, news.join(',')];
}
