/**
 * Which Redis commands there are, where their keys stand and what they do with them, by Redis 7's own COMMAND table. The
 * lists are read by `table.ts`.
 */

/** The key is the argument behind the name; anything else is left to the server. */
export const ONE_KEY_READS =
  'bitcount bitfield_ro bitpos dump expiretime geodist geohash geopos georadius_ro georadiusbymember_ro geosearch get getbit getrange hexists hexpiretime hget hgetall hkeys hlen hmget hpexpiretime hpttl hrandfield hscan hstrlen httl hvals lindex llen lpos lrange pexpiretime pttl scard sismember smembers smismember sort_ro srandmember sscan strlen substr ttl type xlen xpending xrange xrevrange zcard zcount zlexcount zmscore zrandmember zrange zrangebylex zrangebyscore zrank zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore';
export const ONE_KEY_WRITES =
  'append bitfield decr decrby delex expire expireat geoadd getdel getex getset hdel hexpire hexpireat hgetdel hgetex hincrby hincrbyfloat hmset hpersist hpexpire hpexpireat hset hsetex hsetnx incr incrby incrbyfloat linsert lpop lpush lpushx lrem lset ltrim persist pexpire pexpireat pfadd psetex restore rpop rpush rpushx sadd set setbit setex setnx setrange spop spublish srem xack xackdel xadd xautoclaim xclaim xdel xdelex xsetid xtrim zadd zincrby zpopmax zpopmin zrem zremrangebylex zremrangebyrank zremrangebyscore';

/** Commands that name keys from argument `first` to `last` (negative: counted from the end) in steps of `step`. */
export interface KeyRange {
  readonly names: string;
  readonly first: number;
  readonly last: number;
  readonly step: number;
  readonly reads: boolean;
  readonly blocks: boolean;
}

export const KEY_RANGES: readonly KeyRange[] = [
  { names: 'pfcount sdiff sinter sunion', first: 1, last: -1, step: 1, reads: true, blocks: false },
  { names: 'pfmerge sdiffstore sinterstore sunionstore', first: 1, last: -1, step: 1, reads: false, blocks: false },
  { names: 'msetnx', first: 1, last: -1, step: 2, reads: false, blocks: false },
  { names: 'lcs', first: 1, last: 2, step: 1, reads: true, blocks: false },
  {
    names: 'copy geosearchstore lmove rename renamenx rpoplpush smove zrangestore',
    first: 1,
    last: 2,
    step: 1,
    reads: false,
    blocks: false,
  },
  { names: 'bitop', first: 2, last: -1, step: 1, reads: false, blocks: false },
  { names: 'object xinfo', first: 2, last: 2, step: 1, reads: true, blocks: false },
  { names: 'xgroup', first: 2, last: 2, step: 1, reads: false, blocks: false },
  { names: 'blpop brpop bzpopmax bzpopmin', first: 1, last: -2, step: 1, reads: false, blocks: true },
  { names: 'blmove brpoplpush', first: 1, last: 2, step: 1, reads: false, blocks: true },
];

/** Commands whose argument `countAt` says how many keys follow it; `alsoAt` is one more key in front, or 0. */
export interface CountedKeys {
  readonly names: string;
  readonly countAt: number;
  readonly alsoAt: number;
  readonly reads: boolean;
  readonly blocks: boolean;
}

export const COUNTED_KEYS: readonly CountedKeys[] = [
  { names: 'eval evalsha fcall', countAt: 2, alsoAt: 0, reads: false, blocks: false },
  { names: 'eval_ro evalsha_ro fcall_ro', countAt: 2, alsoAt: 0, reads: true, blocks: false },
  { names: 'sintercard zdiff zinter zintercard zunion', countAt: 1, alsoAt: 0, reads: true, blocks: false },
  { names: 'lmpop zmpop', countAt: 1, alsoAt: 0, reads: false, blocks: false },
  { names: 'blmpop bzmpop', countAt: 2, alsoAt: 0, reads: false, blocks: true },
  { names: 'zdiffstore zinterstore zunionstore', countAt: 2, alsoAt: 1, reads: false, blocks: false },
];

/** The first key is argument 1; another may follow the word STORE or STOREDIST. */
export const MAY_STORE = 'sort georadius georadiusbymember';

/** Keys are the first half of what follows the word STREAMS; the word BLOCK makes them wait. */
export const STREAM_READS = 'xread xreadgroup';

/** Answered by the proxy, or joined from several servers, by a handler of their own. */
export const OWN_HANDLING =
  'acl auth client command dbsize discard echo exec flushall flushdb hello info keys multi ping psubscribe publish pubsub punsubscribe quit randomkey readonly readwrite reset scan script select slowlog subscribe time unsubscribe unwatch wait watch';

/** Known, and refused with the reason. */
export const REFUSED: readonly { readonly names: string; readonly reason: string }[] = [
  {
    names: 'ssubscribe sunsubscribe',
    reason: 'sharded subscriptions are not carried; use SUBSCRIBE',
  },
  {
    names:
      'bgrewriteaof bgsave config debug failover lastsave latency module monitor pfdebug pfselftest role save shutdown swapdb memory lolwut',
    reason: 'it addresses one server, and behind this proxy there may be several; connect to the server itself',
  },
  {
    names: 'psync replconf replicaof slaveof sync restore-asking asking cluster waitaof',
    reason: 'replication and cluster commands make no sense through a proxy',
  },
  { names: 'migrate move', reason: 'a key moved by it would not be where the ring expects it' },
  { names: 'function', reason: 'libraries must be loaded on each server directly' },
];
