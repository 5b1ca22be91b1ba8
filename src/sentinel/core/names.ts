/** Addresses and host names: what is the same place, what is shown to clients, and when a name is looked up again. */
import { isHost, isIpAddress } from '../../base/ip.js';
import type { Address } from './io.js';
import type { Group, Instance, Link, Sentinel } from './state.js';
import type { Turn } from './turn.js';

/** A name that did not resolve is asked for again after this. */
const LOOKUP_RETRY_MS = 1_000;
/** Names that peers may make us look up: more than any cluster has, fewer than would hurt. */
const NAMES_MAX = 1_024;

/** An address from text, resolved as far as is known. */
export function addressOf(s: Sentinel, host: string, port: number): Address {
  return { host, ip: isIpAddress(host) ? host : (s.names.get(host)?.ip ?? ''), port };
}

/** Where clients are told to go: the name with `announce-hostnames`, else the IP. */
export function shownHost(s: Sentinel, address: Address): string {
  return s.settings.announceHostnames || address.ip === '' ? address.host : address.ip;
}

/** Whether both are one place: the same port, and the same name or the same IP. */
export function sameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && (a.host === b.host || (a.ip !== '' && a.ip === b.ip));
}

/** Where clients are told that the master is: the promoted replica's place from the moment of its promotion. */
export function currentMasterAddress(group: Group): Address {
  const { failover } = group;
  return failover?.phase === 'reconf' ? failover.target.link.address : group.master.link.address;
}

/** The key of a replica in its group. */
export function replicaKey(address: Address): string {
  return `${address.ip === '' ? address.host : address.ip}:${address.port}`;
}

/**
 * Whether a host told by a peer can be used: an IP always, a name with `resolve-hostnames` once it has an address.
 * Looks the name up when that is missing; the peer will tell us again.
 */
export function isUsableHost(turn: Turn, host: string): boolean {
  if (isIpAddress(host)) return true;
  if (!turn.s.settings.resolveHostnames || host === '') return false;
  if (turn.s.names.get(host)?.ip) return true;
  lookUp(turn, host);
  return false;
}

/** Asks for a name's address, unless that was done just now. */
export function lookUp(turn: Turn, host: string): void {
  if (isIpAddress(host) || !turn.s.settings.resolveHostnames) return;
  const known = turn.s.names.get(host);
  if (known?.outstanding || (known && turn.now - known.lookedUpAt < LOOKUP_RETRY_MS)) return;
  if (known === undefined && (!isHost(host) || !roomForName(turn))) return;
  turn.s.names.set(host, { ip: known?.ip ?? null, lookedUpAt: turn.now, outstanding: true });
  turn.effects.push({ act: 'resolve', host });
}

/** Makes room among names that lead nowhere; those in use stay. */
function roomForName({ s }: Turn): boolean {
  if (s.names.size < NAMES_MAX) return true;
  const used = new Set<string>();
  for (const { address } of s.links) used.add(address.host);
  for (const [name, { outstanding }] of s.names) if (!outstanding && !used.has(name)) s.names.delete(name);
  return s.names.size < NAMES_MAX;
}

/** A look-up has ended. Links whose name now means another place are given it; they use it when they next connect. */
export function onResolved(turn: Turn, host: string, ip: string | null): void {
  const before = turn.s.names.get(host)?.ip ?? null;
  turn.s.names.set(host, { ip: ip ?? before, lookedUpAt: turn.now, outstanding: false });
  if (ip === null || ip === before) return;
  for (const link of turn.s.links) {
    if (link.address.host !== host || link.address.ip === ip) continue;
    link.address = { ...link.address, ip };
    rekey(link);
    turn.touchLink(link);
  }
}

function rekey(link: Link): void {
  for (const owner of link.owners) {
    const { replicas } = owner.group;
    for (const [key, node] of replicas) {
      if (node === owner) {
        replicas.delete(key);
        replicas.set(replicaKey(link.address), node);
      }
    }
  }
}

/** The group whose master stands at this place, as `is-master-down-by-addr` names it. */
export function groupAt(s: Sentinel, host: string, port: number): Group | null {
  const wanted = addressOf(s, host, port);
  for (const group of s.groups.values()) {
    if (sameAddress(group.master.link.address, wanted)) return group;
  }
  return null;
}

/** The instance of a group at this place, if it has one. */
export function findAt<T extends Instance>(instances: Iterable<T>, address: Address): T | null {
  for (const instance of instances) {
    if (sameAddress(instance.link.address, address)) return instance;
  }
  return null;
}
