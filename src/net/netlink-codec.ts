/** rtnetlink messages as bytes (rtnetlink(7)): interfaces and their addresses. */
import { formatIp } from '../base/ip-bytes.js';
import { cString, formatMac } from './bytes.js';

export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const RTM_NEWLINK = 16;
export const RTM_DELLINK = 17;
export const RTM_GETLINK = 18;
export const RTM_NEWADDR = 20;
export const RTM_DELADDR = 21;
export const RTM_GETADDR = 22;

export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP = 0x300;
const NLM_F_REPLACE = 0x100;
const NLM_F_CREATE = 0x400;

const AF_INET = 2;
const AF_INET6 = 10;
const IFF_UP = 1;
const IFF_RUNNING = 0x40;
const IFF_LOWER_UP = 0x1_0000;
const IFA_F_NODAD = 0x02;
const IFA_F_HOMEADDRESS = 0x10;
const IFA_F_NOPREFIXROUTE = 0x200;
const FOREVER = 0xffff_ffff;
export const SCOPES = { global: 0, site: 200, link: 253, host: 254, nowhere: 255 } as const;

export interface LinkInfo {
  readonly index: number;
  readonly name: string;
  /** Up, with a carrier. */
  readonly up: boolean;
  /** Empty when it has none. */
  readonly mac: string;
  /** ARPHRD_ETHER: gratuitous ARP makes sense. */
  readonly ethernet: boolean;
}

export interface AddressInfo {
  readonly index: number;
  readonly family: 'ipv4' | 'ipv6';
  readonly ip: string;
  readonly prefix: number;
  readonly scope: number;
  /** Not usable yet: duplicate address detection is under way, or has failed. */
  readonly tentative: boolean;
  readonly secondary: boolean;
}

export type NetlinkMessage =
  | { readonly kind: 'link'; readonly gone: boolean; readonly link: LinkInfo }
  | { readonly kind: 'address'; readonly gone: boolean; readonly address: AddressInfo }
  | { readonly kind: 'ack'; readonly sequence: number; readonly errno: number }
  | { readonly kind: 'done'; readonly sequence: number };

/** An address to put on an interface. */
export interface AddressRequest {
  readonly index: number;
  readonly ip: Uint8Array;
  readonly prefix: number;
  readonly peer: Uint8Array | null;
  readonly broadcast: Uint8Array | null;
  readonly label: string | null;
  readonly scope: keyof typeof SCOPES;
  /** The kernel removes it this many seconds from now; null for never. */
  readonly lifetime_s: number | null;
  /** Not chosen as a source address. */
  readonly deprecated: boolean;
  readonly home: boolean;
  readonly noPrefixRoute: boolean;
}

export function encodeDump(type: number, sequence: number): Uint8Array {
  return message(type, NLM_F_REQUEST | NLM_F_DUMP, sequence, new Uint8Array(16));
}

/** Adds the address, or changes its lifetimes when it is there. */
export function encodeNewAddress(request: AddressRequest, sequence: number): Uint8Array {
  const flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
  return message(RTM_NEWADDR, flags, sequence, addressBody(request, true));
}

export function encodeDelAddress(request: AddressRequest, sequence: number): Uint8Array {
  return message(RTM_DELADDR, NLM_F_REQUEST | NLM_F_ACK, sequence, addressBody(request, false));
}

function addressBody(request: AddressRequest, adding: boolean): Uint8Array {
  const ipv6 = request.ip.length === 16;
  const header = new Uint8Array(8);
  header.set([ipv6 ? AF_INET6 : AF_INET, request.prefix, 0, SCOPES[request.scope]]);
  new DataView(header.buffer).setUint32(4, request.index, true);
  const attributes = [attribute(2, request.ip), attribute(1, request.peer ?? request.ip)];
  if (adding) {
    const flags =
      (ipv6 ? IFA_F_NODAD : 0) |
      (request.home ? IFA_F_HOMEADDRESS : 0) |
      (request.noPrefixRoute ? IFA_F_NOPREFIXROUTE : 0);
    if (flags !== 0) attributes.push(attribute(8, words(flags)));
    if (request.broadcast !== null) attributes.push(attribute(4, request.broadcast));
    if (request.label !== null && !ipv6) attributes.push(attribute(3, cString(request.label)));
    const valid = request.lifetime_s ?? FOREVER;
    if (valid !== FOREVER || request.deprecated) {
      attributes.push(attribute(6, words(request.deprecated ? 0 : valid, valid, 0, 0)));
    }
  }
  return concat([header, ...attributes]);
}

