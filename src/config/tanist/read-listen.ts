/** Where something listens: `22121`, `0.0.0.0:22121`, `[::]:22121`, `:22121`. */
import { canonicalIp, parseIp } from '../../base/ip-bytes.js';
import type { Context } from './read-secrets.js';
import { labelOf } from './shape.js';
import type { Path } from './yaml-tree.js';

export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** @param host what is meant when only a port is written. */
export function readListen({ reporter }: Context, at: Path, given: number | string, host: string): Listen {
  if (typeof given === 'number') return { host, port: given };
  const colon = given.lastIndexOf(':');
  const port = Number(given.slice(colon + 1));
  const word = given.slice(0, colon).replace(/^\[|\]$/g, '');
  if (port < 1 || port > 65_535) {
    reporter.value(at, `${labelOf(at)}: ${port} is no port, 1 to 65535`, 'write e.g. 0.0.0.0:22121');
  }
  if (word === '') return { host, port };
  if (parseIp(word) !== null) return { host: canonicalIp(word), port };
  reporter.value(at, `${labelOf(at)}: '${word}' is no IP address`, 'write e.g. 0.0.0.0:22121 or "[::]:22121"');
  return { host, port };
}

/** 0.0.0.0 and ::. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(host: string): boolean {
  return host === '::1' || host.startsWith('127.');
}
