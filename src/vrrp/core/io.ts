/** The boundary of the VRRP core: everything that may come in, everything that may go out, as plain data. */
import type { Family } from '../../base/ip-bytes.js';
import type { RouterConfig, VirtualAddress } from './config.js';

/** RFC 5798 section 6.3, and FAULT: something this host needs is broken, so it takes no part in the election. */
export type State = 'INIT' | 'BACKUP' | 'MASTER' | 'FAULT';

/** What is known of something watched. `unknown`: not yet checked for the first time. */
export type TrackStatus = 'unknown' | 'up' | 'down';

/** The result of a check. */
export interface TrackResult {
  readonly status: TrackStatus;
  /** What a tracked file holds, and 0 for everything else. */
  readonly value: number;
  /** From then on it counts as down, unless it is told again: the router's own clock (monotonic ms). Without it: for ever. */
  readonly until?: number;
  /** Why it is down. */
  readonly reason?: string;
}

/** One IP packet with a VRRP message in it. */
export interface Packet {
  readonly interface: string;
  readonly family: Family;
  readonly source: string;
  readonly destination: string;
  /** TTL or hop limit as received. */
  readonly ttl: number;
  readonly payload: Uint8Array;
}

export type Input =
  | { readonly on: 'start' }
  /** `nextDeadline` is reached. */
  | { readonly on: 'tick' }
  | { readonly on: 'packet'; readonly packet: Packet }
  /** An interface came or went: it exists, is up, and has a carrier; or not. */
  | { readonly on: 'link'; readonly interface: string; readonly up: boolean }
  /** The address that adverts of a family leave an interface with (IPv6: link-local); null when it has none. */
  | { readonly on: 'source'; readonly interface: string; readonly family: Family; readonly address: string | null }
  /** Whether a configured `source` address is on this host. */
  | { readonly on: 'local'; readonly address: string; readonly present: boolean }
  | ({ readonly on: 'track'; readonly id: string } & TrackResult)
  /**
   * The router woke up: what was lent until a time that has passed is down, before anything else is looked at. `slept_ms`:
   * how long the host was suspended, which the monotonic clock does not count but a loan does.
   */
  | { readonly on: 'wake'; readonly slept_ms: number }
  /** One of our addresses was removed by somebody else. */
  | { readonly on: 'address-lost'; readonly ip: string; readonly device: string }
  /** Another host uses one of our addresses: it answered a probe or announced the address. */
  | { readonly on: 'conflict'; readonly ip: string; readonly mac: string }
  | { readonly on: 'send-failed'; readonly instance: string; readonly error: string }
  /** Replaces the configuration; what did not change goes on undisturbed. */
  | { readonly on: 'configure'; readonly config: RouterConfig }
  | { readonly on: 'stop' };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type Effect =
  | {
      readonly do: 'send';
      readonly instance: string;
      readonly interface: string;
      readonly family: Family;
      readonly source: string;
      readonly destination: string;
      readonly ttl: number;
      readonly payload: Uint8Array;
    }
  /** Put the addresses on their interfaces, or refresh their lifetimes when they are there. */
  | {
      readonly do: 'claim';
      readonly instance: string;
      readonly addresses: readonly VirtualAddress[];
      readonly lifetime_s: number | null;
    }
  /**
   * Take the addresses off their interfaces. `farewell_ms`: clients are told, and the removal may wait that long for it;
   * null: they are not.
   */
  | {
      readonly do: 'release';
      readonly instance: string;
      readonly addresses: readonly VirtualAddress[];
      readonly farewell_ms: number | null;
    }
  /** One gratuitous ARP request, or one unsolicited neighbour advert, for each address. */
  | { readonly do: 'announce'; readonly instance: string; readonly addresses: readonly VirtualAddress[] }
  /** Ask the network who holds the addresses; an answer comes back as `conflict`. */
  | { readonly do: 'probe'; readonly instance: string; readonly addresses: readonly VirtualAddress[] }
  /** A change of state, for notify scripts and listeners. `STOP` and `DELETED` end an instance. */
  | {
      readonly do: 'notify';
      readonly kind: 'INSTANCE' | 'GROUP';
      readonly name: string;
      readonly state: 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'DELETED';
      readonly priority: number;
      readonly reason: string;
    }
  /** A master has heard a router with a lower priority. */
  | { readonly do: 'lower-heard'; readonly instance: string; readonly priority: number }
  | { readonly do: 'priority'; readonly instance: string; readonly state: State; readonly priority: number }
  | { readonly do: 'log'; readonly level: LogLevel; readonly instance: string | null; readonly message: string };
