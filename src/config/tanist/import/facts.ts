/** What the files of other programs say, before it is put together to a tanist.yml. */
import type { DistributionName, HashName } from '../../nutcracker-types.js';

/** `file:line`, as comments and messages show it. */
export type Source = string;

/** How a file names a host: by address, or by a name whose address it does not tell. */
export type HostRef = { readonly address: string } | { readonly name: string };

export interface HostFact {
  readonly ref: HostRef;
  /** `keeper`: it has a Redis. `voter`: it runs a Sentinel or a proxy, and a Redis only if others say so. */
  readonly as: 'keeper' | 'voter';
  readonly source: Source;
}

export interface VipFact {
  readonly address: string;
  /** null: none was written. */
  readonly prefix: number | null;
  readonly interface: string | null;
  readonly vrid: number | null;
  readonly source: Source;
}

export interface GroupFact {
  readonly name: string;
  readonly port: number;
  readonly master: HostRef;
  readonly replicas: readonly HostRef[];
  readonly user: string;
  readonly password: string;
  readonly source: Source;
  /** No file tells the port: one that no other group has was taken. */
  readonly portGuessed?: boolean;
}

export interface ShardFact {
  /** The group's name, when the file names one; else where its Redis is. */
  readonly group: string | null;
  readonly host: HostRef | null;
  readonly port: number;
  /** As it stands on the ring. */
  readonly ring: string;
  readonly weight: number;
  /** Its writes are acknowledged once a replica has them. */
  readonly replicated: boolean;
  readonly source: Source;
}

export interface PoolFact {
  readonly name: string;
  readonly port: number;
  readonly shards: readonly ShardFact[];
  readonly hash: HashName;
  readonly hashTag: string | null;
  readonly distribution: DistributionName;
  readonly password: string | null;
  readonly users: readonly string[] | null;
  readonly timeout_ms: number | null;
  readonly clientConnections: number;
  /** null: not written. */
  readonly hold: { readonly time_ms: number; readonly size_bytes: number } | null;
  readonly source: Source;
}

/** A value with where it came from. */
export interface Sourced<T> {
  readonly value: T;
  readonly source: Source;
}

/** Something that the tanist.yml will not say, and what becomes of it. */
export interface Loss {
  readonly source: Source;
  /** `what: why`, one line. */
  readonly text: string;
}

/** All that was found, collected over the files. */
export class Facts {
  readonly hosts: HostFact[] = [];
  readonly groups: GroupFact[] = [];
  readonly vips: VipFact[] = [];
  readonly pools: PoolFact[] = [];
  readonly losses: Loss[] = [];
  /** There was a Sentinel's file: a majority decides. */
  sentinels = false;
  /** The greatest quorum that was asked for. */
  quorum: Sourced<number> | null = null;
  sentinelPort: Sourced<number> | null = null;
  sentinelPassword: Sourced<string> | null = null;
  downAfter_ms: Sourced<number> | null = null;
  failoverTimeout_ms: Sourced<number> | null = null;
  logLevel: Sourced<'debug' | 'verbose' | 'notice' | 'warning'> | null = null;
  /** Of a pair without Sentinels: when the preferred host takes its place back. null: never. */
  failbackAfter_ms: Sourced<number> | null = null;
  /** Redis's port as scripts have it. */
  scriptPort: Sourced<number> | null = null;

  lose(source: Source, text: string): void {
    if (!this.losses.some((loss) => loss.source === source && loss.text === text)) this.losses.push({ source, text });
  }
}

export function sameHost(a: HostRef, b: HostRef): boolean {
  if ('address' in a) return 'address' in b && a.address === b.address;
  return 'name' in b && a.name === b.name;
}
