/** An agent that answers what a test tells it to, and remembers what it was told to do. */
import type {
  AgentControl,
  ClusterView,
  Explanation,
  GroupView,
  HistoryEntry,
  MemberView,
  Outcome,
} from '../../src/agent/view.js';

/** A healthy replica on host `b`. */
export function memberView(changes: Partial<MemberView> = {}): MemberView {
  return {
    host: 'b',
    address: '10.0.0.2',
    port: 6379,
    role: 'replica',
    state: 'replica',
    answers: true,
    lag_bytes: 0,
    lease_ms: null,
    vips: [],
    reason: 'it follows a',
    candidate: 'fit',
    pid: 4712,
    version: '7.0.15',
    offset: 1_000,
    keys: 10,
    ...changes,
  };
}

/** The leased master on host `a`. */
export function masterView(changes: Partial<MemberView> = {}): MemberView {
  return memberView({
    host: 'a',
    address: '10.0.0.1',
    role: 'master',
    state: 'master',
    lease_ms: 812.25,
    vips: ['10.0.0.100'],
    reason: 'it holds the lease',
    pid: 4711,
    ...changes,
  });
}

export function groupView(changes: Partial<GroupView> = {}): GroupView {
  return {
    name: 'mymaster',
    epoch: 3,
    leader: 'a',
    master: { host: '10.0.0.1', port: 6379 },
    durability: 'async',
    paused: false,
    failover: null,
    members: [masterView(), memberView()],
    ...changes,
  };
}

/** Two hosts and a witness, seen from `a`. */
export function clusterView(changes: Partial<ClusterView> = {}): ClusterView {
  const voter = (host: string, address: string, witness: boolean) => {
    return { host, address, port: 26379, witness, answers: true, version: '0.1.0' };
  };
  return {
    cluster: 'tanist',
    mode: 'quorum',
    host: 'a',
    version: '0.1.0',
    at: '2026-01-02T03:04:05.678Z',
    groups: [groupView()],
    voters: [voter('a', '10.0.0.1', false), voter('b', '10.0.0.2', false), voter('w', '10.0.0.3', true)],
    warnings: [],
    ...changes,
  };
}

export class FakeControl implements AgentControl {
  current: ClusterView = clusterView();
  entries: HistoryEntry[] = [];
  outcome: Outcome = { ok: true, text: 'done' };
  explanation: Omit<Explanation, 'group'> = { wouldWin: 'b', wouldLose_bytes: 0, candidates: [], blockers: [] };
  /** Orders, as `switchover mymaster b`. */
  readonly orders: string[] = [];
  /** How often the whole cluster was asked for. */
  views = 0;
  /** What is asked of the whole cluster waits for it. */
  gate: Promise<unknown> = Promise.resolve();
  /** Orders wait for it. */
  orderGate: Promise<unknown> = Promise.resolve();
  readonly #listeners = new Set<(entry: HistoryEntry) => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  async view(): Promise<ClusterView> {
    this.views += 1;
    await this.gate;
    return this.current;
  }

  local(): ClusterView {
    return this.current;
  }

  history(group: string | null, limit: number): readonly HistoryEntry[] {
    return this.entries.filter((entry) => group === null || entry.group === group || entry.group === '').slice(-limit);
  }

  async explain(group: string): Promise<Explanation> {
    await this.gate;
    return { group, ...this.explanation };
  }

  switchover(group: string, to: string | null): Promise<Outcome> {
    return this.#order('switchover', group, to);
  }

  failover(group: string, to: string | null): Promise<Outcome> {
    return this.#order('failover', group, to);
  }

  pause(group: string | null): Promise<Outcome> {
    return this.#order('pause', group);
  }

  resume(group: string | null): Promise<Outcome> {
    return this.#order('resume', group);
  }

  subscribe(listener: (entry: HistoryEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something happened: it goes to the history and to whoever listens. */
  tell(changes: Partial<HistoryEntry> = {}): HistoryEntry {
    const id = (this.entries.at(-1)?.id ?? 0) + 1;
    const at = '2026-01-02T03:04:05.678Z';
    const entry = {
      id,
      at,
      group: 'mymaster',
      host: 'a',
      epoch: 3,
      what: 'role',
      text: 'a is master',
      ...changes,
    } as const;
    this.entries.push(entry);
    for (const listener of this.#listeners) listener(entry);
    return entry;
  }

  async #order(...words: (string | null)[]): Promise<Outcome> {
    this.orders.push(words.map((word) => word ?? '*').join(' '));
    await this.orderGate;
    return this.outcome;
  }
}
