/** Connections: opened, kept warm by PING, closed when stale, tried again with bounded backoff. */
import type { Reply } from '../../redis/reply.js';
import { ErrorReply } from '../../redis/reply.js';
import type { Address, CloseReason, ConnPurpose, Credentials } from './io.js';
import { lookUp } from './names.js';
import { type Conn, type Group, type Instance, isMaster, type Link, type RedisNode, type Sentinel } from './state.js';
import {
  CONNECT_TIMEOUT_MAX_MS,
  HELLO_PERIOD_MS,
  MIN_LINK_RECONNECT_MS,
  MIN_PING_PERIOD_MS,
  nextBeat,
  PING_PERIOD_MS,
  PINGS_IN_DOWN_AFTER,
  RECONNECT_MAX_MS,
  RECONNECT_MIN_MS,
} from './timing.js';
import type { Turn } from './turn.js';

/** How often a link is pinged: often enough for the most impatient master that uses it. */
export function pingPeriod_ms(link: Link): number {
  return Math.max(MIN_PING_PERIOD_MS, Math.min(PING_PERIOD_MS, Math.floor(downAfter_ms(link) / PINGS_IN_DOWN_AFTER)));
}

function downAfter_ms(link: Link): number {
  let least = Number.POSITIVE_INFINITY;
  for (const { group } of link.owners) least = Math.min(least, group.downAfter_ms);
  return least;
}

/** Does what is due on a link, and sets when it is to be looked at next. */
export function sweepLink(turn: Turn, link: Link): void {
  closeIfStale(turn, link);
  connectIfDue(turn, link, link.command, 'command');
  if (link.hello !== null) connectIfDue(turn, link, link.hello, 'hello');
  pingIfDue(turn, link);
  link.wakeAt = nextWake(turn, link);
}

function nextWake(turn: Turn, link: Link): number {
  if (link.address.port === 0) return Number.POSITIVE_INFINITY;
  let wake = Number.POSITIVE_INFINITY;
  for (const conn of link.hello === null ? [link.command] : [link.command, link.hello]) {
    if (conn.phase === 'idle') wake = Math.min(wake, Math.max(conn.retryAt, turn.now + 1));
  }
  if (link.command.phase === 'up') {
    wake = Math.min(wake, Math.max(pingDueAt(link), turn.now + 1));
    // An unanswered PING makes the link stale in half of down-after: pings go on meanwhile, so no own deadline.
  }
  if (link.hello?.phase === 'up') wake = Math.min(wake, helloStaleAt(link.hello));
  return wake;
}

function helloStaleAt(hello: Conn): number {
  return Math.max(hello.lastHeardAt, hello.since) + HELLO_PERIOD_MS * 3 + 1;
}

/** A connection that hangs is replaced: silence must come from the peer, not from a dead TCP connection. */
function closeIfStale(turn: Turn, link: Link): void {
  const { command, hello } = link;
  if (command.phase === 'up' && turn.now - command.since > MIN_LINK_RECONNECT_MS && isStuck(link, turn.now)) {
    closeConn(turn, link, command);
    command.retryAt = turn.now;
  }
  if (hello?.phase === 'up' && turn.now >= helloStaleAt(hello)) {
    closeConn(turn, link, hello);
    hello.retryAt = turn.now;
  }
}

/** Whether PINGs have been unanswered for half of down-after. */
function isStuck(link: Link, now: number): boolean {
  if (link.activePingSince === null) return false;
  return now - Math.max(link.activePingSince, link.lastPongAt) > downAfter_ms(link) / 2;
}

