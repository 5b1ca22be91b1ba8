/** What a tanist.yml means where it says nothing. docs/tanist-yml.md lists the same values. */
export const DEFAULTS = {
  cluster: 'tanist',
  group: 'mymaster',
  pool: 'default',
  redisPort: 6379,
  redisProgram: 'redis-server',
  hangAfter_ms: 1_000,
  busyLimit_ms: 15_000,
  leaseTtl_ms: 1_000,
  sentinelPort: 26_379,
  downAfter_ms: 1_000,
  /** Nothing but silence tells of a dead host then, and a short one is often no death. */
  downAfterWithoutLease_ms: 5_000,
  failoverTimeout_ms: 10_000,
  workers: 1,
  stats: { host: '127.0.0.1', port: 22_222 },
  holdTimeout_ms: 5_000,
  hold_bytes: 64 * 1024 * 1024,
  api: { host: '127.0.0.1', port: 8_008 },
  hookTimeout_ms: 10_000,
  stateDirectory: '/var/lib/tanist',
  logLevel: 'notice',
} as const;
