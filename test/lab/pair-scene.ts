/** Two hosts in pair mode and a client, by real agents. */

import type { Cleanup } from '../support/cleanup.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';
import { AgentHost } from './agent-host.js';
import { Lab, type LabOptions } from './lab.js';

/** Of the set-up that was published first, and its addresses. */
export const PUBLISHED_VIP = '192.168.0.200';
export const PUBLISHED = { addresses: { one: '192.168.0.100', two: '192.168.0.101', client: '192.168.0.9' } } as const;

/** What the scene consists of. */
export interface Pair {
  readonly vip: string;
  readonly device: string;
  readonly one: AgentHost;
  readonly two: AgentHost;
  readonly client: AgentHost;
  readonly lab: Lab;
}

/** Two hosts and a client; both agents run, and the first leads. */
export async function startPair(
  cleanup: Cleanup,
  vip: string,
  options: LabOptions & { readonly extra: string; readonly password?: string; readonly env?: Record<string, string> },
): Promise<Pair> {
  const names = ['one', 'two', 'client', 'gateway'].filter((name) => name in (options.addresses ?? {}));
  const lab = new Lab(cleanup, names, options);
  const folder = tempDir(cleanup);
  const [a, b] = [lab.host('one'), lab.host('two')];
  const config = [
    'mode: pair',
    `hosts: {one: ${a.address}, two: ${b.address}}`,
    `vip: ${vip}/24`,
    'state_directory: "%/state"',
    options.extra,
    '',
  ].join('\n');
  const make = (name: string): AgentHost => new AgentHost(lab.host(name), folder, config, cleanup, options.password);
  const pair = {
    vip,
    device: options.device ?? 'eth0',
    one: make('one'),
    two: make('two'),
    client: make('client'),
    lab,
  };
  const started = { env: options.env ?? {} };
  await pair.one.start(started);
  // Whoever comes first leads, unless failback says otherwise: so that it is known who that is.
  await leads(pair, pair.one, null);
  await pair.two.start(started);
  return pair;
}

/** Waits until one host leads behind the VIP, and the other, if it is to, follows it with its link up. */
export async function leads(pair: Pair, leader: AgentHost, follower: AgentHost | null): Promise<void> {
  const { lab, vip, client, device } = pair;
  const look = (): boolean => {
    const holders = lab.hosts.filter((h) => h.holds(vip, device)).map((h) => h.name);
    if (holders.join() !== leader.host.name || client.role(vip) !== 'master') return false;
    if (client.role(leader.host.address) !== 'master') return false;
    if (follower === null) return true;
    const info = client.redis(follower.host.address, 'INFO', 'replication');
    return info.includes(`master_host:${leader.host.address}`) && info.includes('master_link_status:up');
  };
  const what = `${leader.host.name} to lead${follower === null ? '' : ', and the other to follow'}`;
  await until(look, { what, deadline_ms: 30_000, interval_ms: 50 }).catch((error: Error) => {
    const logs = [pair.one, pair.two].map(({ host, agent }) => `--- ${host.name}:\n${agent.output.slice(-4000)}`);
    throw new Error(`${error.message}\n${logs.join('\n')}`);
  });
}
