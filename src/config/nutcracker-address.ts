/** The address notations inside a nutcracker.yml: `host:port`, `/path mode`, `host:port:weight name`. */
import { placeName } from '../base/place.js';
import type { FilePlace, ServerConfig, SocketAddress } from './nutcracker-types.js';

/** What is wrong with an address; the reader adds the place. */
export class AddressError extends Error {}

/** What the pool's other keys say about all of its servers is filled in by the reader. */
const OPEN = { login: null, tls: null, replicated: false } as const;

/** memcached's port is left out of a server's ring name, as nutcracker does for libmemcached's sake. */
const PORT_OMITTED_FROM_NAME = 11211;

function portOf(text: string, what: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw new AddressError(`${what}: '${text}' is not a port (1 to 65535)`);
  return port;
}

/** Splits at the last colon; brackets around an IPv6 address are taken off. */
export function parseHostPort(text: string, what: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':');
  if (colon <= 0) throw new AddressError(`${what}: '${text}' lacks a port; write host:port`);
  const port = portOf(text.slice(colon + 1), what);
  const host = text.slice(0, colon);
  const bracketed = /^\[(.+)\]$/.exec(host)?.[1];
  return { host: bracketed ?? host, port };
}

/** As it is told to people: `10.0.0.1:6379`, `[::1]:6379`, or the path. */
export function socketName(address: SocketAddress): string {
  return address.kind === 'tcp' ? placeName(address) : address.path;
}

/** `host:port`, or an absolute path with an optional octal mode, as in `/run/proxy.sock 0666`. */
export function parseListen(text: string, what = 'listen'): SocketAddress {
  if (!text.startsWith('/')) return { kind: 'tcp', ...parseHostPort(text, what) };
  const [path = '', mode, extra] = text.split(/\s+/);
  if (extra !== undefined) throw new AddressError(`${what}: '${text}' has more than a path and a mode`);
  if (mode === undefined) return { kind: 'unix', path, mode: null };
  if (!/^[0-7]{1,4}$/.test(mode)) throw new AddressError(`${what}: '${mode}' is not an octal mode such as 0666`);
  return { kind: 'unix', path, mode: Number.parseInt(mode, 8) };
}

function weightOf(text: string | undefined, server: string): number {
  if (text === undefined || !/^\d{1,9}$/.test(text) || Number(text) === 0) {
    throw new AddressError(
      `server '${server}' has no weight; write host:port:weight, e.g. 127.0.0.1:6379:1, with a weight of at least 1`,
    );
  }
  return Number(text);
}

function splitName(text: string): { address: string; name: string | null } {
  const [address = '', name, extra] = text.trim().split(/\s+/);
  if (extra !== undefined) throw new AddressError(`server '${text}' has more than an address and a name`);
  return { address, name: name ?? null };
}

/**
 * A server's address: `host:port:weight`, `[v6]:port:weight` or `/path:weight`, each with an optional name behind it.
 * The ring name of a server without a name follows nutcracker: the address without weight, and without port 11211.
 */
export function parseServer(text: string, place: FilePlace): ServerConfig {
  const { address, name } = splitName(text);
  const colon = address.lastIndexOf(':');
  const where = address.slice(0, Math.max(colon, 0));
  const complete = where.startsWith('/') || where.includes(':');
  const weight = weightOf(complete ? address.slice(colon + 1) : undefined, text);
  if (where.startsWith('/')) {
    const target: SocketAddress = { kind: 'unix', path: where, mode: null };
    // nutcracker takes 'path' and ':' and an empty port for the ring, and so do we.
    return { name: name ?? `${where}:`, label: name ?? where, target, ...OPEN, weight, place };
  }
  const { host, port } = parseHostPort(where, `server '${text}'`);
  const rawHost = where.slice(0, where.lastIndexOf(':'));
  const ringName = name ?? (port === PORT_OMITTED_FROM_NAME ? rawHost : where);
  return { name: ringName, label: ringName, target: { kind: 'tcp', host, port }, ...OPEN, weight, place };
}

/**
 * A server of a pool that follows sentinels: `master`, `master:weight`, each with an optional ring name behind it. The
 * ring name keeps the keys where they were when a pool of addresses is turned into one of masters.
 */
export function parseMaster(text: string, place: FilePlace): ServerConfig {
  const { address, name } = splitName(text);
  const parts = address.split(':');
  const [master = '', weightText] = parts;
  if (parts.length > 2 || !/^[A-Za-z0-9._-]+$/.test(master)) {
    throw new AddressError(
      `server '${text}' must be the name of a master the sentinels know, as in 'mymaster:1'; with 'sentinels' the address comes from them (to keep keys in place, put the old host:port behind it: 'mymaster:1 10.0.0.1:6379')`,
    );
  }
  const weight = weightText === undefined ? 1 : weightOf(weightText, text);
  return { name: name ?? master, label: master, target: { kind: 'master', master }, ...OPEN, weight, place };
}
