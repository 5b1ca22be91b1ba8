/** The replicas of a shard that may be read from: those that have everything that was written some time ago. */
import type { SocketAddress } from '../../config/nutcracker-types.js';
import type { Client } from './client.js';
import { ServerLink } from './server-link.js';
import type { Shard } from './shard.js';

/** A replica that could not be reached, or refused to be read from, is left alone for so long. */
const REFUSED_MS = 1_000;

/** A replica, and how far it was. */
export interface ReplicaSighting {
  readonly host: string;
  readonly port: number;
  /** It has everything that was written before then, on the turn's clock. */
  readonly asOf_ms: number;
}

export class Replica {
  readonly address: Extract<SocketAddress, { kind: 'tcp' }>;
  asOf_ms = Number.NEGATIVE_INFINITY;
  refusedUntil_ms = Number.NEGATIVE_INFINITY;
  /** By lane. */
  readonly links = new Map<number, ServerLink>();

  constructor(host: string, port: number) {
    this.address = { kind: 'tcp', host, port };
  }
}

export class ReplicaSet {
  readonly #shard: Shard;
  readonly #lagMax_ms: number;
  #replicas: readonly Replica[] = [];

  /** @param lagMax_ms how much a replica may be behind. */
  constructor(shard: Shard, lagMax_ms: number) {
    this.#shard = shard;
    this.#lagMax_ms = lagMax_ms;
  }

  /** The replicas that there are now. Others are not read from any more. */
  seen(sightings: readonly ReplicaSighting[]): void {
    const before = this.#replicas;
    this.#replicas = sightings.map(({ host, port, asOf_ms }) => {
      const known = before.find(({ address }) => address.host === host && address.port === port);
      const replica = known ?? new Replica(host, port);
      replica.asOf_ms = asOf_ms;
      return replica;
    });
    for (const gone of before) {
      if (this.#replicas.includes(gone)) continue;
      for (const link of gone.links.values()) link.fail('it is no replica any more', 'closing');
    }
  }

  /** How many may be read from. */
  fitCount(now: number): number {
    return this.#replicas.filter((replica) => this.#isFit(replica, now)).length;
  }

  #isFit(replica: Replica, now: number): boolean {
    return now - replica.asOf_ms <= this.#lagMax_ms && now >= replica.refusedUntil_ms;
  }

  /** A connection to a fit replica, the same one for a client as long as the replicas are the same; null without one. */
  linkFor(client: Client, now: number): ServerLink | null {
    const replicas = this.#replicas;
    for (let i = 0; i < replicas.length; i++) {
      const replica = replicas[(client.slot + i) % replicas.length] as Replica;
      if (!this.#isFit(replica, now)) continue;
      const link = replica.links.get(client.lane) ?? this.#newLink(replica, client.lane);
      if (link.accepts) return link;
    }
    return null;
  }

  #newLink(replica: Replica, lane: number): ServerLink {
    const link = new ServerLink(this.#shard, lane, { replica });
    replica.links.set(lane, link);
    return link;
  }

  /** It is not to be asked for a while. */
  refused(replica: Replica, now: number): void {
    replica.refusedUntil_ms = now + REFUSED_MS;
  }

  /** What is under way at one that is not fit any more is asked elsewhere: it may not answer at all. */
  tick(now: number): void {
    for (const replica of this.#replicas) {
      if (this.#isFit(replica, now)) continue;
      for (const link of replica.links.values())
        if (link.pending.count > 0) link.fail('it is too far behind', 'timeout');
    }
  }

  *links(): Iterable<ServerLink> {
    for (const replica of this.#replicas) yield* replica.links.values();
  }
}
