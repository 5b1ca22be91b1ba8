/** INFO: what monitoring parses. Names are redis-sentinel's; what only a Redis with data has is left out. */
import { arch, release, type } from 'node:os';
import { sentinelSection } from '../commands/info-section.js';
import type { ServerContext } from './context.js';

/** The Redis whose Sentinel this one can stand for: clients decide by it what they may use. */
export const REDIS_VERSION = '7.0.15';

type Lines = readonly (readonly [name: string, value: string | number])[];

const SECTIONS = ['server', 'clients', 'stats', 'cpu', 'sentinel'] as const;
type Section = (typeof SECTIONS)[number];
const ALL_WORDS: ReadonlySet<string> = new Set(['all', 'default', 'everything']);

/** @param names of sections; none for all of them */
export function infoText(context: ServerContext, names: readonly string[]): string {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  const all = wanted.size === 0 || [...wanted].some((name) => ALL_WORDS.has(name));
  const shown = SECTIONS.filter((section) => all || wanted.has(section));
  return shown.map((section) => sectionText(context, section)).join('\r\n');
}

function sectionText(context: ServerContext, section: Section): string {
  switch (section) {
    case 'server':
      return lines('Server', server(context));
    case 'clients':
      return lines('Clients', clients(context));
    case 'stats':
      return lines('Stats', stats(context));
    case 'cpu':
      return lines('CPU', cpu());
    case 'sentinel': {
      const { running, length } = context.scripts;
      return sentinelSection(context.backend.state, performance.now(), { running, queued: length });
    }
  }
}

function lines(title: string, fields: Lines): string {
  return [`# ${title}`, ...fields.map(([name, value]) => `${name}:${value}`)].map((line) => `${line}\r\n`).join('');
}

function server({ about, stats }: ServerContext): Lines {
  const uptime_s = Math.floor((performance.now() - stats.startedAt) / 1000);
  return [
    ['redis_version', REDIS_VERSION],
    ['tanist_version', about.version],
    ['redis_git_sha1', '00000000'],
    ['redis_git_dirty', 0],
    ['redis_build_id', 'tanist'],
    ['redis_mode', 'sentinel'],
    ['os', `${type()} ${release()} ${arch()}`],
    ['arch_bits', 64],
    ['multiplexing_api', 'libuv'],
    ['node_version', process.versions.node],
    ['process_id', process.pid],
    ['process_supervised', 'no'],
    ['run_id', about.runId],
    ['tcp_port', about.port],
    ['server_time_usec', Date.now() * 1000],
    ['uptime_in_seconds', uptime_s],
    ['uptime_in_days', Math.floor(uptime_s / 86_400)],
    ['executable', process.execPath],
    ['config_file', about.configFile],
  ];
}

function clients({ clients: all, about }: ServerContext): Lines {
  let pubsub = 0;
  let most_bytes = 0;
  for (const client of all.values()) {
    if (client.subscriptions > 0) pubsub += 1;
    most_bytes = Math.max(most_bytes, client.unsent_bytes);
  }
  return [
    ['connected_clients', all.size],
    ['maxclients', about.maxclients],
    ['client_recent_max_output_buffer', most_bytes],
    ['blocked_clients', 0],
    ['pubsub_clients', pubsub],
  ];
}

function stats({ stats: counts, clients: all, pubsub }: ServerContext): Lines {
  let { input_bytes, output_bytes } = counts;
  for (const client of all.values()) {
    input_bytes += client.received_bytes;
    output_bytes += client.sent_bytes;
  }
  return [
    ['total_connections_received', counts.connections],
    ['total_commands_processed', counts.commands],
    ['total_net_input_bytes', input_bytes],
    ['total_net_output_bytes', output_bytes],
    ['rejected_connections', counts.rejected],
    ['total_error_replies', counts.errors],
    ['pubsub_channels', pubsub.count('channels')],
    ['pubsub_patterns', pubsub.count('patterns')],
  ];
}

function cpu(): Lines {
  const { user, system } = process.cpuUsage();
  return [
    ['used_cpu_sys', (system / 1e6).toFixed(6)],
    ['used_cpu_user', (user / 1e6).toFixed(6)],
  ];
}
