/** One server of a pool: its connections, its health, and what waits for it. */
import type { ServerConfig, SocketAddress } from '../../config/nutcracker-types.js';
import { COMMANDS } from '../commands/table.js';
import { NO_BYTES } from './bytes.js';
import type { Client } from './client.js';
import { REPLICA, SHARED, WRITES } from './client-state.js';
import { HeldRequests } from './held-requests.js';
import { laneOf } from './lane.js';
import { NOBODY } from './pending.js';
import type { Pool } from './pool.js';
import { ReplicaSet } from './replica-set.js';
import { ServerLink } from './server-link.js';
import { ServerStats } from './stats.js';

/** Connections with one client each that a shard may have. */
const OWN_LINKS_MAX = 1024;

/** While a WAIT is unanswered its connection does nothing else: another goes on meanwhile. */
const WRITE_LINKS = 2;

/** How long a server that lost its role is given to answer what it was sent. */
const DRAIN_MAX_MS = 500;

/** How long a server may take to say that it is a master. */
const GREETING_MAX_MS = 1_000;

/** Who is told when a shard's master is in doubt. */
export interface MasterSeeker {
  doubted(shard: Shard, reason: string): void;
  verified(shard: Shard): void;
}
/** So long after a change of master its replicas may be on their way to it. */
const NEW_MASTER_MS = 3_000;

export class Shard {
  readonly pool: Pool;
  readonly index: number;
  readonly config: ServerConfig;
  readonly stats = new ServerStats();
  /** True when its master may change: somebody says where it is, and the server there must confirm it. */
  readonly follows: boolean;
  /** Null while no master is known. */
  address: SocketAddress | null;
  /** False while requests must wait: it follows a master, and no verified one is connected. */
  open: boolean;
  /** Writes are acknowledged only when a replica has them. */
  readonly replicated: boolean;
  /** Where reads may go; null when they go to the master. */
  readonly replicas: ReplicaSet | null;
  /** Called when a master has been verified. */
  onOpen: (() => void) | null = null;
  readonly #ownWrites_ms: number;
  /** It matters which connection a request takes. */
  readonly #choosy: boolean;
  seeker: MasterSeeker | null = null;
  readonly links: ServerLink[];
  /** Of `links`. */
  readonly #lane: number;
  /** Of clients in another database, or with another version of the protocol. */
  readonly #laneLinks = new Map<number, ServerLink>();
  /** For writes that wait for a replica, by lane and client. */
  readonly #writeLinks = new Map<number, ServerLink>();
  readonly #ownLinks = new Set<ServerLink>();
  readonly #waiting = new Set<Client>();
  readonly #held: HeldRequests;
  #failures = 0;
  #retryAt_ms = 0;
  /** When its present address was first told. */
  #pointedAt_ms = Number.NEGATIVE_INFINITY;
  #downSince_ms = 0;
  #drainingSince_ms = -1;
  #downReason = 'no master is known yet';

  constructor(pool: Pool, index: number, config: ServerConfig) {
    this.pool = pool;
    this.index = index;
    this.config = config;
    const { target } = config;
    this.follows = target.kind === 'master' || target.kind === 'group';
    this.address = target.kind === 'master' || target.kind === 'group' ? null : target;
    this.open = !this.follows;
    this.replicated = config.replicated;
    this.#held = new HeldRequests(pool);
    const { readFrom, replicaLagMax_ms } = pool.config;
    this.replicas = readFrom === 'master' ? null : new ReplicaSet(this, replicaLagMax_ms);
    // After so long, a replica that is read from has what was written.
    this.#ownWrites_ms = replicaLagMax_ms;
    this.#choosy = this.replicated || this.replicas !== null;
    this.#lane = laneOf(pool.config.redisDb, false);
    this.links = Array.from({ length: pool.config.serverConnections }, () => new ServerLink(this, this.#lane, {}));
    for (const link of this.links) link.accepts = this.open;
  }

  get heldCount(): number {
    return this.#held.count + this.#waiting.size;
  }

  /**
   * The connection for a client's next request; the same one while the client's requests must keep their order. Null when
   * this one must wait until all others of the client are answered.
   */
  linkFor(client: Client, command: number): ServerLink | null {
    return this.#choosy ? this.#chooseLink(client, command) : this.sharedLink(client);
  }

  /**
   * Writes that wait for a replica go over connections of their own, and reads may go to a replica. The order of a
   * client's requests is kept by keeping them on one course: what only reads may be behind anything; for anything else, the
   * reads before it must have been answered.
   */
  #chooseLink(client: Client, command: number): ServerLink | null {
    const reads = COMMANDS.reads[command] === 1;
    const writes = this.replicated && COMMANDS.durable[command] === 1;
    if (COMMANDS.durable[command] === 1) client.wroteAt_ms = this.pool.turn.now;
    if (client.inFlight === 0)
      client.course = writes ? WRITES : reads && this.#mayUseReplica(client) ? REPLICA : SHARED;
    else if ((writes && client.course === SHARED) || (!reads && client.course === REPLICA)) return null;
    if (client.course === WRITES) return this.#writeLink(client.lane, client.slot);
    const replica = client.course === REPLICA ? this.replicas?.linkFor(client, this.pool.turn.now) : null;
    return replica ?? this.sharedLink(client);
  }

  /** A client finds what it has written itself: for as long as a replica may be behind, it reads from the master. */
  #mayUseReplica(client: Client): boolean {
    if (this.replicas === null || client.transaction !== null) return false;
    return this.pool.turn.now - client.wroteAt_ms > this.#ownWrites_ms;
  }

