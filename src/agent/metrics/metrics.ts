/**
 * The agent's metrics for Prometheus; docs/api.md lists them. Levels are read at each scrape from what this host knows by
 * itself; what counts is counted from the agent's events. Labels are names of tanist.yml and nothing else, so their number
 * is bounded.
 */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, type OpenMetricsContentType, type PrometheusContentType, Registry } from 'prom-client';
import type { HookCounts } from '../hooks/hooks.js';
import type { AgentControl, ClusterView, HistoryEntry, MemberView } from '../view.js';

const ROLES: readonly MemberView['role'][] = ['master', 'replica', 'unknown'];
const STATES: readonly MemberView['state'][] = [
  'starting',
  'quarantined',
  'replica',
  'fenced',
  'master',
  'failed',
  'stopped',
  'unreachable',
];
const LOOP_RESOLUTION_MS = 10;
/** Far more than there are groups. */
const COUNTED_MAX = 10_000;

/** What the other rooms have counted; each is asked for at a scrape. */
export interface MetricsSources {
  hooks(): readonly HookCounts[];
  eventReaders(): { readonly now: number; readonly dropped: number };
}

export class AgentMetrics {
  readonly #control: AgentControl;
  readonly #sources: MetricsSources;
  readonly #registry = new Registry<PrometheusContentType | OpenMetricsContentType>();
  readonly #gauges: Gauges;
  readonly #counters: Counters;
  readonly #loop: IntervalHistogram;
  readonly #unsubscribe: () => void;
  /** Events so far, by what they were and their group. */
  readonly #counted = new Map<string, number>();

  constructor(control: AgentControl, sources: MetricsSources) {
    this.#control = control;
    this.#sources = sources;
    this.#gauges = gauges(this.#registry);
    this.#counters = counters(this.#registry);
    this.#loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
    this.#loop.enable();
    this.#gauges.startTime.set(Math.round(Date.now() / 1000 - process.uptime()));
    this.#unsubscribe = control.subscribe((entry) => this.#count(entry));
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything, in the text format. */
  text(): Promise<string> {
    const view = this.#control.local();
    this.#readCluster(view);
    for (const group of view.groups) this.#readGroup(view, group.name);
    this.#readSources();
    this.#readProcess();
    return this.#registry.metrics();
  }

  stop(): void {
    this.#unsubscribe();
    this.#loop.disable();
  }

  /** Only noted here: an event comes in the middle of something that matters more. */
  #count({ group, what }: HistoryEntry): void {
    const key = `${what} ${group}`;
    if (this.#counted.has(key) || this.#counted.size < COUNTED_MAX) {
      this.#counted.set(key, (this.#counted.get(key) ?? 0) + 1);
    }
  }

