/**
 * The other Redis processes of a group, asked directly: before data could be lost, what a Sentinel heard some seconds ago
 * is not good enough.
 */
import type { GroupConfig, HostConfig, TanistConfig } from '../config/tanist/model.js';
import type { Place, Sibling } from '../keeper/core/io.js';
import { siblingOf } from '../keeper/core/sibling.js';
import type { TlsSettings } from '../redis/endpoint.js';
import { RedisLink } from '../redis/link.js';
import { placesOf } from './sentinel-state.js';

const ASK_MS = 500;
const CONNECT_MS = 1_000;
const BACKOFF = { base_ms: 100, max_ms: 2_000 };
const PENDING_MAX = 16;

interface Known {
  readonly place: Place;
  readonly link: RedisLink;
  /** What it last said of itself. */
  info: string;
  at: number;
}

export class SiblingLinks {
  readonly #siblings: readonly Known[];

  constructor(config: TanistConfig, self: HostConfig, group: GroupConfig, tls: TlsSettings | null) {
    const { auth } = group.redis;
    const others = placesOf(config, group).filter(({ host }) => host !== self.address);
    this.#siblings = others.map((place) => ({
      place,
      link: new RedisLink({
        to: place,
        tls,
        auth: auth === null ? null : { user: auth.user, pass: auth.password.value },
        name: `tanist-keeper-${self.name}`,
        localAddress: self.address,
        connectTimeout_ms: CONNECT_MS,
        pending_max: PENDING_MAX,
        backoff: BACKOFF,
        closeOnTimeout: true,
      }),
      info: '',
      at: Number.NEGATIVE_INFINITY,
    }));
  }

  /** Asks all of them at once. Those that have never answered are not in the list. */
  async ask(): Promise<readonly Sibling[]> {
    const all = await Promise.all(this.#siblings.map((each) => askOne(each)));
    return all.filter((sibling) => sibling !== null);
  }

  close(): void {
    for (const { link } of this.#siblings) link.close();
  }
}

async function askOne(known: Known): Promise<Sibling | null> {
  const asked = performance.now();
  const reply = await known.link.request(['INFO'], { deadline_ms: ASK_MS }).catch((): null => null);
  const alive = typeof reply === 'string';
  if (alive) {
    known.info = reply;
    known.at = asked;
  }
  return siblingOf(known.info, known.place, { alive, age_ms: Math.max(0, performance.now() - known.at) });
}