function connectIfDue(turn: Turn, link: Link, conn: Conn, purpose: ConnPurpose): void {
  if (conn.phase !== 'idle' || turn.now < conn.retryAt || link.address.port === 0) return;
  const owner = firstOwner(link);
  if (owner === null) return;
  if (link.address.ip === '') {
    lookUp(turn, link.address.host);
    conn.retryAt = turn.now + RECONNECT_MAX_MS;
    return;
  }
  turn.open(link, conn, {
    to: link.address,
    purpose,
    auth: credentialsFor(turn.s, owner),
    name: `sentinel-${turn.s.myId.slice(0, 8)}-${purpose === 'command' ? 'cmd' : 'pubsub'}`,
    timeout_ms: Math.max(RECONNECT_MAX_MS, Math.min(CONNECT_TIMEOUT_MAX_MS, downAfter_ms(link))),
  });
}

function firstOwner(link: Link): Instance | null {
  for (const owner of link.owners) return owner;
  return null;
}

/** How we log in: as the group says for a Redis, as `sentinel-user`/`sentinel-pass` say for a Sentinel. */
function credentialsFor(s: Sentinel, owner: Instance): Credentials | null {
  if (owner.kind === 'redis') {
    const { authUser, authPass } = owner.group;
    return authPass === '' ? null : { user: authUser, pass: authPass };
  }
  const { sentinelUser, sentinelPass, requirePass } = s.settings;
  if (sentinelPass !== '') return { user: sentinelUser, pass: sentinelPass };
  return requirePass === '' ? null : { user: '', pass: requirePass };
}

function pingIfDue(turn: Turn, link: Link): void {
  if (link.command.phase === 'up' && turn.now >= pingDueAt(link)) sendPing(turn, link);
}

/** A period after the last PING when that was answered; sooner when it was not. */
function pingDueAt(link: Link): number {
  const period = pingPeriod_ms(link);
  return Math.max(nextBeat(Math.min(link.lastPingAt, link.lastPongAt), period), link.lastPingAt + period / 2);
}

function sendPing(turn: Turn, link: Link): void {
  const owner = firstOwner(link);
  if (owner === null) return;
  const name = owner.kind === 'redis' ? (owner.group.renamedCommands.get('PING') ?? 'PING') : 'PING';
  // What cannot be sent because too much is unanswered already is not answered either: the silence counts all the same.
  turn.send(link, { kind: 'ping' }, [name]);
  link.lastPingAt = turn.now;
  if (link.activePingSince !== null) return;
  link.activePingSince = turn.now;
  // If nothing comes back, nothing else would make the groups look at the right moment.
  for (const { group, sdownSince } of link.owners) {
    if (sdownSince === null) wakeGroup(turn, group, turn.now + group.downAfter_ms + 1);
  }
}

function wakeGroup(turn: Turn, group: Group, at: number): void {
  group.wakeAt = Math.min(group.wakeAt, at);
  turn.s.dueAt = Math.min(turn.s.dueAt, group.wakeAt);
}

/** The connection stands; the first PING goes out with whatever its owners have to ask at once. */
export function onConnected(turn: Turn, link: Link, conn: Conn, localIp: string): void {
  conn.phase = 'up';
  conn.since = turn.now;
  conn.failures = 0;
  conn.lastHeardAt = turn.now;
  if (conn !== link.command) return;
  link.localIp = localIp;
  link.pending = 0;
  link.refusedSince = null;
  // An old ping must not count against the new connection before it had the time to answer.
  link.lastPingAt = Number.NEGATIVE_INFINITY;
  sendPing(turn, link);
  for (const owner of link.owners) turn.touch(owner.group);
}

/** How much of a peer's words is kept. */
const TROUBLE_LENGTH_MAX = 128;

/** The connection ended, or could not be made: tried again at once if it had stood, else with growing delay. */
export function onClosed(turn: Turn, link: Link, conn: Conn, why: CloseReason, detail: string): void {
  const stood = conn.phase === 'up';
  forget(turn, conn);
  conn.failures += 1;
  const backoff = Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(conn.failures - 1, 10));
  conn.retryAt = stood && conn.failures === 1 ? turn.now : turn.now + backoff / 2 + turn.s.prng.below(backoff / 2 + 1);
  if (conn !== link.command) return;
  link.pending = 0;
  link.trouble = detail.slice(0, TROUBLE_LENGTH_MAX);
  if (!stood && (why === 'refused' || why === 'reset')) link.refusedSince ??= turn.now;
  if (!stood) lookUp(turn, link.address.host);
  for (const owner of link.owners) {
    if (owner.kind === 'redis') {
      owner.info.outstandingSince = null;
      owner.lastDownAt = turn.now;
    }
    turn.touch(owner.group);
  }
}

