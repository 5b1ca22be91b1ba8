/** INFO as Redis 7 words it, cut down to what a Sentinel reads. */
import type { RedisProcess } from './process.js';

export function infoText(redis: RedisProcess): string {
  const { loop } = redis.context;
  const { data, replicas, upstream } = redis;
  const lines = [
    '# Server',
    'redis_version:7.2.4',
    `run_id:${redis.runId}`,
    `uptime_in_seconds:${Math.floor((loop.now - redis.startedAt) / 1_000)}`,
    '# Persistence',
    `loading:${redis.loading ? 1 : 0}`,
    '# Replication',
    `role:${redis.role === 'master' ? 'master' : 'slave'}`,
  ];
  if (redis.role === 'replica') {
    lines.push(
      `master_host:${redis.following?.ip ?? ''}`,
      `master_port:${redis.following?.port ?? 0}`,
      `master_link_status:${upstream.up ? 'up' : 'down'}`,
      `master_last_io_seconds_ago:${upstream.up ? Math.floor((loop.now - upstream.lastHeardAt) / 1_000) : -1}`,
      `master_sync_in_progress:${upstream.syncing ? 1 : 0}`,
      `slave_repl_offset:${data.offset}`,
    );
    if (!upstream.up) {
      const since = upstream.downSince === null ? -1 : Math.floor((loop.now - upstream.downSince) / 1_000);
      lines.push(`master_link_down_since_seconds:${since}`);
    }
    lines.push(`slave_priority:${redis.options.priority}`, 'replica_announced:1');
  }
  lines.push(`connected_slaves:${replicas.all.length}`);
  replicas.all.forEach((replica, index) => {
    const lag = Math.floor((loop.now - replica.lastAckAt) / 1_000);
    lines.push(
      `slave${index}:ip=${replica.ip},port=${replica.port},state=${replica.state},offset=${replica.acked},lag=${lag}`,
    );
  });
  lines.push(
    `master_failover_state:${redis.handover.state}`,
    `master_replid:${data.replid}`,
    `master_replid2:${data.replid2 === '' ? '0'.repeat(40) : data.replid2}`,
    `master_repl_offset:${data.offset}`,
    `second_repl_offset:${data.replid2 === '' ? -1 : data.secondOffset + 1}`,
  );
  if (data.writes.length > 0) lines.push('# Keyspace', `db0:keys=${data.writes.length},expires=0,avg_ttl=0`);
  lines.push('');
  return lines.join('\r\n');
}
