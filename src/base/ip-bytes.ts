/**
 * IP addresses as text and as bytes in network order: 4 bytes for IPv4, 16 for IPv6.
 */

export type Family = 'ipv4' | 'ipv6';

/** The bytes of an address, or null when `text` is not one. Zone ids and prefix lengths are not part of an address. */
export function parseIp(text: string): Uint8Array | null {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

/** Which family an address belongs to, or null when `text` is not an address. */
export function familyOf(text: string): Family | null {
  const bytes = parseIp(text);
  if (bytes === null) return null;
  return bytes.length === 4 ? 'ipv4' : 'ipv6';
}

/**
 * The one canonical text of an address (RFC 5952 for IPv6), so that equal addresses are equal strings.
 * @throws {TypeError} when `text` is not an address.
 */
export function canonicalIp(text: string): string {
  const bytes = parseIp(text);
  if (bytes === null) throw new TypeError(`not an IP address: ${text}`);
  return formatIp(bytes);
}

/**
 * Text of 4 or 16 bytes.
 * @throws {TypeError} for any other length.
 */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw new TypeError(`an IP address has 4 or 16 bytes, not ${bytes.length}`);
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push(((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0));
  const gap = longestZeroRun(groups);
  const hex = (part: number[]): string => part.map((g) => g.toString(16)).join(':');
  if (gap.length < 2) return hex(groups);
  return `${hex(groups.slice(0, gap.start))}::${hex(groups.slice(gap.start + gap.length))}`;
}

/** Orders two addresses of one family as unsigned integers in network order: negative, zero or positive. */
export function compareIp(a: string, b: string): number {
  const x = parseIp(a) ?? new Uint8Array();
  const y = parseIp(b) ?? new Uint8Array();
  if (x.length !== y.length) return x.length - y.length;
  for (let i = 0; i < x.length; i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** True for fe80::/10. */
export function isLinkLocal(text: string): boolean {
  const bytes = parseIp(text);
  return bytes !== null && bytes.length === 16 && bytes[0] === 0xfe && ((bytes[1] ?? 0) & 0xc0) === 0x80;
}

/** True for 224.0.0.0/4 and ff00::/8. */
export function isMulticast(text: string): boolean {
  const bytes = parseIp(text);
  if (bytes === null) return false;
  return bytes.length === 4 ? ((bytes[0] ?? 0) & 0xf0) === 0xe0 : bytes[0] === 0xff;
}

function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part)) return null;
    const value = Number(part);
    if (value > 255) return null;
    bytes[i] = value;
  }
  return bytes;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  const tail = parseGroups(halves[1] ?? '', true);
  if (head === null || tail === null) return null;
  const given = head.length + tail.length;
  if (halves.length === 1 ? given !== 8 : given > 7) return null;
  const groups = [...head, ...new Array<number>(8 - given).fill(0), ...tail];
  const bytes = new Uint8Array(16);
  for (const [i, group] of groups.entries()) {
    bytes[2 * i] = group >> 8;
    bytes[2 * i + 1] = group & 0xff;
  }
  return bytes;
}

/** The 16-bit groups of one side of `::`; an embedded IPv4 address may stand only at the very end. */
function parseGroups(text: string, last: boolean): number[] | null {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = last && i === parts.length - 1 ? parseIpv4(part) : null;
      if (v4 === null) return null;
      groups.push(((v4[0] ?? 0) << 8) | (v4[1] ?? 0), ((v4[2] ?? 0) << 8) | (v4[3] ?? 0));
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return null;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === 0) continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}
