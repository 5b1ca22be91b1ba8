/**
 * Directives of redis.conf (Redis 7, Valkey 8) that a sentinel.conf may hold, since the original reads one table for
 * both, and that mean nothing to a Sentinel. They are accepted with a note and kept as they are; their values are not
 * checked.
 */
import { type Arity, exactly } from './line-reader.js';

const ONE_ARGUMENT = `
  active-defrag-cycle-max active-defrag-cycle-min active-defrag-cycle-us active-defrag-ignore-bytes
  active-defrag-max-scan-fields active-defrag-threshold-lower active-defrag-threshold-upper
  active-expire-effort activedefrag activerehashing always-show-logo aof-disable-auto-gc aof-load-truncated
  aof-rewrite-incremental-fsync aof-timestamp-enabled aof-use-rdb-preamble aof_rewrite_cpulist appenddirname
  appendfilename appendfsync appendonly auto-aof-rewrite-min-size auto-aof-rewrite-percentage availability-zone
  bgsave_cpulist bio_cpulist busy-reply-threshold client-query-buffer-limit cluster-allow-pubsubshard-when-down
  cluster-allow-reads-when-down cluster-allow-replica-migration cluster-announce-bus-port
  cluster-announce-hostname cluster-announce-human-nodename cluster-announce-ip cluster-announce-port
  cluster-announce-tls-port cluster-blacklist-ttl cluster-config-file cluster-enabled
  cluster-link-sendbuf-limit cluster-manual-failover-timeout cluster-migration-barrier cluster-node-timeout
  cluster-port cluster-preferred-endpoint-type cluster-replica-no-failover cluster-replica-validity-factor
  cluster-require-full-coverage cluster-slave-no-failover cluster-slave-validity-factor
  cluster-slot-stats-enabled commandlog-execution-slower-than commandlog-large-reply-max-len
  commandlog-large-request-max-len commandlog-reply-larger-than commandlog-request-larger-than
  commandlog-slow-execution-max-len crash-log-enabled crash-memcheck-enabled databases dbfilename disable-thp
  dual-channel-replication-enabled dynamic-hz enable-debug-command enable-module-command
  enable-protected-configs events-per-io-thread extended-redis-compatibility hash-max-listpack-entries
  hash-max-listpack-value hash-max-ziplist-entries hash-max-ziplist-value hide-user-data-from-log
  hll-sparse-max-bytes hz ignore-warnings import-mode io-threads io-threads-do-reads jemalloc-bg-thread
  latency-monitor-threshold latency-tracking lazyfree-lazy-eviction lazyfree-lazy-expire
  lazyfree-lazy-server-del lazyfree-lazy-user-del lazyfree-lazy-user-flush lfu-decay-time lfu-log-factor
  list-compress-depth list-max-listpack-size list-max-ziplist-entries list-max-ziplist-size
  list-max-ziplist-value locale-collate log-format log-timestamp-format lua-enable-insecure-api lua-time-limit
  masterauth masteruser max-new-connections-per-cycle max-new-tls-connections-per-cycle maxmemory
  maxmemory-clients maxmemory-eviction-tenacity maxmemory-policy maxmemory-samples min-replicas-max-lag
  min-replicas-to-write min-slaves-max-lag min-slaves-to-write mptcp no-appendfsync-on-rewrite
  notify-keyspace-events oom-score-adj prefetch-batch-max-size primaryauth primaryuser proc-title-template
  propagation-error-behavior proto-max-bulk-len rdb-del-sync-files rdb-save-incremental-fsync rdb-version-check
  rdbchecksum rdbcompression repl-backlog-size repl-backlog-ttl repl-disable-tcp-nodelay repl-diskless-load
  repl-diskless-sync repl-diskless-sync-delay repl-diskless-sync-max-replicas repl-mptcp
  repl-ping-replica-period repl-ping-slave-period repl-timeout replica-announce-ip replica-announce-port
  replica-announced replica-ignore-disk-write-errors replica-ignore-maxmemory replica-lazy-flush
  replica-priority replica-read-only replica-serve-stale-data sanitize-dump-payload server_cpulist
  set-max-intset-entries set-max-listpack-entries set-max-listpack-value set-proc-title shutdown-timeout
  slave-announce-ip slave-announce-port slave-ignore-maxmemory slave-lazy-flush slave-priority slave-read-only
  slave-serve-stale-data slowlog-log-slower-than slowlog-max-len socket-mark-id stop-writes-on-bgsave-error
  stream-node-max-bytes stream-node-max-entries tls-cluster tracking-table-max-keys zset-max-listpack-entries
  zset-max-listpack-value zset-max-ziplist-entries zset-max-ziplist-value
`;

const ANY_ARGUMENTS = `
  client-output-buffer-limit latency-tracking-info-percentiles oom-score-adj-values save shutdown-on-sigint
  shutdown-on-sigterm
`;

const TWO_ARGUMENTS = 'replicaof slaveof';

function names(list: string): string[] {
  return list.split(/\s+/).filter((name) => name !== '');
}

/** By lower-case name. */
export const IGNORED_DIRECTIVES: ReadonlyMap<string, Arity> = new Map<string, Arity>([
  ...names(ONE_ARGUMENT).map((name) => [name, exactly(1)] as const),
  ...names(TWO_ARGUMENTS).map((name) => [name, exactly(2)] as const),
  ...names(ANY_ARGUMENTS).map((name) => [name, { min: 1, max: null, comments: true }] as const),
  ['loadmodule', { min: 1, max: null, comments: true }],
]);

/** Written by redis-sentinel itself into every file: no reason for a note. */
export const SILENTLY_IGNORED: ReadonlySet<string> = new Set(['latency-tracking-info-percentiles']);
