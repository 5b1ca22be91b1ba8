/**
 * VRRP adverts as bytes: version 2 (RFC 3768, with the passwords of RFC 2338) and version 3 (RFC 5798, RFC 9568).
 * The IP header is not part of it.
 */
import { assert } from '../../base/assert.js';
import { internetChecksum } from '../../base/checksum.js';
import { formatIp, parseIp } from '../../base/ip-bytes.js';

/** VRRP's IP protocol number (RFC 5798 section 5.1.1.4). */
export const PROTOCOL_VRRP = 112;
/** The TTL or hop limit of every multicast advert (RFC 5798 sections 5.1.1.3 and 5.1.2.3). */
export const VRRP_TTL = 255;
/** The groups that adverts are sent to (RFC 5798 sections 5.1.1.2 and 5.1.2.2). */
export const VRRP_GROUP = { ipv4: '224.0.0.18', ipv6: 'ff02::12' } as const;
/** A master that leaves says so with this priority (RFC 5798 section 5.2.4). */
export const PRIORITY_LEAVING = 0;
/** The router that really owns the addresses (RFC 5798 section 5.2.4). */
export const PRIORITY_OWNER = 255;
/** The largest interval that version 3's 12 bits of centiseconds can say (RFC 5798 section 5.2.7). */
export const MAX_INTERVAL_V3_MS = 40_950;

const TYPE_ADVERTISEMENT = 1;
const HEADER_BYTES = 8;
const PASSWORD_BYTES = 8;

/** Version 2's authentication: none, or the plain password of RFC 2338 section 5.3.6. Version 3 has none. */
export type Auth = { readonly kind: 'none' } | { readonly kind: 'pass'; readonly password: string };

/** What one advertisement says. Addresses are in canonical text. */
export interface Advert {
  readonly version: 2 | 3;
  readonly vrid: number;
  readonly priority: number;
  /** Whole seconds in version 2, centiseconds up to 40.95 s in version 3. */
  readonly interval_ms: number;
  readonly auth: Auth;
  readonly addresses: readonly string[];
}

/** The two ends of the IP packet; version 3's checksum covers them. */
export interface Ends {
  readonly source: string;
  readonly destination: string;
}

/** Why a packet is not an advert. */
export type PacketFault =
  | 'too short'
  | 'unknown version'
  | 'unknown type'
  | 'wrong length'
  | 'wrong checksum'
  | 'unknown authentication type'
  | 'IPv6 in version 2';

export type Decoded =
  /** `checksum` tells which of the two checksums seen in the field for version 3 over IPv4 this packet carries. */
  | { readonly ok: true; readonly advert: Advert; readonly checksum: 'with pseudo-header' | 'plain' }
  | { readonly ok: false; readonly fault: PacketFault; readonly vrid: number | null };

/** The VRRP message for `advert`, sent between `ends`. */
export function encodeAdvert(advert: Advert, ends: Ends): Uint8Array {
  assert(advert.vrid >= 1 && advert.vrid <= 255, 'a VRID is 1 to 255');
  assert(advert.priority >= 0 && advert.priority <= 255, 'a priority is 0 to 255');
  assert(advert.addresses.length <= 255, 'an advert carries at most 255 addresses');
  const addresses = advert.addresses.map(addressBytes);
  const size = addressBytes(ends.source).length;
  assert(
    addresses.every((a) => a.length === size),
    'all addresses of an advert are of the family it is sent over',
  );
  const trailer = advert.version === 2 ? PASSWORD_BYTES : 0;
  const bytes = new Uint8Array(HEADER_BYTES + size * addresses.length + trailer);
  bytes.set([(advert.version << 4) | TYPE_ADVERTISEMENT, advert.vrid, advert.priority, addresses.length]);
  if (advert.version === 2) {
    assert(size === 4, 'version 2 is for IPv4 only');
    bytes[4] = advert.auth.kind === 'pass' ? 1 : 0;
    bytes[5] = intervalSeconds(advert.interval_ms);
  } else {
    const centiseconds = intervalCentiseconds(advert.interval_ms);
    bytes[4] = centiseconds >> 8;
    bytes[5] = centiseconds & 0xff;
  }
  for (const [i, address] of addresses.entries()) bytes.set(address, HEADER_BYTES + i * size);
  if (advert.version === 2 && advert.auth.kind === 'pass') {
    bytes.set(passwordBytes(advert.auth.password), bytes.length - PASSWORD_BYTES);
  }
  const sum =
    advert.version === 3 ? internetChecksum(pseudoHeader(ends, bytes.length), bytes) : internetChecksum(bytes);
  bytes[6] = sum >> 8;
  bytes[7] = sum & 0xff;
  return bytes;
}

