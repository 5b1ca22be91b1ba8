/** TCP over IPv4 as bytes (RFC 9293, RFC 791), as far as a host needs it to say that a connection is not here. */
import { internetChecksum } from '../base/checksum.js';
import { be16 } from './bytes.js';

const PROTOCOL_TCP = 6;
const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;
const IP_HEADER_BYTES = 20;
const TCP_HEADER_BYTES = 20;
const TTL = 64;
const DONT_FRAGMENT = 0x4000;

export interface TcpSegment {
  /** 4 bytes each. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  /** null: the ACK flag is not set. */
  readonly acknowledged: number | null;
  readonly syn: boolean;
  readonly fin: boolean;
  readonly rst: boolean;
  readonly data_bytes: number;
}

/** The segment in an IPv4 packet; null when it is not TCP, not whole, or not the first fragment. */
export function decodeTcpSegment(packet: Uint8Array): TcpSegment | null {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  if (packet.length < IP_HEADER_BYTES || packet[0] === undefined || packet[0] >> 4 !== 4) return null;
  const at = (packet[0] & 0x0f) * 4;
  const total = view.getUint16(2);
  const fragment = view.getUint16(6) & 0x1fff;
  if (at < IP_HEADER_BYTES || packet[9] !== PROTOCOL_TCP || fragment !== 0) return null;
  if (total < at + TCP_HEADER_BYTES || packet.length < at + TCP_HEADER_BYTES) return null;
  const data = at + (view.getUint8(at + 12) >> 4) * 4;
  if (data < at + TCP_HEADER_BYTES || data > total) return null;
  const flags = view.getUint8(at + 13);
  return {
    source: packet.slice(12, 16),
    destination: packet.slice(16, 20),
    sourcePort: view.getUint16(at),
    destinationPort: view.getUint16(at + 2),
    sequence: view.getUint32(at + 4),
    acknowledged: (flags & ACK) === 0 ? null : view.getUint32(at + 8),
    syn: (flags & SYN) !== 0,
    fin: (flags & FIN) !== 0,
    rst: (flags & RST) !== 0,
    data_bytes: total - data,
  };
}

/**
 * What a host answers to a segment of a connection that it does not have (RFC 9293 section 3.10.7.1): a reset that the
 * sender must believe, as an IPv4 packet. null for a reset, which is never answered.
 */
export function refusalOf(segment: TcpSegment): Uint8Array | null {
  if (segment.rst) return null;
  const ends = {
    source: segment.destination,
    destination: segment.source,
    sourcePort: segment.destinationPort,
    destinationPort: segment.sourcePort,
  };
  if (segment.acknowledged !== null) return encode({ ...ends, sequence: segment.acknowledged, ack: 0, flags: RST });
  const length = segment.data_bytes + (segment.syn ? 1 : 0) + (segment.fin ? 1 : 0);
  return encode({ ...ends, sequence: 0, ack: (segment.sequence + length) >>> 0, flags: RST | ACK });
}

export interface TcpEnds {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/**
 * An acknowledgement of nothing in particular. Whoever has the connection answers with where it stands (RFC 9293 section
 * 3.10.7.4: a segment that is not acceptable), and that answer can be refused by {@link refusalOf}.
 */
export function challengeTo(ends: TcpEnds): Uint8Array {
  return encode({ ...ends, sequence: 0, ack: 0, flags: ACK });
}

interface Bare extends TcpEnds {
  readonly sequence: number;
  readonly ack: number;
  readonly flags: number;
}

function encode({ source, destination, sourcePort, destinationPort, sequence, ack, flags }: Bare): Uint8Array {
  const packet = new Uint8Array(IP_HEADER_BYTES + TCP_HEADER_BYTES);
  const view = new DataView(packet.buffer);
  packet.set([0x45, 0, ...be16(packet.length)]);
  view.setUint16(6, DONT_FRAGMENT);
  packet.set([TTL, PROTOCOL_TCP], 8);
  packet.set(source, 12);
  packet.set(destination, 16);
  view.setUint16(10, internetChecksum(packet.subarray(0, IP_HEADER_BYTES)));
  const tcp = packet.subarray(IP_HEADER_BYTES);
  view.setUint16(20, sourcePort);
  view.setUint16(22, destinationPort);
  view.setUint32(24, sequence);
  view.setUint32(28, ack);
  packet.set([(TCP_HEADER_BYTES / 4) << 4, flags], 32);
  const pseudo = Uint8Array.from([...source, ...destination, 0, PROTOCOL_TCP, ...be16(TCP_HEADER_BYTES)]);
  view.setUint16(36, internetChecksum(pseudo, tcp));
  return packet;
}
