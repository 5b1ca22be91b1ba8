/**
 * One step of the core: the moment, the state, and the effects gathered so far. Every file of this folder speaks to the
 * outside through it.
 */
import { placeName } from '../../base/place.js';
import type { SentinelState } from '../../config/sentinel-types.js';
import type { Address, Effect, LogLevel, Tag } from './io.js';
import { shownHost } from './names.js';
import { type Conn, type Group, type Instance, isMaster, type Link, type RedisNode, type Sentinel } from './state.js';
import { MAX_PENDING_COMMANDS } from './timing.js';

export class Turn {
  readonly effects: Effect[] = [];
  /** Groups to be looked at again before the step ends. */
  readonly touched = new Set<Group>();
  readonly touchedLinks = new Set<Link>();
  #persistAt: number | null = null;
  #persistsSoon = true;

  constructor(
    readonly s: Sentinel,
    readonly now: number,
  ) {}

  /** Sends a request on the command connection. @returns false when the link is down or has too much outstanding. */
  send(link: Link, tag: Tag, args: readonly string[]): boolean {
    if (!this.canSend(link)) return false;
    this.effects.push({ act: 'send', conn: link.command.id, tag, args });
    link.pending += 1;
    return true;
  }

  canSend(link: Link): boolean {
    return link.command.phase === 'up' && link.pending < MAX_PENDING_COMMANDS * Math.max(1, link.owners.size);
  }

  /** Sends a request to a Redis under the name it may have been renamed to. */
  sendTo(node: RedisNode, tag: Tag, args: readonly [string, ...string[]]): boolean {
    const [command, ...rest] = args;
    return this.send(node.link, tag, [node.group.renamedCommands.get(command) ?? command, ...rest]);
  }

  /**
   * What has changed must survive a crash before anything that follows is done. One write serves the whole step: it
   * holds the state at the step's end and stands where the first change was made, so before all that depends on it.
   */
  persist(): void {
    this.persistSoon();
    this.#persistsSoon = false;
  }

  /** The same for what another Sentinel has told, and has on disk: it is durable before it is passed on. */
  persistSoon(): void {
    if (this.#persistAt === null) this.#persistAt = this.effects.length;
  }

  event(level: LogLevel, type: string, about: Instance | Group, extra = ''): void {
    const group = 'group' in about ? about.group : about;
    const text = `${describe(this.s, about)}${extra === '' ? '' : ` ${extra}`}`;
    this.effects.push({ act: 'event', event: { level, type, text, master: group.name } });
    if (level === 'warning' && group.notificationScript !== '') {
      this.effects.push({ act: 'script', path: group.notificationScript, args: [type, text] });
    }
  }

  /** An event whose text is not that of an instance. */
  plainEvent(level: LogLevel, type: string, text: string, group: Group | null = null): void {
    this.effects.push({ act: 'event', event: { level, type, text, master: group?.name ?? null } });
    if (level !== 'warning') return;
    const scripts = group === null ? [...this.s.groups.values()] : [group];
    for (const { notificationScript } of scripts) {
      if (notificationScript !== '') {
        this.effects.push({ act: 'script', path: notificationScript, args: [type, text] });
      }
    }
  }

  log(level: LogLevel, text: string): void {
    this.effects.push({ act: 'log', level, text });
  }

  touch(group: Group): void {
    this.touched.add(group);
  }

  touchLink(link: Link): void {
    this.touchedLinks.add(link);
  }

  open(link: Link, conn: Conn, effect: Omit<Extract<Effect, { act: 'connect' }>, 'act' | 'conn'>): void {
    conn.id = this.s.nextConnId++;
    conn.phase = 'connecting';
    conn.since = this.now;
    this.s.conns.set(conn.id, { link, conn });
    this.effects.push({ act: 'connect', conn: conn.id, ...effect });
  }

  /** The effects in order, the write put in its place. */
  finish(snapshot: () => SentinelState): Effect[] {
    if (this.#persistAt !== null) {
      this.effects.splice(this.#persistAt, 0, { act: 'persist', snapshot: snapshot(), soon: this.#persistsSoon });
    }
    return this.effects;
  }
}

/** An instance as events name it: `<kind> <name> <ip> <port>[ @ <master> <ip> <port>]`. */
export function describe(s: Sentinel, about: Instance | Group): string {
  const group = 'group' in about ? about.group : about;
  const master = `${group.name} ${place(s, group.master.link.address)}`;
  if (!('group' in about) || (about.kind === 'redis' && isMaster(about))) return `master ${master}`;
  const { address } = about.link;
  if (about.kind === 'sentinel') return `sentinel ${about.runId} ${place(s, address)} @ ${master}`;
  return `slave ${nodeName(s, about)} ${place(s, address)} @ ${master}`;
}

/** `<ip> <port>`, as told to clients. */
export function place(s: Sentinel, address: Address): string {
  return `${shownHost(s, address)} ${address.port}`;
}

/** A replica's name: `ip:port`, an IPv6 address in brackets. */
export function nodeName(s: Sentinel, node: RedisNode): string {
  return placeName({ host: shownHost(s, node.link.address), port: node.link.address.port });
}
