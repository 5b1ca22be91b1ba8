/**
 * One client connection: bytes in go to the protocol's front, replies leave in the order of the requests. Fields are
 * public where the forwarding path touches them; nothing is allocated for a request.
 */
import type { Socket } from 'node:net';
import { assert } from '../../base/assert.js';
import type { PoolUser } from '../users.js';
import { copyBytes, headOf, NO_BYTES } from './bytes.js';
import { type Course, type Halt, SHARED } from './client-state.js';
import { EarlyReplies } from './early-replies.js';
import { KeptInput } from './kept-input.js';
import { dbOf, isResp3, laneOf } from './lane.js';
import { loginAgain } from './login-again.js';
import type { Pool } from './pool.js';
import type { ServerLink } from './server-link.js';
import type { Shard } from './shard.js';
import type { Subscription } from './subscription.js';
import type { Transaction } from './transaction.js';
import type { Flushed } from './turn.js';
import type { Upload } from './upload.js';

/** Requests of one client that may be unanswered at a time. */
export const WINDOW_REQUESTS = 1024;
/** Unsent output at which no more of this client's requests are read. */
const OUTPUT_HIGH_BYTES = 1024 * 1024;
/** Unsent output at which a server's replies are no longer read for its sake. */
const OUTPUT_HEAVY_BYTES = 16 * 1024 * 1024;
/** Messages that wait for the end of a reply at which no more are read. */
const PUSHES_MAX = 10_000;
/** Input kept while its requests cannot be taken; beyond, the socket is paused. */
const INPUT_KEPT_BYTES = 64 * 1024;
/** How long the first replies to a pipeline wait for the rest. */
const GATHERING_MAX_MS = 1;

export class Client {
  slot: number;
  readonly socket: Socket;
  pool: Pool;
  /** The number of the next request, and of the one whose reply is due; both wrap at 32 bits. */
  next = 0;
  head = 0;
  halted: Halt | null = null;
  /** True once the connection is closed while replies are outstanding. */
  gone = false;
  /** More unsent output than a server should produce for it. */
  heavy = false;
  /** Since when it is heavy, or has an input that waits for a server; ms on the turn's clock. */
  heavySince_ms = 0;
  waitSince_ms = -1;
  /** It may use the fast path: authenticated, and in no mode of its own. */
  plain: boolean;
  authenticated: boolean;
  /** Who it is, in a pool with users. */
  user: PoolUser | null = null;
  /** Its database and its version of the protocol: which connections to servers it shares. */
  lane: number;
  /** A connection to a server that it shares with nobody: for large requests, for WATCH, for commands that block. */
  own: ServerLink | null = null;
  /** Where what it has under way goes, in a pool where that matters. */
  course: Course = SHARED;
  /** When it last asked for anything but a read, on the turn's clock. */
  wroteAt_ms = Number.NEGATIVE_INFINITY;
  /** It waits for a command that blocks on its own connection. */
  blocking = false;
  /** Set while it is subscribed to something. */
  subscription: Subscription | null = null;
  /** The transaction it is in. */
  transaction: Transaction | null = null;
  /** A request too large to keep, on its way to a server. */
  upload: Upload | null = null;
  #out: Buffer = NO_BYTES;
  #out_bytes = 0;
  #flying: Buffer = NO_BYTES;
  #dirty = false;
  #waited = false;
  /** The end of the pipeline that is answered now: of the requests that one read brought to an idle client. */
  #pipelineEnd = 0;
  #gathersSince_ms = -1;
  readonly #kept: KeptInput;
  #need_bytes = 0;
  #paused = false;
  #ended = false;
  #owed = 0;
  #early: EarlyReplies | null = null;
  /** A reply has been passed on in part: nothing may come between its parts. */
  #inReply = false;
  readonly #pushes: Buffer[] = [];
  #nextPool: Pool | null = null;
  readonly #onWritten = (): void => this.#written();

  constructor(slot: number, socket: Socket, pool: Pool) {
    this.slot = slot;
    this.socket = socket;
    this.pool = pool;
    this.#kept = new KeptInput(pool.buffers);
    this.authenticated = false;
    this.plain = false;
    this.loginAnew();
    this.lane = laneOf(pool.config.redisDb, false);
  }

  /** Database chosen with SELECT. */
  get db(): number {
    return dbOf(this.lane);
  }

  set db(db: number) {
    this.lane = laneOf(db, this.resp3);
  }

  /** It has said HELLO 3. */
  get resp3(): boolean {
    return isResp3(this.lane);
  }

