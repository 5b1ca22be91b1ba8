/** Sentinels that vote here though the file does not name them. Pure. */
import { placeName } from '../base/place.js';
import type { TanistConfig } from '../config/tanist/model.js';
import type { GroupPicture } from '../sentinel/embedded/picture.js';
import { sentinelId } from './identity.js';

/**
 * What an operator should know of them: Sentinels find each other by Redis, and so the agent of a host that only its own
 * file names takes part, as does a redis-sentinel that was left running. Without a lease, as in a migration, that is meant.
 */
export function strangerWarnings(config: TanistConfig, pictures: readonly (GroupPicture | null)[]): string[] {
  if (config.lease.ttl_ms === null || config.mode === 'pair') return [];
  const named = new Set(config.hosts.map(({ name }) => sentinelId(config.cluster, name)));
  const all = pictures.flatMap((picture) => picture?.sentinels ?? []);
  const strangers = all.filter(({ runId, answers }) => answers && !named.has(runId));
  const places = new Set(strangers.map(placeName));
  return [...places].map(
    (place) =>
      `a Sentinel votes at ${place} that this tanist.yml does not name: an agent with another file, or a redis-sentinel that was left running. Put the same file on all hosts, or stop it there`,
  );
}