/** Closes on our own account; nothing is heard of it any more. */
export function closeConn(turn: Turn, link: Link, conn: Conn): void {
  if (conn.phase === 'idle') return;
  turn.effects.push({ act: 'close', conn: conn.id });
  forget(turn, conn);
  if (conn !== link.command) return;
  link.pending = 0;
  for (const owner of link.owners) if (owner.kind === 'redis') owner.info.outstandingSince = null;
}

function forget(turn: Turn, conn: Conn): void {
  turn.s.conns.delete(conn.id);
  conn.phase = 'idle';
  conn.since = turn.now;
}

/** Ends a link that nobody uses any more. */
export function dropLink(turn: Turn, link: Link): void {
  closeConn(turn, link, link.command);
  if (link.hello !== null) closeConn(turn, link, link.hello);
  turn.s.links.delete(link);
}

/** Closes what stands and opens it anew at once, e.g. with other credentials. Silence so far still counts. */
export function reconnectLink(turn: Turn, link: Link): void {
  for (const conn of link.hello === null ? [link.command] : [link.command, link.hello]) {
    closeConn(turn, link, conn);
    conn.retryAt = turn.now;
  }
  turn.touchLink(link);
  for (const { group } of link.owners) turn.touch(group);
}

/** Points a link at another place: old connections end, down-after counts anew. */
export function redirectLink(turn: Turn, link: Link, address: Address): void {
  closeConn(turn, link, link.command);
  if (link.hello !== null) closeConn(turn, link, link.hello);
  link.address = address;
  forgive(link, turn.now);
  turn.touchLink(link);
}

/** Forgets all silence so far: down-after counts anew. */
export function forgive(link: Link, now: number): void {
  link.activePingSince = null;
  link.lastAvailableAt = now;
  link.lastPongAt = now;
  link.refusedSince = null;
  link.command.retryAt = now;
  if (link.hello !== null) link.hello.retryAt = now;
}

/** How much of the longest round trip is left after each shorter one. */
const ROUND_TRIP_KEPT = 0.9;

/** The reply to PING: +PONG, -LOADING and -MASTERDOWN say that the process is there. */
export function onPong(turn: Turn, link: Link, reply: Reply): void {
  link.lastPongAt = turn.now;
  const code = reply instanceof ErrorReply ? reply.code : '';
  const owner = firstOwner(link);
  if (reply === 'PONG' || code === 'LOADING' || code === 'MASTERDOWN') {
    link.lastAvailableAt = turn.now;
    link.roundTrip_ms = Math.max(
      link.roundTrip_ms * ROUND_TRIP_KEPT,
      link.activePingSince === null ? 0 : turn.now - link.activePingSince,
    );
    link.activePingSince = null;
    link.trouble = '';
    if (owner?.kind === 'redis' && reply === 'PONG') owner.rebootedAt = null;
  } else if (reply instanceof ErrorReply) {
    link.trouble = reply.message.slice(0, TROUBLE_LENGTH_MAX);
    if (code === 'BUSY' && owner?.kind === 'redis') killStuckScript(turn, owner);
  }
  for (const { group, sdownSince } of link.owners) if (sdownSince !== null) turn.touch(group);
}

/** A script that runs for ever makes a Redis look dead: ask it, once, to stop the script. */
function killStuckScript(turn: Turn, node: RedisNode): void {
  if (node.sdownSince === null || node.scriptKillSent || !isMaster(node)) return;
  node.scriptKillSent = turn.sendTo(node, { kind: 'ignore' }, ['SCRIPT', 'KILL']);
}
