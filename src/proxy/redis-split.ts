/** Which arguments of a request with many keys go to which shard. */
import type { Pool } from './forward/pool.js';
import type { Shard } from './forward/shard.js';
import type { RedisRequestFrame } from './framing/redis-request.js';

export interface Split {
  readonly shards: readonly { readonly shard: Shard; readonly indexes: readonly number[] }[];
  /** For each key, in order, the number of the part it went to. */
  readonly fragmentOf: readonly number[];
}

/** @param step 2 when every key is followed by its value. @returns an error with `%s` for the command's name. */
export function splitByShard(pool: Pool, bytes: Buffer, frame: RedisRequestFrame, step: 1 | 2): Split | string {
  if (frame.argc < 2 || (frame.argc - 1) % step !== 0) return "ERR wrong number of arguments for '%s' command";
  const parts = new Map<Shard, { shard: Shard; indexes: number[]; number: number }>();
  const fragmentOf: number[] = [];
  for (let i = 1; i < frame.argc; i += step) {
    const shard = pool.shardOf(bytes, frame.argStart(i), frame.argEnd(i));
    let part = parts.get(shard);
    if (part === undefined) {
      part = { shard, indexes: [], number: parts.size };
      parts.set(shard, part);
    }
    for (let k = i; k < i + step; k++) part.indexes.push(k);
    fragmentOf.push(part.number);
  }
  return { shards: [...parts.values()], fragmentOf };
}
