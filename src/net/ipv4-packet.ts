/** What the IPv4 header in front of a received packet says; raw IPv4 sockets deliver it with the packet. */
import { formatIp } from '../base/ip-bytes.js';

export interface Ipv4Packet {
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly protocol: number;
  readonly payload: Uint8Array;
}

/** The packet's header and payload, or null when the header is not whole (RFC 791 section 3.1). */
export function parseIpv4Packet(bytes: Uint8Array): Ipv4Packet | null {
  if (bytes.length < 20) return null;
  const first = bytes[0] ?? 0;
  const header_bytes = (first & 0x0f) * 4;
  const total_bytes = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  if (first >> 4 !== 4 || header_bytes < 20 || total_bytes < header_bytes || total_bytes > bytes.length) return null;
  return {
    ttl: bytes[8] ?? 0,
    protocol: bytes[9] ?? 0,
    source: formatIp(bytes.subarray(12, 16)),
    destination: formatIp(bytes.subarray(16, 20)),
    payload: bytes.subarray(header_bytes, total_bytes),
  };
}
