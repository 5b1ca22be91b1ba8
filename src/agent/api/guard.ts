/**
 * Who may ask what. Reading is open to whoever reaches the port; an order needs the token, or, when none is set, a
 * connection over loopback. Web pages are kept out: their orders by Origin, and, where loopback alone is the protection,
 * names that were made to point at it by Host.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { ApiError } from './errors.js';

/** What the guard looks at of a request. */
export interface Visit {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The two ends of the connection. */
  readonly socket: { readonly localAddress?: string | undefined; readonly remoteAddress?: string | undefined };
}

/** Checks a token without telling by its time how much of it was right. */
export class TokenCheck {
  readonly #digest: Buffer | null;

  /** @param token null: none is set */
  constructor(token: string | null) {
    this.#digest = token === null ? null : digest(token);
  }

  get isSet(): boolean {
    return this.#digest !== null;
  }

  matches(offered: string): boolean {
    return this.#digest !== null && timingSafeEqual(this.#digest, digest(offered));
  }
}

/** Refuses names that resolve to loopback for a web page's sake (DNS rebinding). @throws {ApiError} 403 */
export function checkHost(visit: Visit, token: TokenCheck): void {
  if (token.isSet || !isLoopback(visit.socket.localAddress)) return;
  const host = one(visit.headers['host']);
  if (host === null || isPlainHost(host)) return;
  throw new ApiError(
    403,
    `the Host header names "${host.slice(0, 100)}", which is no address of this host`,
    'ask by address (http://127.0.0.1:…) or localhost; behind a proxy set api.token in tanist.yml',
  );
}

/** Whether this visitor may give orders. @throws {ApiError} 401 or 403 */
export function checkOrder(visit: Visit, token: TokenCheck): void {
  const origin = one(visit.headers['origin']);
  if (origin !== null && !isSameOrigin(origin, one(visit.headers['host']))) {
    throw new ApiError(403, 'a web page of another origin may not give orders', 'use the tanist command or curl');
  }
  if (!token.isSet) {
    if (isLoopback(visit.socket.remoteAddress)) return;
    throw new ApiError(
      403,
      'orders are taken over loopback only, since no token is set',
      'run the command on the host itself, or set api.token in tanist.yml',
    );
  }
  const challenge = { 'www-authenticate': 'Bearer realm="tanist"' };
  const offered = /^Bearer +(\S+) *$/i.exec(one(visit.headers['authorization']) ?? '')?.[1];
  const fix = 'send "Authorization: Bearer TOKEN" with api.token of tanist.yml (tanist: --token-file or TANIST_TOKEN)';
  if (offered === undefined) throw new ApiError(401, 'this needs the token', fix, challenge);
  if (!token.matches(offered)) throw new ApiError(401, 'the token is not the right one', fix, challenge);
}

/** 127.0.0.0/8 or ::1, also as an IPv4 address in IPv6 clothes. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && (address === '::1' || /^(::ffff:)?127\./.test(address));
}

function isPlainHost(host: string): boolean {
  const name = host
    .replace(/:\d*$/, '')
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
  return isIP(name) !== 0 || name === 'localhost' || name.endsWith('.localhost');
}

function isSameOrigin(origin: string, host: string | null): boolean {
  return host !== null && (origin === `http://${host}` || origin === `https://${host}`);
}

function one(header: string | readonly string[] | undefined): string | null {
  return typeof header === 'string' ? header : (header?.[0] ?? null);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
