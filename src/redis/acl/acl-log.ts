/** `ACL LOG`: the latest denials, the newest first, like ones counted together. */
import { MapReply, type Reply } from '../reply.js';

export interface AclLogEvent {
  readonly reason: 'auth' | 'command' | 'key' | 'channel';
  /** The command, channel, or for `auth` the user name tried. */
  readonly object: string;
  readonly username: string;
  /** The client, as `CLIENT INFO` shows it. */
  readonly clientInfo: string;
}

interface Entry extends AclLogEvent {
  readonly count: number;
  readonly last_ms: number;
}

/** Like events closer together than this are one entry. */
const GROUPING_ms = 60_000;

export class AclLog {
  #entries: readonly Entry[] = [];

  /** @param lengthMax `acllog-max-len`. */
  constructor(public lengthMax: number) {}

  add(event: AclLogEvent, now_ms: number): void {
    const same = this.#entries.find((entry) => isLike(entry, event) && now_ms - entry.last_ms <= GROUPING_ms);
    const others = this.#entries.filter((entry) => entry !== same);
    const entry = { ...event, count: (same?.count ?? 0) + 1, last_ms: now_ms };
    this.#entries = [entry, ...others].slice(0, this.lengthMax);
  }

  reset(): void {
    this.#entries = [];
  }

  /** The newest `count` entries. */
  reply(count: number, now_ms: number): Reply {
    return this.#entries.slice(0, count).map((entry) => entryReply(entry, now_ms));
  }
}

function isLike(a: AclLogEvent, b: AclLogEvent): boolean {
  return a.reason === b.reason && a.object === b.object && a.username === b.username;
}

function entryReply(entry: Entry, now_ms: number): Reply {
  return new MapReply([
    ['count', entry.count],
    ['reason', entry.reason],
    ['context', 'toplevel'],
    ['object', entry.object],
    ['username', entry.username],
    ['age-seconds', ((now_ms - entry.last_ms) / 1000).toFixed(3)],
    ['client-info', entry.clientInfo],
  ]);
}
