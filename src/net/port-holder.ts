/** Who listens on a TCP port, from /proc/net/tcp and the descriptors of all processes that we may look into. */
import { readdirSync, readlinkSync } from 'node:fs';
import { formatIp, parseIp } from '../base/ip-bytes.js';
import { readProcFile, readStat } from './proc.js';

/** A socket that listens. */
export interface Listener {
  /** Canonical text; `0.0.0.0` and `::` stand for all addresses. */
  readonly address: string;
  readonly port: number;
  readonly inode: string;
}

/** `pid` is null when the process is somebody else's and cannot be looked into. */
export interface PortHolder {
  readonly address: string;
  readonly pid: number | null;
  readonly name: string;
}

const LISTEN = '0A';

/**
 * Who is in the way of listening on these addresses, or would answer there; null when nobody is.
 * @param addresses IP addresses as in redis.conf's `bind`; `*` and `::*` stand for all
 */
export function portHolder(addresses: readonly string[], port: number): PortHolder | null {
  const texts = ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readProcFile(path) ?? '');
  const found = texts.flatMap(parseListeners).find((one) => one.port === port && meets(one.address, addresses));
  if (found === undefined) return null;
  const pid = ownerOf(found.inode);
  return { address: found.address, pid, name: pid === null ? '' : (readStat(pid)?.name ?? '') };
}

/** For messages. */
export function describeHolder(holder: PortHolder): string {
  if (holder.pid === null) return 'a process of another user';
  return `process ${holder.pid} (${holder.name})`;
}

/** The listening sockets of a /proc/net/tcp or tcp6. */
export function parseListeners(text: string): Listener[] {
  const listeners: Listener[] = [];
  for (const line of text.split('\n').slice(1)) {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    if (state !== LISTEN) continue;
    const [hex = '', port = ''] = local.split(':');
    const address = addressOf(hex);
    if (address !== null) listeners.push({ address, port: Number.parseInt(port, 16), inode });
  }
  return listeners;
}

/** Addresses stand there as 32-bit words in the machine's byte order: little-endian wherever Node runs on Linux. */
function addressOf(hex: string): string | null {
  if (hex.length !== 8 && hex.length !== 32) return null;
  const words = Buffer.from(hex, 'hex');
  words.swap32();
  return formatIp(words);
}

function meets(listening: string, wanted: readonly string[]): boolean {
  if (listening === '0.0.0.0' || listening === '::') return true;
  return wanted.some((text) => {
    const address = text.replace(/^-/, '');
    if (address === '*' || address === '::*' || address === '0.0.0.0' || address === '::') return true;
    const bytes = parseIp(address);
    return bytes !== null && formatIp(bytes) === listening;
  });
}

function ownerOf(inode: string): number | null {
  const wanted = `socket:[${inode}]`;
  for (const pid of list('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const holds = list(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === wanted);
    if (holds) return Number(pid);
  }
  return null;
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
