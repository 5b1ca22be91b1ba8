/** What an agent knows of its cluster, as `tanist status`, the HTTP API and the metrics show it. Plain data, JSON-safe. */
import type { ClusterMode, Durability } from '../config/tanist/model.js';
import type { KeeperState } from '../keeper/core/io.js';

/** One Redis of a group, on one host. */
export interface MemberView {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  /** What it is by the leader record and its own answer: `unknown` when its agent and its Redis are silent. */
  readonly role: 'master' | 'replica' | 'unknown';
  /** Its keeper's state; `unreachable` when its agent does not answer. */
  readonly state: KeeperState | 'unreachable';
  /** Redis answers PING. */
  readonly answers: boolean;
  /** Bytes behind the master; null when not known. */
  readonly lag_bytes: number | null;
  /** What is left of its lease; null when it holds none. */
  readonly lease_ms: number | null;
  /** VIPs that are on this host now. */
  readonly vips: readonly string[];
  /** Why it is in this state: one sentence. */
  readonly reason: string;
  /** Why it would, or would not, be chosen now. */
  readonly candidate: string;
  readonly pid: number | null;
  readonly version: string;
  readonly offset: number;
  readonly keys: number;
}

export interface GroupView {
  readonly name: string;
  readonly epoch: number;
  /** Name of the host that the record names; null when it is none of ours. */
  readonly leader: string | null;
  readonly master: { readonly host: string; readonly port: number };
  readonly durability: Durability;
  readonly paused: boolean;
  /** A failover or switchover is under way: its phase. */
  readonly failover: string | null;
  readonly members: readonly MemberView[];
}

/** One Sentinel of the quorum. */
export interface VoterView {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly witness: boolean;
  readonly answers: boolean;
  readonly version: string;
}

export interface ClusterView {
  readonly cluster: string;
  readonly mode: ClusterMode;
  /** The host whose agent tells this. */
  readonly host: string;
  readonly version: string;
  readonly at: string;
  readonly groups: readonly GroupView[];
  readonly voters: readonly VoterView[];
  /** What an operator should know: no quorum, lone member, dangerous settings. */
  readonly warnings: readonly string[];
}

/** One line of `tanist history`. */
export interface HistoryEntry {
  /** Grows from entry to entry on this host, over restarts, even when the kept history is lost. */
  readonly id: number;
  readonly at: string;
  /** Empty for what concerns them all. */
  readonly group: string;
  readonly host: string;
  readonly epoch: number;
  readonly what:
    | 'failover'
    | 'switchover'
    | 'role'
    | 'vip'
    | 'fence'
    | 'saved'
    | 'pause'
    | 'resume'
    | 'config'
    | 'hook';
  readonly text: string;
}

/** The answer to an operator's order. */
export type Outcome =
  | { readonly ok: true; readonly text: string }
  /** `status`: 404 no such thing, 409 it cannot be done now, 503 the host that must do it is not there. */
  | {
      readonly ok: false;
      readonly status: 400 | 404 | 409 | 503;
      readonly text: string;
      /** What to do about it, where that is known better than by the status. */
      readonly fix?: string;
    };

/** What would happen now: `tanist explain`. */
export interface Explanation {
  readonly group: string;
  readonly wouldWin: string | null;
  readonly wouldLose_bytes: number | null;
  /** One sentence each: host, and why it would or would not. */
  readonly candidates: readonly { readonly host: string; readonly fit: boolean; readonly reason: string }[];
  readonly blockers: readonly string[];
}

/** All that the outer rooms (HTTP API, metrics, hooks) may ask of the agent. */
export interface AgentControl {
  view(): Promise<ClusterView>;
  /** Only what this host knows without asking anybody: for load balancers' health checks. */
  local(): ClusterView;
  history(group: string | null, limit: number): readonly HistoryEntry[];
  explain(group: string): Promise<Explanation>;
  /** @param to host name; null: whoever is best */
  switchover(group: string, to: string | null): Promise<Outcome>;
  /** @param to host name; without the master's help: writes may be lost */
  failover(group: string, to: string | null): Promise<Outcome>;
  /** @param group null: all */
  pause(group: string | null): Promise<Outcome>;
  resume(group: string | null): Promise<Outcome>;
  /** Calls back at each event until the returned function is called. */
  subscribe(listener: (entry: HistoryEntry) => void): () => void;
}
