/** The statistics in the text format that Prometheus reads (version 0.0.4). Pure. */
import { countOf } from './latency.js';
import type { PoolSnapshot, ServerSnapshot, Snapshot } from './snapshot.js';

/** What Prometheus is told that the text is. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Buckets are shown from 16 us to 16.8 s; what was faster or slower is in the first and in +Inf. */
const FIRST_BUCKET = 4;
const LAST_BUCKET = 24;

type Labels = Readonly<Record<string, string>>;

function sample(name: string, labels: Labels, value: number): string {
  const escaped = (text: string): string => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
  const list = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${list.length === 0 ? '' : `{${list.join(',')}}`} ${value}`;
}

function family(name: string, type: 'counter' | 'gauge' | 'histogram', help: string, samples: string[]): string[] {
  return samples.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples];
}

interface Metric<T> {
  /** Behind `tanist_proxy_`; what counts ends in `_total`. */
  readonly name: string;
  readonly help: string;
  readonly value: (of: T) => number;
}

const OF_POOLS: readonly Metric<PoolSnapshot>[] = [
  { name: 'client_connections', help: 'Clients connected now.', value: ({ stats }) => stats.client_connections },
  { name: 'connections', help: 'Connections with clients and servers now.', value: (pool) => pool.currentConnections },
  { name: 'connections_total', help: 'Connections with clients and servers.', value: (pool) => pool.totalConnections },
  { name: 'client_eof_total', help: 'Connections that clients ended.', value: ({ stats }) => stats.client_eof },
  { name: 'client_errors_total', help: 'Errors on client connections.', value: ({ stats }) => stats.client_err },
  { name: 'server_ejects_total', help: 'Times a server was ejected.', value: ({ stats }) => stats.server_ejects },
  { name: 'forward_errors_total', help: 'Requests answered with an error.', value: ({ stats }) => stats.forward_error },
  { name: 'fragments_total', help: 'Parts of requests that were split.', value: ({ stats }) => stats.fragments },
  { name: 'slow_requests_total', help: 'Requests that went to the slow log.', value: (pool) => pool.slowRequests },
];

const OF_SERVERS: readonly Metric<ServerSnapshot>[] = [
  { name: 'server_up', help: '1 while the server takes requests.', value: ({ up }) => Number(up) },
  { name: 'server_connections', help: 'Connections with it now.', value: ({ stats }) => stats.server_connections },
  { name: 'server_eof_total', help: 'Connections that it ended.', value: ({ stats }) => stats.server_eof },
  { name: 'server_errors_total', help: 'Errors on its connections.', value: ({ stats }) => stats.server_err },
  { name: 'server_timeouts_total', help: 'Timeouts on its connections.', value: ({ stats }) => stats.server_timedout },
  { name: 'requests_total', help: 'Requests sent to it.', value: ({ stats }) => stats.requests },
  { name: 'request_bytes_total', help: 'Bytes of requests sent to it.', value: ({ stats }) => stats.request_bytes },
  { name: 'responses_total', help: 'Replies it gave.', value: ({ stats }) => stats.responses },
  { name: 'response_bytes_total', help: 'Bytes of replies it gave.', value: ({ stats }) => stats.response_bytes },
  { name: 'waiting_requests', help: 'Requests that wait to be sent to it.', value: ({ stats }) => stats.in_queue },
  { name: 'unsent_bytes', help: 'Bytes that wait to be sent to it.', value: ({ stats }) => stats.in_queue_bytes },
  { name: 'unanswered_requests', help: 'Requests it has not answered.', value: ({ stats }) => stats.out_queue },
];

function table<T>(
  metrics: readonly Metric<T>[],
  rows: readonly { readonly labels: Labels; readonly of: T }[],
): string[] {
  return metrics.flatMap(({ name, help, value }) => {
    const full = `tanist_proxy_${name}`;
    const samples = rows.map(({ labels, of }) => sample(full, labels, value(of)));
    return family(full, name.endsWith('_total') ? 'counter' : 'gauge', help, samples);
  });
}

function durations(pools: readonly PoolSnapshot[]): string[] {
  const name = 'tanist_proxy_command_duration_seconds';
  const samples = pools.flatMap((pool) =>
    pool.commands.flatMap((command) => {
      const labels = { pool: pool.name, command: command.name };
      const lines: string[] = [];
      let below = 0;
      for (const [bucket, count] of command.counts.entries()) {
        below += count;
        if (bucket < FIRST_BUCKET || bucket > LAST_BUCKET) continue;
        lines.push(sample(`${name}_bucket`, { ...labels, le: String(2 ** bucket / 1e6) }, below));
      }
      const count = countOf(command);
      lines.push(sample(`${name}_bucket`, { ...labels, le: '+Inf' }, count));
      lines.push(sample(`${name}_sum`, labels, command.sum_us / 1e6), sample(`${name}_count`, labels, count));
      return lines;
    }),
  );
  return family(name, 'histogram', 'From taking a request to the end of its reply.', samples);
}

export function metricsText({ pools, startedAt_ms }: Snapshot): string {
  const started = 'tanist_proxy_start_time_seconds';
  const servers = pools.flatMap((pool) =>
    pool.servers.map((of) => ({ labels: { pool: pool.name, server: of.label }, of })),
  );
  const lines = [
    ...family(started, 'gauge', 'Unix time of the start.', [sample(started, {}, startedAt_ms / 1000)]),
    ...table(
      OF_POOLS,
      pools.map((of) => ({ labels: { pool: of.name }, of })),
    ),
    ...table(OF_SERVERS, servers),
    ...durations(pools),
  ];
  return `${lines.join('\n')}\n`;
}
