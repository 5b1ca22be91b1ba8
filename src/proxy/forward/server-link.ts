/**
 * One connection to a server: requests of many clients go out in one stream, and each reply goes to the oldest request
 * without one.
 */
import type { Socket } from 'node:net';
import { COMMANDS } from '../commands/table.js';
import { MINUS } from '../framing/codes.js';
import { Acknowledgements, WAITER } from './acknowledgements.js';
import { copyBytes, headOf, NO_BYTES } from './bytes.js';
import type { Client } from './client.js';
import type { LinkPurpose } from './link-purpose.js';
import { NOBODY, PendingRequests } from './pending.js';
import type { ReplyScanner } from './protocol.js';
import type { Replica } from './replica-set.js';
import { SentRequests } from './sent-requests.js';
import { openServerSocket } from './server-socket.js';
import type { Shard } from './shard.js';
import { measureOldest } from './slow-request.js';
import type { LinkTap } from './subscription.js';
import type { Flushed } from './turn.js';

/** Requests that one connection may owe replies, and bytes it may hold unsent, before clients are made to wait. */
const PENDING_MAX = 64 * 1024;
const OUTPUT_MAX_BYTES = 4 * 1024 * 1024;
const USUAL_MAX_BYTES = 256 * 1024;
/** Sent requests that are kept only to be shown in the slow log. */
const SHOWN_MAX_BYTES = 512 * 1024;
/** Of an error reply, what is looked at to see whether the server is still a master. */
const VERDICT_BYTES = 16;

export class ServerLink {
  /** It can take a request now: it is up or may be brought up, and not over its bounds. */
  accepts = true;
  readonly pending = new PendingRequests();
  readonly shard: Shard;
  readonly lane: number;
  /** The only client it serves, or null. */
  readonly owner: Client | null;
  /** The replica that it is to; null when it is to the shard's server, or master. */
  readonly replica: Replica | null;
  /** Called when its output has drained, for a client that waits to send more. */
  onDrain: (() => void) | null = null;
  /** Takes all that comes, in place of requests. */
  tap: LinkTap | null = null;
  readonly #scanner: ReplyScanner;
  #socket: Socket | null = null;
  #state: 'closed' | 'connecting' | 'greeting' | 'ready' = 'closed';
  #greetingsLeft = 0;
  #connectSince_ms = 0;
  #out: Buffer = NO_BYTES;
  #out_bytes = 0;
  /** What has gathered in a turn of late. */
  #usual_bytes = 0;
  #flying: Buffer | null = null;
  #flying_bytes = 0;
  #dirty = false;
  #position = 0;
  #sentPosition = 0;
  readonly #sent: SentRequests | null;
  /** Where writes wait for a replica; null when they do not. */
  readonly #acks: Acknowledgements | null;
  /** Its replies tell whether the server is still a master. */
  readonly #guarded: boolean;
  readonly #slow_ms: number;
  #replyBegun = false;
  #error = '';
  #roleErrorUnheard: string | null = null;
  #gathering = false;
  /** The reply that comes is thrown away, since its request is sent again. */
  #repeating = false;
  #readPaused = false;

  constructor(shard: Shard, lane: number, { owner, replica, acknowledges }: LinkPurpose) {
    this.shard = shard;
    this.owner = owner ?? null;
    this.replica = replica ?? null;
    this.lane = lane;
    this.#scanner = shard.pool.front.newReplyScanner();
    const { config, buffers } = shard.pool;
    this.#guarded = shard.follows;
    this.#acks = acknowledges === true ? new Acknowledgements(buffers, shard, config.holdTimeout_ms) : null;
    this.#slow_ms = (config.slowlogLogSlowerThan_us ?? Number.POSITIVE_INFINITY) / 1000;
    const shown = this.owner === null && config.slowlogLogSlowerThan_us !== null;
    if (shard.follows) this.#sent = new SentRequests(config.hold_bytes, buffers);
    else this.#sent = shown ? new SentRequests(SHOWN_MAX_BYTES, buffers) : null;
  }

  get ready(): boolean {
    return this.#state === 'ready';
  }

