/** The connections that the core has asked for: opened, subscribed, closed; what they bring becomes its inputs. */
import { placeName } from '../../base/place.js';
import { type Connection, openConnection } from '../../redis/connection.js';
import type { TlsSettings } from '../../redis/endpoint.js';
import { ErrorReply } from '../../redis/reply.js';
import { HELLO_CHANNEL } from '../core/hello.js';
import type { ConnId, Effect, Input, LogLevel, Tag } from '../core/io.js';

export interface ConnectSettings {
  /** How masters, replicas and other Sentinels are spoken to; null without TLS. */
  readonly tls: TlsSettings | null;
  /** The address that we connect from; empty for the system's choice. */
  readonly localAddress: string;
}

type ConnectEffect = Extract<Effect, { act: 'connect' }>;

/** A hello channel's SUBSCRIBE is the runner's own request, with no tag of the core's. */
type OwnTag = Tag | { readonly kind: 'subscribe' };

/** A peer's INFO is tens of kilobytes; more than this for one reply is not a Redis talking to a Sentinel. */
const REPLY_LIMITS = { bulk_bytes: 8 * 1024 * 1024, value_bytes: 16 * 1024 * 1024, element_count: 64 * 1024 } as const;
const PENDING_MAX = 4_096;

export class Connections {
  readonly #settings: ConnectSettings;
  readonly #deliver: (input: Input) => void;
  readonly #log: (level: LogLevel, text: string) => void;
  readonly #open = new Map<ConnId, Connection<OwnTag>>();

  constructor(
    settings: ConnectSettings,
    deliver: (input: Input) => void,
    log: (level: LogLevel, text: string) => void,
  ) {
    this.#settings = settings;
    this.#deliver = deliver;
    this.#log = log;
  }

  connect(effect: ConnectEffect): void {
    const { conn, to, purpose, auth, name, timeout_ms } = effect;
    const { tls, localAddress } = this.#settings;
    const opened = openConnection<OwnTag>(
      {
        to: { host: to.ip, port: to.port },
        tls,
        auth,
        name,
        localAddress,
        connectTimeout_ms: timeout_ms,
        pending_max: PENDING_MAX,
        limits: REPLY_LIMITS,
      },
      {
        onUp: () => {
          if (purpose === 'hello') opened.send(['SUBSCRIBE', HELLO_CHANNEL], { kind: 'subscribe' });
          this.#deliver({ on: 'connected', conn, localIp: opened.localIp });
        },
        onReply: (reply, tag) => {
          if (tag.kind !== 'subscribe') this.#deliver({ on: 'reply', conn, tag, reply });
          else if (reply instanceof ErrorReply) this.#refused(conn, opened, reply);
        },
        onMessage: (_channel, message) => this.#deliver({ on: 'hello', conn, message }),
        onNote: (text) => this.#log('debug', `${placeName({ host: to.ip, port: to.port })}: ${text}`),
        onClosed: (why, detail) => {
          this.#open.delete(conn);
          this.#log(
            'debug',
            `The connection to ${placeName({ host: to.ip, port: to.port })} ended (${why}): ${detail}`,
          );
          this.#deliver({ on: 'closed', conn, why, detail });
        },
      },
    );
    this.#open.set(conn, opened);
  }

  /** @returns false when the request did not leave and no `closed` will follow for it */
  send(conn: ConnId, tag: Tag, args: readonly string[]): boolean {
    // A connection that is not up has ended or will: its `closed` is on the way and answers for all requests.
    return this.#open.get(conn)?.send(args, tag) !== 'full';
  }

  close(conn: ConnId): void {
    this.#open.get(conn)?.close();
    this.#open.delete(conn);
  }

  closeAll(): void {
    for (const connection of this.#open.values()) connection.close();
    this.#open.clear();
  }

  #refused(conn: ConnId, opened: Connection<OwnTag>, reply: ErrorReply): void {
    opened.close();
    this.#open.delete(conn);
    this.#log('verbose', `A subscription was refused: ${reply.message}`);
    this.#deliver({ on: 'closed', conn, why: 'auth', detail: reply.message });
  }
}
