/**
 * The boundary of the Sentinel core: everything that may come in, everything that may go out. All of it is plain data,
 * so that the runner (sockets, files, scripts) and the simulator drive the same core.
 */
import type { SentinelState } from '../../config/sentinel-types.js';
import type { Reply } from '../../redis/reply.js';

/** One connection the core has asked for; never reused. */
export type ConnId = number;

/** Where an instance is reached. */
export interface Address {
  /** As configured or announced: an IP, or a name when `resolve-hostnames` is on. */
  readonly host: string;
  /** What `host` resolved to; empty while it is not known. */
  readonly ip: string;
  readonly port: number;
}

/** Who we say we are to an instance. An empty `user` is the old one-argument AUTH. */
export interface Credentials {
  readonly user: string;
  readonly pass: string;
}

/** What a connection is for: `command` sends requests, `hello` is subscribed to `__sentinel__:hello`. */
export type ConnPurpose = 'command' | 'hello';

/** Why a connection ended or could not be made. `refused` and `reset` mean that the host is alive and said no. */
export type CloseReason = 'refused' | 'reset' | 'ended' | 'timeout' | 'unreachable' | 'auth' | 'protocol' | 'local';

/** What a request was for; the runner hands it back, untouched, with the reply. */
export type Tag =
  | { readonly kind: 'ping' }
  | { readonly kind: 'info' }
  | { readonly kind: 'hello' }
  /** `epoch`: that of the election in which the vote was asked for; null when none was. */
  | { readonly kind: 'ask'; readonly master: string; readonly peer: string; readonly epoch: number | null }
  /** `epoch`: that of the failover. */
  | { readonly kind: 'promote'; readonly master: string; readonly epoch: number }
  | { readonly kind: 'reconfigure'; readonly master: string }
  | { readonly kind: 'demote'; readonly master: string }
  | { readonly kind: 'coordinate'; readonly master: string; readonly step: CoordinationStep }
  | { readonly kind: 'ignore' };

/** The requests of a coordinated failover: Redis's own FAILOVER, or a write pause and our watch on the offsets. */
export type CoordinationStep = 'failover' | 'abort' | 'pause';

/** A client of this Sentinel that waits for an answer; the core only carries it back. */
export type ClientToken = number;

export type Input =
  /** Time has passed: `nextDeadline` is reached. */
  | { readonly on: 'tick' }
  /** `localIp` is our own end's address: what we announce when `announce-ip` is not set. */
  | { readonly on: 'connected'; readonly conn: ConnId; readonly localIp: string }
  | { readonly on: 'closed'; readonly conn: ConnId; readonly why: CloseReason; readonly detail: string }
  /** The reply to an earlier `send`; replies come in the order of the requests of one connection. */
  | { readonly on: 'reply'; readonly conn: ConnId; readonly tag: Tag; readonly reply: Reply }
  /** A message on a `hello` connection's channel. */
  | { readonly on: 'hello'; readonly conn: ConnId; readonly message: string }
  /** The answer to `resolve`; `ip` is null when the name has none. */
  | { readonly on: 'resolved'; readonly host: string; readonly ip: string | null }
  /**
   * `SENTINEL …` (PENDING-SCRIPTS apart), `PUBLISH __sentinel__:hello …` or `ROLE` from a client: args[0] is the command.
   * `questionsBefore` tells what has to be found out before.
   */
  | { readonly on: 'command'; readonly client: ClientToken; readonly args: readonly string[] };

/** Severity as Redis's log knows it: its marks are `.`, `-`, `*` and `#`. */
export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning';

/** What `loglevel` can be: the least severe level that is written, or none at all. */
export type Verbosity = LogLevel | 'nothing';

/** Something happened: goes to the log and to the channel named by `type`; a `warning` also to the notification script. */
export interface SentinelEvent {
  readonly level: LogLevel;
  /** The channel, e.g. `+sdown`. */
  readonly type: string;
  /** What subscribers receive, e.g. `master mymaster 127.0.0.1 6379`. */
  readonly text: string;
  /** The master it concerns, if one. */
  readonly master: string | null;
}

export type Effect =
  /** Open a connection; answered by `connected` or `closed`. AUTH, CLIENT SETNAME and SUBSCRIBE are the runner's. */
  | {
      readonly act: 'connect';
      readonly conn: ConnId;
      readonly to: Address;
      readonly purpose: ConnPurpose;
      readonly auth: Credentials | null;
      /** CLIENT SETNAME; empty for none. */
      readonly name: string;
      /** Give up after this long. */
      readonly timeout_ms: number;
    }
  /** Close it; no `closed` follows, and nothing more is heard of it. */
  | { readonly act: 'close'; readonly conn: ConnId }
  | { readonly act: 'send'; readonly conn: ConnId; readonly tag: Tag; readonly args: readonly string[] }
  /** Look a name up again; answered by `resolved`. */
  | { readonly act: 'resolve'; readonly host: string }
  /**
   * Make this durable before any later effect of the list is carried out; or, `soon`, before others are told of it: it was
   * heard from another Sentinel, which has it on disk, and whoever is in this process need not wait.
   */
  | { readonly act: 'persist'; readonly snapshot: SentinelState; readonly soon: boolean }
  | { readonly act: 'event'; readonly event: SentinelEvent }
  /** A line for the log alone. */
  | { readonly act: 'log'; readonly level: LogLevel; readonly text: string }
  /** Queue a script: path and arguments, run without a shell. */
  | { readonly act: 'script'; readonly path: string; readonly args: readonly string[] }
  /** SENTINEL CONFIG SET loglevel: from now on only this is written to the log. */
  | { readonly act: 'set-verbosity'; readonly verbosity: Verbosity }
  /** Answer the client's command. */
  | { readonly act: 'answer'; readonly client: ClientToken; readonly reply: Reply }
  /** Asked for by SENTINEL SIMULATE-FAILURE: end at once, as a crash would. */
  | { readonly act: 'crash'; readonly why: string };
