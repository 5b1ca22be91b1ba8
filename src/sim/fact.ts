/** What checkers are told: who did what. All moments are virtual milliseconds of the run. */
import type { SentinelState } from '../config/sentinel-types.js';
import type { Write } from './message.js';

export type Manual = 'no' | 'planned' | 'coordinated' | 'forced';

/** One group at the end of a run. */
export interface GroupOutcome {
  readonly group: string;
  /** What every sentinel names as the master, with what it knows besides. */
  readonly beliefs: readonly {
    readonly sentinel: string;
    readonly address: string;
    readonly configEpoch: number;
    readonly failingOver: boolean;
    readonly peers: number;
  }[];
  readonly redises: readonly {
    readonly name: string;
    readonly address: string;
    readonly role: 'master' | 'replica';
    /** Whom it follows; empty for a master. */
    readonly follows: string;
    readonly linkUp: boolean;
    /**
     * Some sentinel has heard of it. A replica that was cut off before anyone had, and that follows another replica
     * now, is nobody's: redis-sentinel too learns of replicas from their master alone.
     */
    readonly known: boolean;
  }[];
  /** The numbers of the writes that the group's master holds. */
  readonly held: ReadonlySet<number>;
  /** Addresses of those that hold the lease; null for a group without leases. */
  readonly leased: readonly string[] | null;
  /** Writes were acknowledged only once a replica had them. */
  readonly durable: boolean;
}

export type Fact =
  /** A sentinel began, with what its disk held. */
  | { readonly kind: 'started'; readonly sentinel: string; readonly snapshot: SentinelState }
  | { readonly kind: 'persisted'; readonly sentinel: string; readonly snapshot: SentinelState }
  /** It gave its vote, perhaps to itself. */
  | {
      readonly kind: 'voted';
      readonly sentinel: string;
      readonly group: string;
      readonly epoch: number;
      readonly leader: string;
      readonly at: number;
    }
  /** It granted a lease, or took one back: then `until` is `at`. */
  | {
      readonly kind: 'granted';
      readonly sentinel: string;
      readonly group: string;
      readonly holder: string;
      readonly epoch: number;
      readonly handOver: boolean;
      readonly at: number;
      readonly until: number;
    }
  /** A keeper counts on its lease from `at` until `until`; not at all when both are the same. */
  | {
      readonly kind: 'leased';
      readonly keeper: string;
      readonly group: string;
      readonly at: number;
      readonly until: number;
    }
  /** It told somebody whom its vote went to. */
  | {
      readonly kind: 'vote-told';
      readonly sentinel: string;
      readonly group: string;
      readonly epoch: number;
      readonly leader: string;
    }
  /** It asked another for its vote, for itself. */
  | { readonly kind: 'stood'; readonly sentinel: string; readonly group: string; readonly epoch: number }
  /** It took itself for elected; `voters` are all the sentinels that it knows, itself included. */
  | {
      readonly kind: 'elected';
      readonly sentinel: string;
      readonly group: string;
      readonly epoch: number;
      readonly voters: number;
      readonly quorum: number;
      /** How many sentinels there are, known to it or not. */
      readonly sentinels: number;
    }
  /** It goes on to choose a replica. */
  | {
      readonly kind: 'selecting';
      readonly sentinel: string;
      readonly group: string;
      readonly epoch: number;
      readonly manual: Manual;
    }
  /** It told others (or its disk) where a group's master is. */
  | {
      readonly kind: 'configuration';
      readonly sentinel: string;
      readonly group: string;
      readonly configEpoch: number;
      readonly currentEpoch: number;
      readonly address: string;
    }
  /** A Redis carried out SLAVEOF; `follows` is empty for NO ONE. */
  | {
      readonly kind: 'ordered';
      readonly redis: string;
      readonly address: string;
      readonly follows: string;
      readonly by: string;
    }
  /** A full resync replaced what a Redis had. */
  | {
      readonly kind: 'replaced';
      readonly group: string;
      readonly redis: string;
      readonly had: readonly Write[];
      readonly has: readonly Write[];
    }
  /** The most that one sentinel had at once since the last such fact. */
  | {
      readonly kind: 'load';
      readonly sentinel: string;
      readonly effects: number;
      readonly conns: number;
      readonly links: number;
      readonly pending: number;
    }
  /** A master acknowledged a write. */
  | { readonly kind: 'acknowledged'; readonly group: string; readonly write: number; readonly by: string }
  /** The end: `lossAllowed` when something else than planned failovers has happened. */
  | {
      readonly kind: 'ended';
      readonly converged: boolean;
      readonly lossAllowed: boolean;
      readonly groups: readonly GroupOutcome[];
    };
