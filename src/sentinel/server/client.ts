/**
 * One connected client: what it sent becomes requests, in order, what it is told becomes bytes, within bounds. What the
 * requests mean is for `dispatch.ts`.
 */
import type { Socket } from 'node:net';
import { encodeReply, type RespVersion } from '../../redis/encoder.js';
import { RespProtocolError } from '../../redis/protocol-error.js';
import { ErrorReply, PushReply, type Reply } from '../../redis/reply.js';
import { RequestDecoder } from '../../redis/request-decoder.js';
import { OUTPUT_LIMITS, outputFault } from './output-limits.js';
import type { Subscriber } from './pubsub.js';

/** A Sentinel's requests are short: far less than Redis allows for values. */
const REQUEST_LIMITS = { bulk_bytes: 1024 * 1024, args: 64 * 1024, request_bytes: 4 * 1024 * 1024 } as const;
/** With this much unsent no further request of the client is looked at. */
const HIGH_WATER_bytes = 256 * 1024;
/** A connection that ends is given this long to take what it was still told. */
const LINGER_MS = 5_000;

export interface ClientHooks {
  /** A whole request. Answered by `reply`, once, perhaps later; no other request of this client comes before. */
  onRequest(client: Client, args: readonly string[]): void;
  /** The connection is gone; the last call. */
  onGone(client: Client): void;
  /** The client was closed for something that it did; for the log. */
  onFault(client: Client, what: string): void;
}

export class Client implements Subscriber {
  readonly channels = new Set<string>();
  readonly patterns = new Set<string>();
  readonly connectedAt = performance.now();
  lastRequestAt = performance.now();
  /** The user that the client has logged in as. */
  user = 'default';
  authenticated: boolean;
  protocol: RespVersion = 2;
  name = '';
  libName = '';
  libVersion = '';
  /** As `CLIENT LIST` shows it, e.g. `client|list`. */
  lastCommand = 'NULL';
  noEvict = false;
  /** CLIENT REPLY. */
  replies: 'on' | 'off' | 'skip' = 'on';
  readonly #socket: Socket;
  readonly #hooks: ClientHooks;
  readonly #decoder: RequestDecoder;
  /** Whole requests that wait for the one before, or for room in the output. */
  #waiting: string[][] = [];
  #busy = false;
  #working = false;
  #closing = false;
  #softSince: number | null = null;
  #received_bytes = 0;

  constructor(
    readonly id: number,
    socket: Socket,
    /** `ip:port`, or the socket's path with `:0`. */
    readonly address: string,
    readonly localAddress: string,
    authenticated: boolean,
    hooks: ClientHooks,
  ) {
    this.#socket = socket;
    this.#hooks = hooks;
    this.authenticated = authenticated;
    this.#decoder = new RequestDecoder({ limits: REQUEST_LIMITS, unauthenticated: !authenticated });
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => this.#work());
    socket.on('end', () => this.#linger());
    // What a socket's error was is of no use here: the connection is gone.
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#gone());
  }

  /** Bytes that the kernel has not taken yet. */
  get unsent_bytes(): number {
    return this.#socket.writableLength;
  }

  get received_bytes(): number {
    return this.#received_bytes;
  }

  get sent_bytes(): number {
    return this.#socket.bytesWritten;
  }

  get subscriptions(): number {
    return this.channels.size + this.patterns.size;
  }

  /** A logged-in client may send longer requests, and may do what its user may. */
  logIn(user: string): void {
    this.user = user;
    this.authenticated = true;
    this.#decoder.authenticated = true;
  }

  /** Back to the user `default`, as after connecting. */
  logOut(authenticated: boolean): void {
    this.user = 'default';
    this.authenticated = authenticated;
    this.#decoder.authenticated = authenticated;
  }

  /** Answers the request that `onRequest` gave. */
  reply(reply: Reply): void {
    this.replyEach([reply]);
  }

  /** Answers it with several replies, as (UN)SUBSCRIBE does: one a channel. */
  replyEach(replies: readonly Reply[]): void {
    if (this.replies === 'on') for (const reply of replies) this.#write(reply);
    else if (this.replies === 'skip') this.replies = 'on';
    this.#done();
  }

  /** The request needs no answer of its own. */
  noReply(): void {
    this.#done();
  }

  deliver(channel: string, message: string, pattern: string | null): void {
    const items = pattern === null ? ['message', channel, message] : ['pmessage', pattern, channel, message];
    this.#write(new PushReply(items));
  }

  /** Closes after what has been written so far. */
  closeAfterReply(): void {
    this.#closing = true;
    this.#waiting = [];
    this.#linger();
  }

  /** Closes at once. */
  destroy(): void {
    this.#closing = true;
    this.#waiting = [];
    this.#socket.destroy();
  }

  /** Looks whether the client has been slow for too long. */
  checkOutput(now: number): void {
    const kind = this.subscriptions > 0 ? 'pubsub' : 'normal';
    const unsent = this.unsent_bytes;
    if (unsent <= OUTPUT_LIMITS[kind].soft_bytes) this.#softSince = null;
    else this.#softSince ??= now;
    const fault = outputFault(kind, unsent, this.#softSince === null ? 0 : now - this.#softSince);
    if (fault === null || this.#closing) return;
    this.#hooks.onFault(this, fault);
    this.destroy();
  }

  #write(reply: Reply): void {
    if (this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#socket.write(encodeReply(reply, this.protocol));
    if (this.#socket.writableLength > 0) this.checkOutput(performance.now());
  }

  #read(chunk: Buffer): void {
    if (this.#closing) return;
    this.#received_bytes += chunk.length;
    this.lastRequestAt = performance.now();
    this.#socket.cork();
    try {
      this.#decoder.feed(chunk, (args) => this.#take(args));
    } catch (error) {
      if (!(error instanceof RespProtocolError)) throw error;
      this.#hooks.onFault(this, error.message);
      this.#write(new ErrorReply(`ERR ${error.message}`));
      this.closeAfterReply();
    } finally {
      this.#socket.uncork();
    }
    if (this.#waiting.length > 0) this.#socket.pause();
  }

  #take(args: string[]): void {
    if (this.#closing) return;
    if (this.#busy || this.#waiting.length > 0 || this.unsent_bytes > HIGH_WATER_bytes) this.#waiting.push(args);
    else this.#run(args);
  }

  #run(args: string[]): void {
    this.#busy = true;
    this.#hooks.onRequest(this, args);
  }

  #done(): void {
    if (!this.#busy) return;
    this.#busy = false;
    if (this.#waiting.length > 0 && !this.#working) setImmediate(() => this.#work());
  }

  /** Goes on with what waits, as far as there is room for the replies. */
  #work(): void {
    if (this.#waiting.length === 0 || this.#working) return;
    this.#working = true;
    let done = 0;
    for (const args of this.#waiting) {
      if (this.#busy || this.#closing || this.unsent_bytes > HIGH_WATER_bytes) break;
      done += 1;
      this.#run(args);
    }
    this.#waiting = this.#waiting.slice(done);
    this.#working = false;
    if (this.#waiting.length === 0 && !this.#closing) this.#socket.resume();
  }

  /** The peer sends no more, or is to be closed: it may still take what it was told, for a while. */
  #linger(): void {
    if (this.#socket.destroyed) return;
    this.#socket.end();
    const timer = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #gone(): void {
    this.#closing = true;
    this.#waiting = [];
    this.#hooks.onGone(this);
  }
}