  #readCluster(view: ClusterView): void {
    const { info, voters, votersAnswering, warnings, leader, memberRole, memberState } = this.#gauges;
    for (const gauge of [info, leader, memberRole, memberState, ...this.#gauges.ofMembers]) gauge.reset();
    for (const counter of Object.values(this.#counters.ofEvents)) counter.reset();
    info.set({ version: view.version, cluster: view.cluster, host: view.host, mode: view.mode }, 1);
    voters.set(view.voters.length);
    votersAnswering.set(view.voters.filter(({ answers }) => answers).length);
    warnings.set(view.warnings.length);
  }

  #readGroup(view: ClusterView, name: string): void {
    const group = view.groups.find((each) => each.name === name);
    if (group === undefined) return;
    const { epoch, paused, failing, leader, lease, vip } = this.#gauges;
    const own = group.members.find(({ host }) => host === view.host);
    epoch.set({ group: name }, group.epoch);
    paused.set({ group: name }, Number(group.paused));
    failing.set({ group: name }, Number(group.failover !== null));
    for (const [what, counter] of Object.entries(this.#counters.ofEvents)) {
      counter.inc({ group: name }, this.#counted.get(`${what} ${name}`) ?? 0);
    }
    if (own !== undefined) {
      lease.set({ group: name }, Math.round(own.lease_ms ?? 0) / 1000);
      vip.set({ group: name }, Number(own.vips.length > 0));
    }
    for (const member of group.members) {
      leader.set({ group: name, host: member.host }, Number(member.host === group.leader));
      this.#readMember(name, member);
    }
  }

  #readMember(group: string, member: MemberView): void {
    const { memberRole, memberState, up, lag, offset, keys } = this.#gauges;
    const labels = { group, host: member.host };
    for (const role of ROLES) memberRole.set({ ...labels, role }, Number(member.role === role));
    for (const state of STATES) memberState.set({ ...labels, state }, Number(member.state === state));
    up.set(labels, Number(member.answers));
    if (member.lag_bytes !== null) lag.set(labels, member.lag_bytes);
    // What does not answer has no numbers: its last ones would look like news.
    if (!member.answers) return;
    offset.set(labels, member.offset);
    keys.set(labels, member.keys);
  }

  #readSources(): void {
    const { hookRuns, hookGaveUp, hookCoalesced, readersDropped } = this.#counters;
    for (const counter of [hookRuns, hookGaveUp, hookCoalesced, readersDropped]) counter.reset();
    for (const { hook, ok, failed, timedOut, gaveUp, coalesced, waiting } of this.#sources.hooks()) {
      hookRuns.inc({ hook, result: 'ok' }, ok);
      hookRuns.inc({ hook, result: 'failed' }, failed);
      hookRuns.inc({ hook, result: 'timeout' }, timedOut);
      hookGaveUp.inc({ hook }, gaveUp);
      hookCoalesced.inc({ hook }, coalesced);
      this.#gauges.hookWaiting.set({ hook }, waiting);
    }
    const { now, dropped } = this.#sources.eventReaders();
    this.#gauges.readers.set(now);
    readersDropped.inc(dropped);
  }

  #readProcess(): void {
    const { loopLag, memory } = this.#gauges;
    // The histogram measures whole periods; what is more than the period is lag.
    const lag = (value_ns: number): number => Math.max(0, value_ns / 1e6 - LOOP_RESOLUTION_MS) / 1000;
    const isEmpty = this.#loop.count === 0;
    loopLag.set({ quantile: '0.5' }, isEmpty ? 0 : lag(this.#loop.percentile(50)));
    loopLag.set({ quantile: '0.99' }, isEmpty ? 0 : lag(this.#loop.percentile(99)));
    loopLag.set({ quantile: '1' }, isEmpty ? 0 : lag(this.#loop.max));
    this.#loop.reset();
    memory.set(process.memoryUsage.rss());
    const { user, system } = process.cpuUsage();
    this.#counters.cpu.reset();
    this.#counters.cpu.inc((user + system) / 1e6);
  }
}

type Gauges = ReturnType<typeof gauges>;
type Counters = ReturnType<typeof counters>;

function gauges(registry: Registry<PrometheusContentType | OpenMetricsContentType>) {
  const gauge = <L extends string = never>(name: string, help: string, ...labelNames: L[]): Gauge<L> =>
    new Gauge({ name, help, labelNames, registers: [registry] });
  const up = gauge('tanist_redis_up', '1 while this Redis answers.', 'group', 'host');
  const lag = gauge('tanist_lag_bytes', 'Bytes behind the master; absent when not known.', 'group', 'host');
  const offset = gauge('tanist_replication_offset_bytes', 'Replication offset.', 'group', 'host');
  const keys = gauge('tanist_keys', 'Keys in the data set.', 'group', 'host');
  return {
    info: gauge('tanist_info', 'Always 1: who answers.', 'version', 'cluster', 'host', 'mode'),
    voters: gauge('tanist_voters', 'Sentinels that have a vote.'),
    votersAnswering: gauge('tanist_voters_answering', 'Sentinels that answer this host, itself included.'),
    warnings: gauge('tanist_warnings', 'Warnings that tanist status shows.'),
    epoch: gauge('tanist_epoch', 'Epoch of the leader record.', 'group'),
    paused: gauge('tanist_paused', '1 while automatic failover is paused.', 'group'),
    failing: gauge('tanist_failover_in_progress', '1 while a failover or switchover is under way.', 'group'),
    leader: gauge('tanist_leader', '1 for the host that the leader record names.', 'group', 'host'),
    lease: gauge('tanist_lease_seconds', 'What is left of the lease of this host; 0 without one.', 'group'),
    vip: gauge('tanist_vip_held', '1 while a VIP of the group is on this host.', 'group'),
    memberRole: gauge('tanist_member_role', '1 for the role that each Redis has.', 'group', 'host', 'role'),
    memberState: gauge('tanist_member_state', '1 for the state of each keeper.', 'group', 'host', 'state'),
    up,
    lag,
    offset,
    keys,
    /** Those that are absent when they are not known. */
    ofMembers: [up, lag, offset, keys],
    hookWaiting: gauge('tanist_hook_waiting', 'Levels that the hook is still to be told.', 'hook'),
    readers: gauge('tanist_event_readers', 'Readers of /events.'),
    loopLag: gauge('tanist_event_loop_lag_seconds', 'Lateness of the event loop since the last scrape.', 'quantile'),
    memory: gauge('process_resident_memory_bytes', 'Resident memory of the agent.'),
    startTime: gauge('process_start_time_seconds', 'When the agent started, in seconds since 1970.'),
  };
}

function counters(registry: Registry<PrometheusContentType | OpenMetricsContentType>) {
  const counter = <L extends string = never>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const ofEvents: Partial<Record<HistoryEntry['what'], Counter<'group'>>> = {
    failover: counter('tanist_failovers_total', 'Failovers that this host has seen.', 'group'),
    switchover: counter('tanist_switchovers_total', 'Planned switchovers that this host has seen.', 'group'),
    fence: counter('tanist_fences_total', 'Times that this host fenced its Redis.', 'group'),
    role: counter('tanist_role_changes_total', 'Changes of state that this host has seen.', 'group'),
    vip: counter('tanist_vip_changes_total', 'VIPs that came to or left this host.', 'group'),
    saved: counter('tanist_data_saved_aside_total', 'Data sets saved aside before they were discarded.', 'group'),
  };
  return {
    ofEvents,
    hookRuns: counter('tanist_hook_runs_total', 'Runs of a hook, by result: ok, failed, timeout.', 'hook', 'result'),
    hookGaveUp: counter('tanist_hook_failures_total', 'Levels that a hook was not told in all attempts.', 'hook'),
    hookCoalesced: counter('tanist_hook_coalesced_total', 'Levels replaced by a newer one before their turn.', 'hook'),
    readersDropped: counter('tanist_event_readers_dropped_total', 'Readers of /events that did not keep up.'),
    cpu: counter('process_cpu_seconds_total', 'Processor time of the agent.'),
  };
}