  set resp3(resp3: boolean) {
    this.lane = laneOf(this.db, resp3);
  }

  /** Requests without a reply yet. */
  get inFlight(): number {
    return (this.next - this.head) | 0;
  }

  /** Takes bytes from the socket; the buffer is not its own and is not kept. */
  receive(bytes: Buffer, size: number): void {
    if (this.gone || this.halted === 'closing') return;
    if (this.#kept.size_bytes === 0 && this.halted === null) {
      this.waitSince_ms = -1;
      const at = this.#take(bytes, 0, size);
      if (at < size) this.#keep(bytes, at, size);
      return;
    }
    this.#keep(bytes, 0, size);
    if (this.halted === null && this.#kept.size_bytes >= this.#need_bytes) this.#takeKept();
  }

  #take(bytes: Buffer, start: number, end: number): number {
    this.#need_bytes = 0;
    const wasIdle = this.head === this.next;
    let at = start;
    if (this.upload !== null) at = this.upload.feed(this, bytes, start, end);
    if (this.#nextPool !== null && !this.#moved()) return at;
    if (this.halted === null && this.upload === null && at < end) at = this.pool.front.run(this, bytes, at, end);
    if (wasIdle) this.#pipelineEnd = this.next;
    return at;
  }

  /** The front says how many bytes a request will have at least, so that it is not looked at before. */
  needs(size_bytes: number): void {
    this.#need_bytes = size_bytes;
  }

  #takeKept(): void {
    const { bytes, start, end } = this.#kept;
    this.#kept.takenTo(this.#take(bytes, start, end));
  }

  #keep(bytes: Buffer, start: number, end: number): void {
    this.#kept.add(bytes, start, end, this.#need_bytes);
    if (this.halted !== null && this.#kept.size_bytes > INPUT_KEPT_BYTES) this.#pause();
  }

  /** No more requests are taken until {@link proceed}; what comes is kept, up to a bound. */
  halt(why: Halt): void {
    if (this.halted !== 'closing') this.halted = why;
    if (why === 'closing') this.#kept.clear();
  }