/**
 * Reads a VRRP message that arrived between `ends`. Bytes are checked as RFC 3768 section 7.1 and RFC 5798 section 7.1
 * ask; TTL, password and address list are for the virtual router to judge.
 */
export function decodeAdvert(bytes: Uint8Array, ends: Ends): Decoded {
  if (bytes.length < HEADER_BYTES) return { ok: false, fault: 'too short', vrid: null };
  const [first = 0, vrid = 0, priority = 0, count = 0, byte4 = 0, byte5 = 0] = bytes;
  const fail = (fault: PacketFault): Decoded => ({ ok: false, fault, vrid });
  const version = first >> 4;
  if (version !== 2 && version !== 3) return fail('unknown version');
  if ((first & 0x0f) !== TYPE_ADVERTISEMENT) return fail('unknown type');
  const size = addressBytes(ends.source).length;
  if (version === 2 && size !== 4) return fail('IPv6 in version 2');
  const trailer = version === 2 ? PASSWORD_BYTES : 0;
  if (bytes.length !== HEADER_BYTES + count * size + trailer) return fail('wrong length');
  const checksum = checksumKind(bytes, version, ends);
  if (checksum === null) return fail('wrong checksum');
  const addresses: string[] = [];
  for (let i = 0; i < count; i++) {
    addresses.push(formatIp(bytes.subarray(HEADER_BYTES + i * size, HEADER_BYTES + (i + 1) * size)));
  }
  if (version === 3) {
    const interval_ms = (((byte4 & 0x0f) << 8) | byte5) * 10;
    return { ok: true, checksum, advert: { version, vrid, priority, interval_ms, auth: { kind: 'none' }, addresses } };
  }
  if (byte4 > 1) return fail('unknown authentication type');
  const auth: Auth =
    byte4 === 1 ? { kind: 'pass', password: readPassword(bytes.subarray(-PASSWORD_BYTES)) } : { kind: 'none' };
  return { ok: true, checksum, advert: { version, vrid, priority, interval_ms: byte5 * 1000, auth, addresses } };
}

/** The part of a password that the wire carries: its first 8 bytes. */
export function wirePassword(password: string): string {
  return readPassword(passwordBytes(password));
}

/** Version 3 over IPv4: keepalived before 1.3.7 left the pseudo-header out of the checksum, so both are taken. */
function checksumKind(bytes: Uint8Array, version: 2 | 3, ends: Ends): 'with pseudo-header' | 'plain' | null {
  if (version === 3 && internetChecksum(pseudoHeader(ends, bytes.length), bytes) === 0) return 'with pseudo-header';
  const ipv6 = addressBytes(ends.source).length === 16;
  return !ipv6 && internetChecksum(bytes) === 0 ? 'plain' : null;
}

/** RFC 8200 section 8.1 for IPv6; for IPv4 the pseudo-header of RFC 793 section 3.1 (RFC 5798 section 5.2.8). */
function pseudoHeader(ends: Ends, length: number): Uint8Array {
  const source = addressBytes(ends.source);
  const destination = addressBytes(ends.destination);
  const tail =
    source.length === 4
      ? [0, PROTOCOL_VRRP, length >> 8, length & 0xff]
      : [0, 0, length >> 8, length & 0xff, 0, 0, 0, PROTOCOL_VRRP];
  return Uint8Array.from([...source, ...destination, ...tail]);
}

function addressBytes(text: string): Uint8Array {
  const bytes = parseIp(text);
  assert(bytes !== null, `not an IP address: ${text}`);
  return bytes;
}

function intervalSeconds(interval_ms: number): number {
  const seconds = Math.round(interval_ms / 1000);
  assert(seconds >= 1 && seconds <= 255, 'version 2 adverts every 1 to 255 s');
  return seconds;
}

function intervalCentiseconds(interval_ms: number): number {
  const centiseconds = Math.round(interval_ms / 10);
  assert(centiseconds >= 1 && interval_ms <= MAX_INTERVAL_V3_MS, 'version 3 adverts every 10 ms to 40.95 s');
  return centiseconds;
}

// Passwords are bytes to the protocol; one character a byte keeps any of them distinct in text.
function passwordBytes(password: string): Uint8Array {
  const bytes = new Uint8Array(PASSWORD_BYTES);
  bytes.set(new TextEncoder().encode(password).subarray(0, PASSWORD_BYTES));
  return bytes;
}

function readPassword(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, end === -1 ? bytes.length : end));
}