  get unsent_bytes(): number {
    return this.#out_bytes + this.#flying_bytes;
  }

  /**
   * Takes several requests that are one for their client: of their replies only the last is passed on. They are sent,
   * kept and repeated together or not at all.
   */
  sendTogether(who: number, seq: number, command: number, requests: readonly Buffer[]): void {
    this.begin(who, seq, command, requests.length - 1);
    for (const request of requests) this.sendPart(request, 0, request.length);
  }

  /** Takes one whole request of a client. `seq` is the place of its reply in the client's order. */
  send(who: number, seq: number, command: number, bytes: Buffer, start: number, end: number): void {
    this.begin(who, seq, command);
    this.sendPart(bytes, start, end);
  }

  /** Takes a whole request to which no reply will come. */
  sendSilent(bytes: Buffer, start: number, end: number): void {
    this.shard.stats.requests++;
    this.sendPart(bytes, start, end);
  }

  /** Notes a request whose bytes follow by {@link sendPart}. */
  begin(who: number, seq: number, command: number, unheard = 0): void {
    const { pending } = this;
    pending.push(who, seq, command, this.shard.pool.turn.now, this.#position, unheard);
    this.shard.stats.requests++;
    if (this.#acks !== null) this.#acks.taken(command);
    if (pending.count >= PENDING_MAX) this.accepts = false;
  }

  /** The request that was begun comes in parts, over several turns: `inParts` is false again with its last. */
  set inParts(inParts: boolean) {
    if (this.#acks !== null) this.#acks.inParts = inParts;
  }

  sendPart(bytes: Buffer, start: number, end: number): void {
    const size = end - start;
    const after = this.#out_bytes + size;
    // What one turn brings, the next will bring as well: a buffer that need not grow saves copying it.
    const room = Math.max(after, this.#usual_bytes);
    if (after > this.#out.length) this.#out = this.shard.pool.buffers.grow(this.#out, this.#out_bytes, room);
    copyBytes(bytes, start, end, this.#out, this.#out_bytes);
    this.#out_bytes = after;
    this.#position += size;
    this.shard.stats.request_bytes += size;
    if (after > OUTPUT_MAX_BYTES) this.accepts = false;
    if (!this.#dirty) {
      this.#dirty = true;
      this.shard.pool.turn.add(this);
    }
  }

  /** Opens the connection unless it is open. */
  open(): void {
    const address = this.replica?.address ?? this.shard.address;
    if (this.#state !== 'closed' || address === null) return;
    this.#state = 'connecting';
    this.#connectSince_ms = this.shard.pool.turn.now;
    this.#scanner.reset();
    this.#replyBegun = false;
    const { config, pool, stats } = this.shard;
    // A socket that has been given up may still speak when the next one is connecting.
    const socket = openServerSocket(address, config.tls, pool.config.tcpKeepalive, {
      received: (bytes, size) => {
        if (socket === this.#socket) this.#receive(bytes, size);
      },
      connected: () => {
        if (socket === this.#socket) this.#connected();
      },
      lost: (why, kind) => {
        if (kind === 'eof') stats.server_eof++;
        if (socket === this.#socket) this.fail(why, kind);
      },
    });
    this.#socket = socket;
    stats.server_connections++;
    pool.currentConnections++;
    pool.totalConnections++;
  }

  #connected(): void {
    const greeting = this.shard.pool.front.greeting(this.lane, this.shard);
    this.#greetingsLeft = greeting.length;
    if (greeting.length === 0) {
      this.#becomeReady();
    } else {
      this.#state = 'greeting';
      this.#socket?.write(Buffer.concat(greeting));
    }
  }

  #becomeReady(): void {
    this.#state = 'ready';
    this.shard.linkReady(this);
    this.flush();
  }

  #receive(bytes: Buffer, size: number): void {
    const { pool, stats } = this.shard;
    pool.turn.begin();
    stats.response_bytes += size;
    let at = 0;
    while (at < size) {
      if (this.#state === 'closed') return;
      if (this.#state !== 'ready') {
        at = this.#receiveGreeting(bytes, at, size);
        continue;
      }
      const end = this.#scanner.scan(bytes, at, size);
      if (this.tap !== null && !this.#scanner.broken) {
        this.tap.tapped(bytes, at, end, this.#scanner.complete);
        if (this.owner?.heavy === true) this.#waitFor(this.owner);
        at = end;
        continue;
      }
      if (this.#scanner.broken || this.pending.count === 0) {
        this.fail('the server sent something that is no reply', 'error');
        return;
      }
      this.#passOn(bytes, at, end, this.#scanner.complete);
      at = end;
    }
    if (this.#sent !== null) this.#sent.answered(this.pending.count > 0 ? this.pending.position() : this.#position);
    if (!this.accepts && this.#state === 'ready') this.#acceptAgain();
  }

  #passOn(bytes: Buffer, start: number, end: number, last: boolean): void {
    const { pending, shard } = this;
    if (this.#acks !== null && pending.who() === WAITER) {
      this.#heardReplicas(this.#acks, bytes, start, end, last);
      return;
    }
    if (pending.unheard() > 0) {
      this.#passOver(bytes, start, end, last);
      return;
    }
    if (!this.#replyBegun) {
      this.#replyBegun = true;
      if (this.#guarded) this.#beginGuardedReply(bytes[start] === MINUS);
    }
    if (this.#gathering) this.#gatherError(bytes, start, end, last);
    else if (this.#repeating) this.#repeating = !last;
    else this.#deliver(bytes, start, end, last);
    if (!last || this.#state === 'closed') return;
    this.#replyBegun = false;
    measureOldest(this, this.#sent, this.#slow_ms);
    pending.shift();
    shard.answered(this);
  }

  /**
   * The first byte of a reply that may not be what its client is to get: an error may be about the server's role; and
   * what is read behind a refused write must be read again behind it.
   */
  #beginGuardedReply(isError: boolean): void {
    const isLosing = this.shard.draining && this.replica === null;
    const repeats = isLosing && this.owner === null && COMMANDS.reads[this.pending.command()] === 1;
    this.#repeating = repeats && this.#hold(0);
    this.#gathering = isError && !this.#repeating;
    this.#error = '';
  }

  /** A reply that is not the last of requests sent together. Only a refusal because of the role is remembered. */
  #passOver(bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#error = this.#replyBegun ? this.#error : '';
    if (this.#error.length < VERDICT_BYTES) this.#error += bytes.toString('latin1', start, end);
    this.#replyBegun = !last;
    if (!last) return;
    if (this.shard.isRoleError(this.#error)) this.#roleErrorUnheard = this.#error.slice(1).trimEnd();
    this.pending.heardOne();
  }

  /** Hands (a part of) the oldest request's reply to who asked for it. */
  #deliver(bytes: Buffer, start: number, end: number, last: boolean): void {
    const who = this.pending.who();
    const { pool } = this.shard;
    if (this.#acks !== null && this.#keepsReply()) {
      if (this.#acks.keep(who, this.pending.seq(), bytes, start, end, last)) return;
      this.fail('replies of more than 16 MiB waited for a replica', 'error');
      return;
    }
    if (who >= 0) {
      const client = pool.clients[who];
      if (client === undefined) return;
      client.takeReply(this.pending.seq(), bytes, start, end, last);
      if (client.heavy) this.#waitFor(client);
    } else if (who !== NOBODY) {
      pool.joins.takeReply(who, this.pending.seq(), bytes, start, end, last);
    }
  }

  /** The reply to the oldest request waits for a replica. */
  #keepsReply(): boolean {
    return this.#acks !== null && COMMANDS.durable[this.pending.command()] === 1;
  }

  /** The answer to a WAIT. */
  #heardReplicas(acks: Acknowledgements, bytes: Buffer, start: number, end: number, last: boolean): void {
    if (last) this.pending.shift();
    acks.answered(bytes, start, end, last);
    if (!last) return;
    this.shard.answered(this);
    // What has gathered meanwhile.
    if (!this.#dirty) this.shard.pool.turn.add(this);
    this.#dirty = true;
  }

  /** Puts a WAIT behind all that has been taken. */
  #askReplicas(acks: Acknowledgements): void {
    this.pending.push(WAITER, 0, 0, this.shard.pool.turn.now, this.#position, 0);
    this.#dirty = true;
    this.sendPart(acks.request, 0, acks.request.length);
    this.#dirty = false;
    acks.askedNow();
  }

  /** An error of a server that may have lost its master's role is looked at before it is passed on. */
  #gatherError(bytes: Buffer, start: number, end: number, last: boolean): void {
    this.#error += bytes.toString('latin1', start, end);
    if (!last && (this.#error.length < VERDICT_BYTES || this.shard.isRoleError(this.#error))) return;
    this.#gathering = false;
    const refusal = this.#roleRefusal();
    // The server did not execute this request, so it may be sent to the next one.
    if (refusal !== null) {
      const held = this.owner === null && this.#hold(0);
      this.shard.refused(this, refusal);
      if (held) return;
    }
    const whole = Buffer.from(this.#error, 'latin1');
    this.#deliver(whole, 0, whole.length, last);
  }

  /** The server's words when it refused the oldest request because of its role. */
  #roleRefusal(): string | null {
    const unheard = this.#roleErrorUnheard;
    this.#roleErrorUnheard = null;
    if (unheard !== null && this.#error.startsWith('-EXECABORT')) return unheard;
    return this.shard.isRoleError(this.#error) ? this.#error.slice(1).trimEnd() : null;
  }

  #hold(k: number): boolean {
    const { pending } = this;
    const from = pending.position(k);
    const to = k + 1 < pending.count ? pending.position(k + 1) : this.#position;
    const bytes = to <= this.#sentPosition ? this.#sent?.copy(from, to) : this.#copyUnsent(from, to);
    if (bytes === null || bytes === undefined) return false;
    const unheard = pending.unheardAtFirst(k);
    return this.shard.hold(pending.who(k), pending.seq(k), pending.command(k), bytes, unheard, this.lane);
  }

  #copyUnsent(from: number, to: number): Buffer | null {
    const start = from - this.#sentPosition;
    return start < 0 ? null : Buffer.from(this.#out.subarray(start, to - this.#sentPosition));
  }

  #receiveGreeting(bytes: Buffer, start: number, size: number): number {
    const end = this.#scanner.scan(bytes, start, size);
    if (this.#scanner.broken || this.#greetingsLeft === 0) {
      this.fail('the server sent something that is no reply', 'error');
      return size;
    }
    this.#error = (this.#replyBegun ? this.#error : '') + bytes.toString('latin1', start, end);
    this.#replyBegun = !this.#scanner.complete;
    if (!this.#scanner.complete) return end;
    const refusal = this.shard.pool.front.greetingRefusal(this.#error, this);
    if (refusal !== null) {
      if (this.replica === null) this.shard.greetingRefused(refusal);
      this.fail(refusal, 'error');
      return size;
    }
    this.#greetingsLeft--;
    if (this.#greetingsLeft === 0) this.#becomeReady();
    return end;
  }

  #acceptAgain(): void {
    if (this.pending.count > PENDING_MAX / 2 || this.#out_bytes > OUTPUT_MAX_BYTES / 2) return;
    this.accepts = this.replica !== null || this.shard.open;
    if (this.accepts) this.shard.wakeWaiting();
  }

  /** Writes what has gathered. */
  flush(): Flushed {
    this.#dirty = false;
    if (this.#state === 'closed') this.open();
    if (this.#state !== 'ready' || this.#flying !== null || this.#out_bytes === 0 || this.#socket === null)
      return 'done';
    if (this.#acks?.asked === true) return 'done';
    if (this.#acks?.due === true) this.#askReplicas(this.#acks);
    const buffer = this.#out;
    const size = this.#out_bytes;
    this.#out = NO_BYTES;
    this.#out_bytes = 0;
    this.#sent?.add(buffer, this.#sentPosition, size);
    this.#sentPosition += size;
    this.#usual_bytes = Math.min(Math.max(size, (this.#usual_bytes + size) >> 1), USUAL_MAX_BYTES);
    const socket = this.#socket;
    socket.write(headOf(buffer, size));
    if (socket.writableLength === 0) {
      if (this.#sent === null) this.shard.pool.buffers.give(buffer);
    } else {
      this.#flying = buffer;
      this.#flying_bytes = size;
      socket.write(NO_BYTES, () => this.#written(socket, buffer));
    }
    if (this.onDrain !== null && this.#flying === null) this.onDrain();
    return 'done';
  }

  #written(socket: Socket, buffer: Buffer): void {
    if (this.#sent === null) this.shard.pool.buffers.give(buffer);
    if (socket !== this.#socket) return;
    this.#flying = null;
    this.#flying_bytes = 0;
    this.shard.pool.turn.begin();
    this.flush();
    if (!this.accepts) this.#acceptAgain();
    if (this.onDrain !== null && this.#flying === null) this.onDrain();
  }

  /** A client does not read what this server has for it: the server is not read either until it does, or has left. */
  #waitFor(client: Client): void {
    if (this.#readPaused || this.#socket === null) return;
    this.#readPaused = true;
    this.#socket.pause();
    client.pool.pauseReplies(client, this);
  }

  readAgain(): void {
    if (!this.#readPaused) return;
    this.#readPaused = false;
    this.#socket?.resume();
  }

  /** How long it has been waiting for the connection and its first replies; 0 when it is not. */
  greeting_ms(now: number): number {
    return this.#state === 'connecting' || this.#state === 'greeting' ? now - this.#connectSince_ms : 0;
  }

  /** How long the oldest request (or the connection itself) has been waiting; null when nothing waits. */
  waiting_ms(now: number): number | null {
    if (this.#state === 'connecting' || this.#state === 'greeting') return now - this.#connectSince_ms;
    if (this.pending.count === 0 || this.#readPaused) return null;
    const waited = now - this.pending.since_ms();
    // The server itself ends a WAIT in time.
    if (this.pending.who() === WAITER && waited <= this.shard.pool.config.holdTimeout_ms) return null;
    return waited;
  }

  /** Closes the connection; every request without a reply gets this error, or waits for the next master. */
  fail(why: string, kind: 'eof' | 'error' | 'timeout' | 'closing'): void {
    if (this.#state === 'closed') return;
    const wasReady = this.#state === 'ready';
    this.#state = 'closed';
    const { shard, pending } = this;
    shard.stats.server_connections--;
    shard.pool.currentConnections--;
    if (kind === 'error') shard.stats.server_err++;
    if (kind === 'timeout') shard.stats.server_timedout++;
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
    shard.pool.turn.begin();
    if (this.#repeating) pending.shift();
    else if (this.#replyBegun && wasReady && pending.count > 0 && !this.#gathering && !this.#keepsReply()) {
      shard.breakOff(pending.who(), pending.seq());
      pending.shift();
    }
    this.#acks?.lost(why);
    this.#settlePending(why);
    this.#forget();
    shard.linkFailed(this, why, kind, wasReady);
  }

  #settlePending(why: string): void {
    const { pending, shard } = this;
    for (let k = 0; k < pending.count; k++) {
      if (pending.who(k) === WAITER) continue;
      const unsent = pending.position(k) >= this.#sentPosition;
      if (shard.mayRepeat(pending.command(k), unsent, this.owner !== null) && this.#hold(k)) continue;
      shard.refuse(pending.who(k), pending.seq(k), shard.lossError(why, unsent));
    }
    pending.clear();
  }

  #forget(): void {
    const { buffers } = this.shard.pool;
    buffers.give(this.#out);
    this.#out = NO_BYTES;
    this.#out_bytes = 0;
    this.#position = 0;
    this.#sentPosition = 0;
    this.#flying = null;
    this.#flying_bytes = 0;
    this.#sent?.clear();
    this.#gathering = false;
    this.#repeating = false;
    this.#roleErrorUnheard = null;
    this.#replyBegun = false;
    this.#readPaused = false;
    this.#greetingsLeft = 0;
    this.accepts = this.replica !== null || this.shard.open;
  }
}