/** All messages of one datagram that concern links, addresses and acknowledgements; others are passed over. */
export function decodeMessages(bytes: Uint8Array): NetlinkMessage[] {
  return cutMessages(bytes).flatMap(({ type, sequence, body }) => decodeMessage(type, sequence, body) ?? []);
}

/** A message without its header. */
export interface RawMessage {
  readonly type: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

/** The whole messages of one datagram; a cut end is passed over. */
export function cutMessages(bytes: Uint8Array): RawMessage[] {
  const view = dataView(bytes);
  const found: RawMessage[] = [];
  for (let at = 0; at + 16 <= bytes.length; ) {
    const length = view.getUint32(at, true);
    if (length < 16 || at + length > bytes.length) break;
    const body = bytes.subarray(at + 16, at + length);
    found.push({ type: view.getUint16(at + 4, true), sequence: view.getUint32(at + 8, true), body });
    at += align(length);
  }
  return found;
}

function decodeMessage(type: number, sequence: number, body: Uint8Array): NetlinkMessage | null {
  switch (type) {
    case NLMSG_ERROR:
      return body.length < 4 ? null : { kind: 'ack', sequence, errno: -dataView(body).getInt32(0, true) };
    case NLMSG_DONE:
      return { kind: 'done', sequence };
    case RTM_NEWLINK:
    case RTM_DELLINK: {
      const link = decodeLink(body);
      return link === null ? null : { kind: 'link', gone: type === RTM_DELLINK, link };
    }
    case RTM_NEWADDR:
    case RTM_DELADDR: {
      const address = decodeAddress(body);
      return address === null ? null : { kind: 'address', gone: type === RTM_DELADDR, address };
    }
    default:
      return null;
  }
}

function decodeLink(body: Uint8Array): LinkInfo | null {
  if (body.length < 16) return null;
  const view = dataView(body);
  const flags = view.getUint32(8, true);
  const attributes = decodeAttributes(body.subarray(16));
  const name = attributes.get(3);
  if (name === undefined) return null;
  return {
    index: view.getInt32(4, true),
    name: new TextDecoder().decode(name.subarray(0, Math.max(0, name.indexOf(0)))),
    up: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0 && (flags & IFF_LOWER_UP) !== 0,
    mac: formatMac(attributes.get(1) ?? new Uint8Array()),
    ethernet: view.getUint16(2, true) === 1,
  };
}

function decodeAddress(body: Uint8Array): AddressInfo | null {
  if (body.length < 8) return null;
  const family = body[0] === AF_INET ? 'ipv4' : body[0] === AF_INET6 ? 'ipv6' : null;
  const attributes = decodeAttributes(body.subarray(8));
  // IFA_LOCAL is our own end of a point-to-point address; without a peer the two are equal.
  const ip = attributes.get(2) ?? attributes.get(1);
  if (family === null || ip === undefined || ip.length !== (family === 'ipv4' ? 4 : 16)) return null;
  const wide = attributes.get(8);
  const flags = wide === undefined ? (body[2] ?? 0) : dataView(wide).getUint32(0, true);
  return {
    index: dataView(body).getUint32(4, true),
    family,
    ip: formatIp(ip),
    prefix: body[1] ?? 0,
    scope: body[3] ?? 0,
    tentative: (flags & 0x48) !== 0,
    secondary: (flags & 0x01) !== 0,
  };
}

function decodeAttributes(bytes: Uint8Array): Map<number, Uint8Array> {
  const view = dataView(bytes);
  const found = new Map<number, Uint8Array>();
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.length) break;
    found.set(view.getUint16(at + 2, true) & 0x3fff, bytes.subarray(at + 4, at + length));
    at += align(length);
  }
  return found;
}

/** One message with its header, `struct nlmsghdr`. */
export function message(type: number, flags: number, sequence: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  bytes.set(body, 16);
  return bytes;
}

export function attribute(type: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(align(4 + value.length));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 4 + value.length, true);
  view.setUint16(2, type, true);
  bytes.set(value, 4);
  return bytes;
}

function words(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true);
  return bytes;
}

export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, p) => sum + p.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

export function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

export function align(length: number): number {
  return (length + 3) & ~3;
}