  /** Ends a halt for this reason and takes what was kept; nothing happens when it is halted for another. */
  proceed(why: Halt): void {
    if (this.halted !== why || why === 'closing' || this.gone) return;
    this.halted = null;
    this.blocking = false;
    this.pool.turn.begin();
    if (this.#kept.size_bytes > 0) this.#takeKept();
    if (this.halted === null && this.#paused) {
      this.#paused = false;
      this.socket.resume();
    }
    if (this.#ended) this.#closeWhenAnswered();
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.socket.pause();
  }

  /** Claims the place of the next reply. */
  claim(): number {
    const seq = this.next;
    this.next = (seq + 1) | 0;
    return seq;
  }

  /** Answers the next request at once. */
  answer(bytes: Buffer): void {
    this.takeReply(this.claim(), bytes, 0, bytes.length, true);
  }

  /** Takes (a part of) the reply to request `seq`; `last` when it is complete with it. */
  takeReply(seq: number, bytes: Buffer, start: number, end: number, last: boolean): void {
    if (this.gone) {
      if (last) this.#settle();
      return;
    }
    if (seq !== this.head) {
      this.#early ??= new EarlyReplies(this.pool.buffers);
      this.#early.store(seq, this.head, bytes, start, end, last);
      if (this.#early.held_bytes > OUTPUT_HEAVY_BYTES) this.#becomeHeavy();
      return;
    }
    this.append(bytes, start, end);
    if (last) {
      this.head = (seq + 1) | 0;
      if (this.#inReply) this.#endReply();
      if (this.#early !== null && !this.#early.empty) this.#drainEarly();
    } else {
      this.#inReply = true;
    }
    if (!this.#dirty) {
      this.#dirty = true;
      this.pool.turn.add(this);
    }
  }

  /** Adds what no request has asked for: messages of a subscription, whole where replies may come beside them. */
  push(bytes: Buffer, start: number, end: number): void {
    if (this.gone) return;
    if (this.#inReply) this.#pushes.push(Buffer.from(bytes.subarray(start, end)));
    else this.append(bytes, start, end);
    if (this.#pushes.length > PUSHES_MAX) this.#becomeHeavy();
    if (this.#dirty) return;
    this.#dirty = true;
    this.pool.turn.add(this);
  }

  /** The reply that was passed on in part is whole: messages that came meanwhile follow. */
  #endReply(): void {
    this.#inReply = false;
    for (const message of this.#pushes.splice(0)) this.append(message, 0, message.length);
  }

  #drainEarly(): void {
    const early = this.#early;
    let before = this.#out_bytes;
    while (early?.drain(this.head, this) === true) {
      this.head = (this.head + 1) | 0;
      before = this.#out_bytes;
    }
    // Of the next one, what is there of it has been passed on.
    this.#inReply = this.#out_bytes > before;
  }

  /** Adds bytes to the output as they are. */
  append(bytes: Buffer, start: number, end: number): void {
    const after = this.#out_bytes + end - start;
    if (after > this.#out.length) this.#out = this.pool.buffers.grow(this.#out, this.#out_bytes, after);
    copyBytes(bytes, start, end, this.#out, this.#out_bytes);
    this.#out_bytes = after;
    if (after > OUTPUT_HEAVY_BYTES) this.#becomeHeavy();
  }

  #becomeHeavy(): void {
    if (this.heavy) return;
    this.heavy = true;
    this.heavySince_ms = this.pool.turn.now;
  }

  /** Sends what has gathered, unless more of the pipeline's replies may be worth waiting for. */
  flush(): Flushed {
    const isPartial = this.head !== this.next && this.#out_bytes > 0 && this.#out_bytes < INPUT_KEPT_BYTES;
    const waits = isPartial ? this.#waitForMore() : 'done';
    if (waits !== 'done') return waits;
    this.#dirty = false;
    this.#waited = false;
    this.#gathersSince_ms = -1;
    if (this.gone) return 'done';
    if (this.#flying.length === 0 && this.#out_bytes > 0) this.#write();
    this.#afterFlush();
    return 'done';
  }

  /**
   * What one read brought is a pipeline, whose client most likely reads on when it has been answered whole: one write
   * for all of it spares both sides work, so it is given a moment. In a stream of requests the others get a turn.
   */
  #waitForMore(): Flushed {
    if (((this.#pipelineEnd - this.head) | 0) > 0 && this.halted === null) {
      const { now } = this.pool.turn;
      if (this.#gathersSince_ms < 0) this.#gathersSince_ms = now;
      if (now - this.#gathersSince_ms < GATHERING_MAX_MS) return 'later';
      this.#pipelineEnd = this.head;
    } else if (!this.#waited) {
      this.#waited = true;
      return 'again';
    }
    return 'done';
  }

  #write(): void {
    const buffer = this.#out;
    const size = this.#out_bytes;
    this.#out = NO_BYTES;
    this.#out_bytes = 0;
    this.socket.write(headOf(buffer, size));
    if (this.socket.writableLength === 0) {
      this.pool.buffers.give(buffer);
    } else {
      // The kernel did not take it all. An empty write behind it tells when it has.
      this.#flying = buffer;
      this.socket.write(NO_BYTES, this.#onWritten);
    }
  }

  #written(): void {
    this.pool.buffers.give(this.#flying);
    this.#flying = NO_BYTES;
    if (this.gone) return;
    this.pool.turn.begin();
    if (this.#out_bytes > 0) this.#write();
    this.#afterFlush();
  }

  #afterFlush(): void {
    const stuck = this.#flying.length > 0;
    const mayGoOn = this.halted === null || (this.halted === 'window' && this.inFlight < WINDOW_REQUESTS / 2);
    if (stuck && mayGoOn && this.#out_bytes + this.#flying.length > OUTPUT_HIGH_BYTES) {
      this.halt('output');
    } else if (!stuck && this.halted !== null) {
      this.proceed('output');
    }
    if (this.heavy && !stuck && (this.#early === null || this.#early.held_bytes < OUTPUT_HEAVY_BYTES)) {
      this.heavy = false;
      this.pool.releaseReplies(this);
    }
    if (this.halted === 'window' && this.inFlight < WINDOW_REQUESTS / 2) this.proceed('window');
    if (this.halted === 'alone' && this.inFlight === 0) this.proceed('alone');
    if (this.#ended || this.halted === 'closing') this.#closeWhenAnswered();
  }

  /** Its pool has been configured anew: requests from now on go to this one. */
  moveTo(pool: Pool): void {
    this.#nextPool = pool;
    if (this.halted === null) this.#moved();
  }

  /**
   * Moves to the next pool, unless something still binds the client to the old one: replies under way are waited for;
   * a transaction and a large request are finished there first.
   * @returns false when the client has been halted.
   */
  #moved(): boolean {
    const next = this.#nextPool;
    if (next === null || this.upload !== null) return true;
    if (this.transaction !== null || this.subscription !== null) return true;
    if (this.inFlight !== 0) {
      this.halt('alone');
      return false;
    }
    this.#nextPool = null;
    this.returnLink();
    this.pool.currentConnections--;
    this.pool.freeSlot(this);
    if (this.db === this.pool.config.redisDb) this.db = next.config.redisDb;
    this.pool = next;
    this.slot = next.adopt(this);
    this.waitSince_ms = -1;
    loginAgain(this);
    return true;
  }

  /** It has shown that it is this user; null in a pool without users. */
  login(user: PoolUser | null): void {
    this.user = user;
    this.authenticated = true;
    this.becomePlain();
  }

  /** As when it was new: whoever a client is that has shown nothing. */
  loginAnew(): void {
    const { users, config } = this.pool;
    this.user = users?.first ?? null;
    this.authenticated = users === null ? config.redisAuth === null : this.user !== null;
    this.becomePlain();
  }

  /** It may use the fast path again, unless something else keeps it from it. */
  becomePlain(): void {
    const isFree = this.user === null || this.user.free;
    const isListening = this.subscription !== null && !this.resp3;
    this.plain = this.authenticated && isFree && this.transaction === null && !isListening;
  }

  /** Its last subscription is over. */
  endSubscription(): void {
    this.subscription = null;
    this.becomePlain();
    if (this.#nextPool !== null) this.halt('alone');
  }

  /** Its transaction is over; what comes next may be for another pool. */
  endTransaction(): void {
    this.transaction = null;
    this.becomePlain();
    if (this.#nextPool !== null) this.halt('alone');
  }

  /** Its own connection to a shard: the one it has, or a new one. Null when the shard has too many. */
  borrowLink(shard: Shard): ServerLink | null {
    if (this.own !== null && this.own.shard === shard && this.own.lane === this.lane) return this.own;
    this.returnLink();
    this.own = shard.borrow(this);
    return this.own;
  }

  returnLink(): void {
    const { own } = this;
    this.own = null;
    own?.shard.returnLink(own);
  }

  /** Its own connection has ended by itself. */
  ownLinkLost(link: ServerLink): void {
    if (this.own === link) this.own = null;
    this.transaction?.connectionLost(link);
    this.subscription?.lost(link);
    // A request on its way over it may be waiting for room that will never come.
    this.proceed('upload');
  }

  /** The other side will send no more; replies still outstanding are sent, then the connection is closed. */
  end(): void {
    if (this.gone) return;
    this.#ended = true;
    // A request half sent will never be complete, and one that blocks must not take an element for nobody.
    if (this.upload !== null || this.blocking) {
      this.socket.destroy();
      return;
    }
    if (this.halted === null) this.halt('closing');
    this.#closeWhenAnswered();
  }

  /** It is to go: what it was asked for is still answered, what it has not begun to ask is not taken. */
  leave(): void {
    if (this.gone) return;
    this.halt('closing');
    this.#closeWhenAnswered();
  }

  /** Nothing is owed to it, and nothing on its way. */
  get settled(): boolean {
    return this.gone || (this.inFlight === 0 && this.#out_bytes === 0 && this.#flying.length === 0);
  }

  #closeWhenAnswered(): void {
    const unheard = this.halted !== null && this.halted !== 'closing';
    if (unheard || this.inFlight !== 0 || this.#out_bytes > 0 || this.#flying.length > 0 || this.gone) return;
    this.halt('closing');
    this.socket.end();
    if (this.#ended) this.socket.destroySoon();
  }

  /** The connection is closed: replies still to come are dropped, and the slot is kept until they have. */
  closed(): void {
    if (this.gone) return;
    if (this.halted === 'server') for (const shard of this.pool.shards) shard.forgetWaiting(this);
    this.gone = true;
    this.#owed = this.inFlight - (this.#early?.wholeCount ?? 0);
    this.#early?.clear();
    this.#kept.clear();
    this.pool.buffers.give(this.#out);
    this.#out = NO_BYTES;
    this.#out_bytes = 0;
    this.upload?.abandon();
    this.upload = null;
    this.returnLink();
    this.subscription?.end();
    this.heavy = false;
    this.pool.releaseReplies(this);
    if (this.#owed === 0) this.pool.freeSlot(this);
  }

  #settle(): void {
    this.#owed--;
    assert(this.#owed >= 0, 'a client that left is owed as many replies as it had requests');
    if (this.#owed === 0) this.pool.freeSlot(this);
  }
}
