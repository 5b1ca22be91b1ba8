/**
 * One connection to a Redis, from connect to close: TLS, the handshake, requests in order, messages. It neither
 * reconnects nor makes promises; `link.ts` does. Strings that come in are text; those that go out may be bytes.
 */
import type { Socket } from 'node:net';
import { type CloseReason, classifyError, describeError } from './close-reason.js';
import { RespDecoder } from './decoder.js';
import { encodeRequest, type RespVersion } from './encoder.js';
import { describeEndpoint, type Endpoint, openSocket, readyEvent, type TlsSettings } from './endpoint.js';
import { type Credentials, Handshake } from './handshake.js';
import { type Incoming, Pairing } from './pairing.js';
import { RespProtocolError } from './protocol-error.js';
import { ErrorReply, type Reply } from './reply.js';
import type { RespLimits } from './resp-limits.js';

export interface ConnectionOptions {
  readonly to: Endpoint;
  /** Null, the default, for none. */
  readonly tls?: TlsSettings | null;
  readonly auth?: Credentials | null;
  /** CLIENT SETNAME; a server that refuses it is only noted. */
  readonly name?: string;
  /** Default 2. 3 asks for RESP3; see `Connection.protocol` for what it came to. */
  readonly protocol?: RespVersion;
  /** Default 0. */
  readonly database?: number;
  /** The address to connect from; empty, the default, for the system's choice. */
  readonly localAddress?: string;
  /** From the first packet to the last answer of the handshake; then `timeout`. */
  readonly connectTimeout_ms: number;
  /** Silence after which the kernel asks whether the peer is still there. Default 15 s. */
  readonly keepAlive_ms?: number;
  /** Requests not yet answered; `send` refuses more. Default 1024. */
  readonly pending_max?: number;
  /** Bytes not yet taken by the kernel; `send` refuses more. Default 16 MiB. */
  readonly unsent_bytes_max?: number;
  readonly limits?: Partial<RespLimits>;
}

/** Called from the event loop, never from within a call of ours; `close` may be called from any of them. */
export interface ConnectionHandlers<Tag> {
  /** The handshake is done: `send` works from here on. At most once. */
  onUp(): void;
  /** In the order of the requests. A (un)subscription is answered by its last acknowledgement. */
  onReply(reply: Reply, tag: Tag): void;
  onMessage?(channel: string, message: string, pattern: string | null): void;
  /** RESP3 pushes that are no messages, and subscriptions that the server ended by itself. */
  onPush?(items: readonly Reply[]): void;
  /** Something odd but harmless, for the log. */
  onNote?(text: string): void;
  /** The last call; requests that had no reply get none. Not called after `close`. */
  onClosed(why: CloseReason, detail: string): void;
}

/** `full`: over a bound, nothing was sent. `down`: not up yet, or closed. */
export type SendResult = 'sent' | 'full' | 'down';

/** Begins to connect; `onUp` or `onClosed` follows. */
export function openConnection<Tag>(options: ConnectionOptions, handlers: ConnectionHandlers<Tag>): Connection<Tag> {
  return new Connection(options, handlers);
}

/** See `openConnection`. */
export class Connection<Tag> {
  readonly #to: Endpoint;
  readonly #handlers: ConnectionHandlers<Tag>;
  readonly #pendingMax: number;
  readonly #unsentMax_bytes: number;
  readonly #socket: Socket;
  readonly #decoder: RespDecoder;
  readonly #pairing = new Pairing<Tag>();
  readonly #timer: NodeJS.Timeout;
  #handshake: Handshake | null;
  #state: 'opening' | 'up' | 'closed' = 'opening';
  #protocol: RespVersion = 2;
  #corked = false;

  constructor(options: ConnectionOptions, handlers: ConnectionHandlers<Tag>) {
    const { to, tls = null, auth = null, name = '', protocol = 2, database = 0 } = options;
    this.#to = to;
    this.#handlers = handlers;
    this.#pendingMax = options.pending_max ?? 1024;
    this.#unsentMax_bytes = options.unsent_bytes_max ?? 16 * 1024 * 1024;
    this.#decoder = new RespDecoder(options.limits === undefined ? {} : { limits: options.limits });
    this.#handshake = new Handshake({ auth, protocol, database, name });
    this.#timer = setTimeout(() => this.#late(options.connectTimeout_ms), options.connectTimeout_ms);
    const { keepAlive_ms = 15_000, localAddress = '' } = options;
    this.#socket = openSocket(to, tls, { keepAlive_ms, localAddress }, (bytes) => this.#read(bytes));
    this.#socket.once(readyEvent(tls), () => this.#greet());
    this.#socket.on('end', () => this.#end('ended', this.#endDetail()));
    this.#socket.on('error', (error) => this.#end(classifyError(error), describeError(error)));
    this.#socket.on('close', () => this.#end('ended', 'the connection is gone'));
  }

