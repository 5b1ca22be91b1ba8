import { expect, it } from 'vitest';
import { PoolStats, ServerStats } from '../forward/stats.js';
import { LatencyTable } from './latency.js';
import { metricsText } from './metrics-text.js';

it('writes what Prometheus reads: counters end in _total, buckets add up, labels are escaped', () => {
  const latency = new LatencyTable(['other', 'get']);
  for (const ms of [0.01, 0.02, 3, 60_000]) latency.note(1, ms);
  const server = { label: 'a "b"\\', stats: Object.assign(new ServerStats(), { requests: 7 }), up: true };
  const pool = { name: 'p', stats: new PoolStats(), totalConnections: 3, currentConnections: 2, slowRequests: 1 };
  const text = metricsText({
    version: '1',
    startedAt_ms: 1_500,
    pools: [{ ...pool, servers: [server], commands: latency.used() }],
  });
  const lines = text.split('\n');
  expect(lines).toContain('tanist_proxy_start_time_seconds 1.5');
  expect(lines).toContain('# TYPE tanist_proxy_requests_total counter');
  expect(lines).toContain('tanist_proxy_requests_total{pool="p",server="a \\"b\\"\\\\"} 7');
  expect(lines).toContain('# TYPE tanist_proxy_connections gauge');
  const name = 'tanist_proxy_command_duration_seconds';
  const buckets = lines.filter((line) => line.startsWith(`${name}_bucket`));
  expect(buckets[0]).toBe(`${name}_bucket{pool="p",command="get",le="0.000016"} 1`);
  expect(buckets[1]).toBe(`${name}_bucket{pool="p",command="get",le="0.000032"} 2`);
  expect(buckets.at(-2)).toBe(`${name}_bucket{pool="p",command="get",le="16.777216"} 3`);
  expect(buckets.at(-1)).toBe(`${name}_bucket{pool="p",command="get",le="+Inf"} 4`);
  expect(lines).toContain(`${name}_count{pool="p",command="get"} 4`);
  for (const line of lines) {
    expect(line).toMatch(/^$|^# (HELP|TYPE) [a-z_]+ .+|^[a-z_]+(\{([a-z]+="([^"\\]|\\.)*",?)+\})? [0-9.]+$/);
  }
  // The samples of a metric stand together, behind its type.
  const types = lines.filter((line) => line.startsWith('# TYPE')).map((line) => line.split(' ')[2]);
  expect(new Set(types).size).toBe(types.length);
});
