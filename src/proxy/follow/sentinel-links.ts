/**
 * The links to one Sentinel: one to ask it where a master is, and one to hear at once that this has changed (`+switch-master`)
 * or that a master is about to step down as planned (`+hand-over`, of a node agent's Sentinel).
 */
import { describeEndpoint, type TlsSettings } from '../../redis/endpoint.js';
import { type LinkState, RedisLink } from '../../redis/link.js';
import { ErrorReply } from '../../redis/reply.js';
import { readView, type SentinelView } from './choose-master.js';

const ANSWER_MS = 500;
const CONNECT_MS = 500;
const BACKOFF_MS = 50;
/** Also how soon it is tried again. */
const SUBSCRIBE_MS = 1_000;

export interface SentinelOptions {
  readonly to: { readonly host: string; readonly port: number };
  readonly tls: TlsSettings | null;
  readonly login: { readonly user: string; readonly password: string } | null;
  /** The longest wait between two attempts to connect. */
  readonly backoffMax_ms: number;
}

/** A master that is about to step down. */
export interface LeavingMaster {
  readonly group: string;
  readonly host: string;
  readonly port: number;
}

export interface SentinelEvents {
  /** Of the link that asks. */
  readonly state: (state: LinkState) => void;
  /** @param message `<master name> <old ip> <old port> <new ip> <new port>` */
  readonly switched: (message: string) => void;
  /** @param message `master <master name> <ip> <port>`, which `leaving` is read from */
  readonly leaving: (leaving: LeavingMaster, message: string) => void;
}

export class SentinelLinks {
  readonly name: string;
  readonly #ask: RedisLink;
  readonly #listen: RedisLink;
  readonly #events: SentinelEvents;
  #closed = false;

  /** Connects at once, and again for as long as it is not closed. */
  constructor({ to, tls, login, backoffMax_ms }: SentinelOptions, events: SentinelEvents) {
    this.name = describeEndpoint(to);
    this.#events = events;
    const options = {
      to,
      tls,
      auth: login === null ? null : { user: login.user, pass: login.password },
      connectTimeout_ms: CONNECT_MS,
      backoff: { base_ms: BACKOFF_MS, max_ms: backoffMax_ms },
    };
    this.#ask = new RedisLink({ ...options, closeOnTimeout: true, name: 'tanist-proxy', onState: events.state });
    this.#listen = new RedisLink({ ...options, whileDown: 'wait' });
    this.#subscribe();
  }

  /** Once it has been acknowledged, the link renews it by itself; until then it is asked for again. */
  #subscribe(): void {
    const options = { deadline_ms: SUBSCRIBE_MS };
    Promise.all([
      this.#listen.subscribe('+switch-master', this.#events.switched, options),
      this.#listen.subscribe('+hand-over', (message) => this.#heardLeaving(message), options),
    ]).catch(() => {
      if (!this.#closed) setTimeout(() => this.#subscribe(), SUBSCRIBE_MS).unref();
    });
  }

  #heardLeaving(message: string): void {
    const [, group = '', host = '', port] = message.split(' ');
    this.#events.leaving({ group, host, port: Number(port) }, message);
  }

  /** Null when it has nothing to say about the master now. Never rejects. */
  async ask(master: string): Promise<SentinelView | null> {
    const request = this.#ask.request(['SENTINEL', 'MASTER', master], { deadline_ms: ANSWER_MS });
    const reply = await request.catch((): null => null);
    return reply === null || reply instanceof ErrorReply ? null : readView(this.name, reply);
  }

  close(): void {
    this.#closed = true;
    this.#ask.close();
    this.#listen.close();
  }
}