  #writeLink(lane: number, slot: number): ServerLink {
    const number = lane * WRITE_LINKS + (slot % WRITE_LINKS);
    const known = this.#writeLinks.get(number);
    if (known !== undefined) return known;
    const link = new ServerLink(this, lane, { acknowledges: true });
    link.accepts = this.open;
    this.#writeLinks.set(number, link);
    return link;
  }

  /** The connection for a client's next request where no write waits for a replica. */
  sharedLink(client: Client): ServerLink {
    const { links } = this;
    const link = links.length === 1 ? links[0] : links[client.slot % links.length];
    if (link === undefined || client.lane !== this.#lane) return this.#linkForLane(client.lane);
    return link;
  }

  #linkForLane(lane: number): ServerLink {
    const known = this.#laneLinks.get(lane);
    if (known !== undefined) return known;
    const link = new ServerLink(this, lane, {});
    link.accepts = this.open;
    this.#laneLinks.set(lane, link);
    return link;
  }

  /** A connection for one client alone; it ends or is closed with {@link returnLink}. Null when there are too many. */
  borrow(client: Client): ServerLink | null {
    if (this.#ownLinks.size >= OWN_LINKS_MAX) return null;
    client.wroteAt_ms = this.pool.turn.now;
    const link = new ServerLink(this, client.lane, { owner: client, acknowledges: this.replicated });
    this.#ownLinks.add(link);
    return link;
  }

  returnLink(link: ServerLink): void {
    this.#ownLinks.delete(link);
    link.fail('the connection is no longer needed', 'closing');
  }

  /** All connections, also those to replicas. */
  *everyLink(): Iterable<ServerLink> {
    yield* this.allLinks();
    if (this.replicas !== null) yield* this.replicas.links();
  }

  /** All connections to its server, or master. */
  *allLinks(): Iterable<ServerLink> {
    yield* this.links;
    yield* this.#laneLinks.values();
    yield* this.#writeLinks.values();
    yield* this.#ownLinks;
  }

  /** A reply has been passed on whole. */
  answered(link: ServerLink): void {
    this.stats.responses++;
    this.#failures = 0;
    const isLosing = this.#drainingSince_ms >= 0 && link.replica === null;
    if (isLosing && link.pending.count === 0) link.fail(this.#downReason, 'closing');
  }

  /** Requests go to this address from now on, once it has proved to be a master. */
  point(address: SocketAddress): void {
    const same =
      this.address?.kind === 'tcp' &&
      address.kind === 'tcp' &&
      this.address.host === address.host &&
      this.address.port === address.port;
    if (same && this.open) return;
    if (this.#isDraining()) return;
    if (!same) {
      this.close(`its master is now ${address.kind === 'tcp' ? `${address.host}:${address.port}` : address.path}`);
      this.address = address;
      this.#pointedAt_ms = this.pool.turn.now;
    }
    const [first] = this.links;
    first?.open();
  }

  /** True while a server that lost its role answers what it was sent. */
  get draining(): boolean {
    return this.#drainingSince_ms >= 0;
  }

  /** Why there is no master, for the errors of those that wait. */
  explain(reason: string): void {
    if (!this.open) this.#downReason = reason;
  }

  /** Connections that clients share wait for replies. */
  #isOwing(): boolean {
    for (const link of this.allLinks()) if (link.owner === null && link.pending.count > 0) return true;
    return false;
  }

  /** True while connections wait for the last replies of a server that is no master any more. */
  #isDraining(): boolean {
    if (this.#drainingSince_ms < 0) return false;
    const late = this.pool.turn.now - this.#drainingSince_ms > DRAIN_MAX_MS;
    if (!late && this.#isOwing()) return true;
    this.#drainingSince_ms = -1;
    this.close(this.#downReason);
    return false;
  }

  /**
   * The server has refused a request because of its role. What is under way will be refused as well, and is waited for;
   * nothing new is sent.
   */
  suspect(reason: string): void {
    if (this.open) {
      this.pool.log.notice(`${this.pool.config.name}: '${this.config.label}' (${this.addressText}) says: ${reason}`);
    }
    this.pause(reason);
    this.seeker?.doubted(this, reason);
  }

  /** A server has refused a request because of its role. */
  refused(link: ServerLink, reason: string): void {
    if (link.replica === null) {
      this.suspect(reason);
      return;
    }
    this.replicas?.refused(link.replica, this.pool.turn.now);
    this.#sendHeldIfOpen();
  }

  /** Nothing new is sent until a master is verified; what is under way is waited for. */
  pause(reason: string): void {
    this.#downReason = reason;
    if (!this.open) return;
    this.open = false;
    this.#downSince_ms = this.pool.turn.now;
    this.#drainingSince_ms = this.pool.turn.now;
    for (const link of this.allLinks()) link.accepts = false;
  }

  /** Requests wait from now on; connections end. */
  close(reason: string): void {
    if (this.open) this.#downSince_ms = this.pool.turn.now;
    this.open = false;
    this.#downReason = reason;
    for (const link of this.allLinks()) {
      link.accepts = false;
      link.fail(reason, 'closing');
      link.accepts = false;
    }
  }

  /** A connection has been greeted; for a shard that follows sentinels that proves the master. */
  linkReady(link: ServerLink): void {
    if (!this.follows || this.open || link !== this.links[0]) return;
    this.open = true;
    for (const each of this.allLinks()) each.accepts = true;
    this.pool.log.notice(`${this.pool.config.name}: '${this.config.label}' is served by ${this.addressText}`);
    this.seeker?.verified(this);
    this.onOpen?.();
    this.#sendHeld();
    this.wakeWaiting();
  }

  get addressText(): string {
    if (this.address === null) return 'nobody';
    return this.address.kind === 'tcp' ? `${this.address.host}:${this.address.port}` : this.address.path;
  }

  greetingRefused(reason: string): void {
    this.#downReason = reason;
  }

  linkFailed(link: ServerLink, why: string, kind: 'eof' | 'error' | 'timeout' | 'closing', wasReady: boolean): void {
    if (link.owner !== null) {
      this.#ownLinks.delete(link);
      link.owner.ownLinkLost(link);
    }
    if (link.replica !== null) {
      this.replicas?.refused(link.replica, this.pool.turn.now);
      this.#sendHeldIfOpen();
    }
    if (kind === 'closing') return;
    this.pool.log.info(`${this.pool.config.name}: connection to '${this.config.label}' (${this.addressText}): ${why}`);
    if (link.replica !== null) return;
    if (this.follows) {
      if (wasReady || !this.open) this.doubt(why);
    } else {
      this.#countFailure();
      this.wakeWaiting();
    }
  }

  /** The master may be gone: requests wait until one has been verified. */
  doubt(reason: string): void {
    if (this.open) this.close(reason);
    this.#downReason = reason;
    this.seeker?.doubted(this, reason);
  }

  /** The server has not carried a request out, since it is not, or not yet, what a master has to be. */
  isRoleError(error: string): boolean {
    if (/^-(READONLY|LOADING|MASTERDOWN)\b/.test(error)) return true;
    // The replicas of one that has just become the master are on their way to it.
    return error.startsWith('-NOREPLICAS') && this.pool.turn.now - this.#pointedAt_ms < NEW_MASTER_MS;
  }

  #countFailure(): void {
    const { config, ring, stats, turn } = this.pool;
    if (!config.autoEjectHosts) return;
    this.#failures++;
    if (this.#failures < config.serverFailureLimit || !ring.isLive(this.index)) return;
    ring.setLive(this.index, false);
    stats.server_ejects++;
    this.stats.server_ejected_at = Date.now() * 1000;
    this.#retryAt_ms = turn.now + config.serverRetryTimeout_ms;
    this.#failures = 0;
    this.pool.log.warn(`${config.name}: '${this.config.label}' is ejected for ${config.serverRetryTimeout_ms} ms`);
  }

  // --- requests that wait

  /** A client's next request is for this shard, which cannot take it now. */
  wait(client: Client): void {
    if (client.waitSince_ms < 0) client.waitSince_ms = this.pool.turn.now;
    this.#waiting.add(client);
    client.halt('server');
  }

  forgetWaiting(client: Client): void {
    this.#waiting.delete(client);
  }

  wakeWaiting(): void {
    if (this.#waiting.size === 0) return;
    const clients = [...this.#waiting];
    this.#waiting.clear();
    for (const client of clients) client.proceed('server');
  }

  /** Why a request has waited too long. */
  get waitError(): string {
    const { config } = this.pool;
    return `ERR shard '${this.config.label}' has had no master for ${config.holdTimeout_ms} ms: ${this.#downReason}`;
  }

  /** May this request be sent again, after its connection was lost? */
  mayRepeat(command: number, unsent: boolean, owned: boolean): boolean {
    return this.follows && !owned && (unsent || COMMANDS.reads[command] === 1);
  }

  lossError(why: string, unsent: boolean): string {
    if (!this.follows || unsent) return why.startsWith('ERR ') ? why : `ERR ${why}`;
    return `ERR the connection to shard '${this.config.label}' was lost with this request under way (${why}): it may or may not have been executed`;
  }

  /** Keeps a request for the next master. @returns false when there is no room. */
  hold(who: number, seq: number, command: number, bytes: Buffer, unheard: number, lane: number): boolean {
    return this.#held.add({ who, seq, command, bytes, unheard, lane, since_ms: this.pool.turn.now });
  }

  #anyLink(lane: number, command: number): ServerLink | undefined {
    if (this.replicated && COMMANDS.durable[command] === 1) return this.#writeLink(lane, 0);
    return lane === this.#lane ? this.links[0] : this.#linkForLane(lane);
  }

  /** What a replica did not answer is asked elsewhere. */
  #sendHeldIfOpen(): void {
    if (this.open) this.#sendHeld();
  }

  #sendHeld(): void {
    const { clients, joins } = this.pool;
    for (const { who, seq, command, bytes, unheard, lane } of this.#held.takeAll()) {
      const slot = who >= 0 ? who : joins.clientOf(who);
      const client = slot === undefined ? undefined : clients[slot];
      const own = client === undefined || client.lane !== lane ? null : this.linkFor(client, command);
      const link = own ?? this.#anyLink(lane, command);
      link?.begin(who, seq, command, unheard);
      link?.sendPart(bytes, 0, bytes.length);
    }
  }

  /** Hands a whole reply to who asked for it. */
  deliver(who: number, seq: number, bytes: Buffer, start: number, end: number): void {
    if (who >= 0) this.pool.clients[who]?.takeReply(seq, bytes, start, end, true);
    else if (who !== NOBODY) this.pool.joins.takeReply(who, seq, bytes, start, end, true);
  }

  /** Who has had the beginning of a reply can only be told by closing its connection that the rest will not come. */
  breakOff(who: number, seq: number): void {
    if (who >= 0) {
      const client = this.pool.clients[who];
      client?.takeReply(seq, NO_BYTES, 0, 0, true);
      client?.socket.destroy();
    } else if (who !== NOBODY) {
      this.pool.joins.fail(who, seq, 'ERR the reply of a server broke off');
    }
  }

  /** Answers a request with an error. */
  refuse(who: number, seq: number, message: string): void {
    if (who === NOBODY) return;
    this.pool.stats.forward_error++;
    if (who >= 0) {
      const error = this.pool.front.error(message);
      this.pool.clients[who]?.takeReply(seq, error, 0, error.length, true);
    } else {
      this.pool.joins.fail(who, seq, message);
    }
  }

  /** To be called a few times a second. */
  tick(now: number): void {
    const { config } = this.pool;
    if (config.timeout_ms !== null) this.#endLate(now, config.timeout_ms);
    this.replicas?.tick(now);
    // A frozen host takes connections and says nothing: the next look must not wait for it.
    if (this.follows && !this.open && (this.links[0]?.greeting_ms(now) ?? 0) > GREETING_MAX_MS) {
      this.links[0]?.fail('Connection timed out', 'timeout');
    }
    if (!this.follows) {
      if (!this.pool.ring.isLive(this.index) && now >= this.#retryAt_ms) this.pool.ring.setLive(this.index, true);
      return;
    }
    const late = now - config.holdTimeout_ms;
    for (const each of this.#held.takeOlder(late)) this.refuse(each.who, each.seq, this.waitError);
    for (const client of this.#waiting) {
      if (client.waitSince_ms > late) continue;
      this.#waiting.delete(client);
      client.proceed('server');
    }
  }

  #endLate(now: number, timeout_ms: number): void {
    for (const link of this.everyLink()) {
      if (link.owner !== null) continue;
      const waiting = link.waiting_ms(now);
      if (waiting !== null && waiting > timeout_ms) link.fail('Connection timed out', 'timeout');
    }
  }

  get downSince_ms(): number {
    return this.#downSince_ms;
  }

  /** Refuses what waits and ends all connections. */
  stop(): void {
    this.open = false;
    for (const each of this.#held.takeAll()) this.refuse(each.who, each.seq, 'ERR the proxy is shutting down');
    for (const link of this.everyLink()) link.fail('the proxy is shutting down', 'closing');
  }
}