  /** True between `onUp` and the end. */
  get up(): boolean {
    return this.#state === 'up';
  }

  /** What is spoken: 3 only if asked for and known to the server. */
  get protocol(): RespVersion {
    return this.#protocol;
  }

  /** Our own end's address; empty while it is not connected and for a unix socket. */
  get localIp(): string {
    return this.#socket.localAddress ?? '';
  }

  /** Requests not yet answered. */
  get pending(): number {
    return this.#pairing.size;
  }

  /**
   * Sends a request; what is sent in one turn of the event loop leaves in one write. The reply comes with `tag`.
   * Commands that change what replies look like (MONITOR, SYNC, CLIENT REPLY, HELLO, RESET) are not for here, and an
   * UNSUBSCRIBE must name its channels.
   */
  send(args: readonly (string | Uint8Array)[], tag: Tag): SendResult {
    if (this.#state !== 'up') return 'down';
    if (this.#pairing.size >= this.#pendingMax || this.#socket.writableLength > this.#unsentMax_bytes) return 'full';
    this.#pairing.sent(args, tag);
    this.#write(encodeRequest(args));
    return 'sent';
  }

  /** Ends it at once; nothing more is heard of it. What is not yet on the wire is lost. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  #end(why: CloseReason, detail: string): void {
    if (this.#state === 'closed') return;
    this.close();
    this.#handlers.onClosed(why, detail);
  }

  #endDetail(): string {
    return this.#decoder.idle ? 'the peer closed the connection' : 'the peer closed the connection inside a reply';
  }

  #late(timeout_ms: number): void {
    const missing = this.#socket.connecting ? 'no connection' : 'no answer to the handshake';
    this.#end('timeout', `${missing} from ${describeEndpoint(this.#to)} within ${timeout_ms} ms`);
  }

  #greet(): void {
    if (this.#state === 'closed' || this.#handshake === null) return;
    for (const request of this.#handshake.requests) this.#write(encodeRequest(request));
    if (this.#handshake.done) this.#becomeUp();
  }

  #becomeUp(): void {
    clearTimeout(this.#timer);
    this.#handshake = null;
    this.#state = 'up';
    this.#handlers.onUp();
  }

  #write(bytes: Buffer): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(bytes);
  }

  #read(chunk: Buffer): void {
    if (this.#state === 'closed') return;
    try {
      this.#decoder.feed(chunk, (value) => this.#value(value));
    } catch (error) {
      if (!(error instanceof RespProtocolError)) throw error;
      this.#end('protocol', error.message);
    }
  }

  #value(value: Reply): void {
    if (this.#state === 'closed') return;
    if (this.#handshake !== null) this.#greeted(this.#handshake, value);
    else this.#dispatch(this.#pairing.received(value, this.#protocol));
  }

  #greeted(handshake: Handshake, reply: Reply): void {
    const verdict = handshake.received(reply);
    if (verdict.kind === 'close') {
      this.#end(verdict.why, verdict.detail);
      return;
    }
    this.#protocol = handshake.protocol;
    if (verdict.note !== null) this.#handlers.onNote?.(verdict.note);
    if (handshake.done && this.#state === 'opening') this.#becomeUp();
  }

  #dispatch(incoming: Incoming<Tag>): void {
    switch (incoming.kind) {
      case 'reply':
        this.#handlers.onReply(incoming.reply, incoming.tag);
        break;
      case 'message':
        this.#handlers.onMessage?.(incoming.channel, incoming.message, incoming.pattern);
        break;
      case 'push':
        this.#handlers.onPush?.(incoming.items);
        break;
      case 'partial':
        break;
      case 'unasked':
        // A server says why before it turns a client away; anything else means that we have lost count.
        if (incoming.reply instanceof ErrorReply) this.#end('ended', incoming.reply.message);
        else this.#end('protocol', 'a reply that nobody asked for');
        break;
    }
  }
}
