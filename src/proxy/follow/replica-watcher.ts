/**
 * Knows the replicas of a pool's shards and how far each is: the master is asked once a second, by INFO, for it hears from
 * every replica once a second. Who is not in its list is not read from.
 */
import { type InfoReplica, readServerInfo } from '../../redis/info.js';
import { RedisLink } from '../../redis/link.js';
import { ErrorReply } from '../../redis/reply.js';
import type { Pool } from '../forward/pool.js';
import type { ReplicaSighting } from '../forward/replica-set.js';
import type { Shard } from '../forward/shard.js';
import { tlsSettings } from '../tls-settings.js';
import { OffsetHistory } from './offset-history.js';

/** How often a master is asked. */
const LOOK_MS = 1_000;
const ANSWER_MS = 900;
/** A replica says every second how far it is. */
const SILENT_S = 3;

interface Watched {
  readonly shard: Shard;
  readonly history: OffsetHistory;
  link: RedisLink | null;
  /** Of the master that the link is to. */
  address: string;
}

export class ReplicaWatcher {
  readonly #pool: Pool;
  readonly #watched: readonly Watched[];
  readonly #timer: NodeJS.Timeout;

  constructor(pool: Pool) {
    this.#pool = pool;
    const keep_ms = pool.config.replicaLagMax_ms + LOOK_MS;
    this.#watched = pool.shards.map((shard) => ({
      shard,
      history: new OffsetHistory(keep_ms),
      link: null,
      address: '',
    }));
    this.#timer = setInterval(() => this.#lookAtAll(), LOOK_MS);
    for (const watched of this.#watched) {
      // The first look need not wait.
      watched.shard.onOpen = (): void => void this.#look(watched);
    }
  }

  #lookAtAll(): void {
    for (const watched of this.#watched) void this.#look(watched);
  }

  async #look(watched: Watched): Promise<void> {
    const { shard, history } = watched;
    // Without a master, what was seen last grows old by itself.
    if (!shard.open) return;
    const link = this.#linkTo(watched);
    if (link === null) return;
    const at_ms = performance.now();
    const reply = await link.request(['INFO', 'replication'], { deadline_ms: ANSWER_MS }).catch((): null => null);
    if (reply === null || reply instanceof ErrorReply || watched.link !== link) return;
    const info = readServerInfo(String(reply));
    if (info.role !== 'master' || info.masterReplOffset === null) return;
    history.note(at_ms, info.masterReplOffset);
    const online = info.replicas.filter(({ state }) => state === 'online');
    this.#pool.turn.begin();
    shard.replicas?.seen(online.map((replica) => sighting(replica, history)));
  }

  /** A link to the master that the shard has now. */
  #linkTo(watched: Watched): RedisLink | null {
    const { shard } = watched;
    const { address, config } = shard;
    if (address?.kind !== 'tcp') return null;
    if (watched.link !== null && watched.address === shard.addressText) return watched.link;
    watched.link?.close();
    watched.history.clear();
    watched.address = shard.addressText;
    watched.link = new RedisLink({
      to: { host: address.host, port: address.port },
      tls: tlsSettings(config.tls),
      auth: config.login === null ? null : { user: config.login.user, pass: config.login.password },
      connectTimeout_ms: ANSWER_MS,
      closeOnTimeout: true,
      name: 'tanist-proxy',
    });
    return watched.link;
  }

  stop(): void {
    clearInterval(this.#timer);
    for (const watched of this.#watched) {
      watched.shard.onOpen = null;
      watched.link?.close();
      watched.link = null;
    }
  }
}

/** One that has been silent may be frozen, however much it has. */
function sighting({ host, port, offset, lag_s }: InfoReplica, history: OffsetHistory): ReplicaSighting {
  const speaks = offset !== null && lag_s !== null && lag_s < SILENT_S;
  return { host, port, asOf_ms: speaks ? history.asOf_ms(offset) : Number.NEGATIVE_INFINITY };
}
