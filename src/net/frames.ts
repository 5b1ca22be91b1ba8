/** Ethernet frames that say, or ask, who holds an address: ARP (RFC 826, RFC 5227) and neighbour discovery (RFC 4861). */
import { internetChecksum } from '../base/checksum.js';
import { formatIp } from '../base/ip-bytes.js';
import { be16, formatMac } from './bytes.js';

const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;
const BROADCAST = [255, 255, 255, 255, 255, 255];
const REQUEST = 1;

/**
 * A gratuitous ARP request: sender and target are the address itself. A request rather than a reply, since hosts drop
 * replies they did not ask for.
 */
export function gratuitousArp(mac: Uint8Array, ip: Uint8Array): Uint8Array {
  return arp(mac, ip, ip);
}

/** An ARP probe (RFC 5227 section 2.1.1): who has `ip`? Its sender address is empty, so that no cache changes. */
export function arpProbe(mac: Uint8Array, ip: Uint8Array): Uint8Array {
  return arp(mac, new Uint8Array(4), ip);
}

function arp(mac: Uint8Array, sender: Uint8Array, target: Uint8Array): Uint8Array {
  const body = [0, 1, 8, 0, 6, 4, ...be16(REQUEST), ...mac, ...sender, 0, 0, 0, 0, 0, 0, ...target];
  return Uint8Array.from([...BROADCAST, ...mac, ...be16(ETHERTYPE_ARP), ...body, ...new Array<number>(18).fill(0)]);
}

/** Who says in an ARP frame that an address is theirs; null for frames that claim none. */
export function arpClaim(frame: Uint8Array): { readonly ip: string; readonly mac: string } | null {
  if (frame.length < 42 || frame[12] !== 0x08 || frame[13] !== 0x06) return null;
  if (frame[16] !== 0x08 || frame[17] !== 0 || frame[18] !== 6 || frame[19] !== 4) return null;
  const ip = frame.subarray(28, 32);
  if (ip.every((b) => b === 0)) return null;
  return { ip: formatIp(ip), mac: formatMac(frame.subarray(22, 28)) };
}

/** An unsolicited neighbour advertisement to all nodes, overriding what they know (RFC 4861 section 7.2.6). */
export function unsolicitedAdvert(mac: Uint8Array, ip: Uint8Array, router: boolean): Uint8Array {
  const allNodes = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
  const override = 0x20 | (router ? 0x80 : 0);
  const icmp = Uint8Array.from([136, 0, 0, 0, override, 0, 0, 0, ...ip, 2, 1, ...mac]);
  const pseudo = Uint8Array.from([...ip, ...allNodes, 0, 0, ...be16(icmp.length), 0, 0, 0, 58]);
  icmp.set(be16(internetChecksum(pseudo, icmp)), 2);
  const header = [0x60, 0, 0, 0, ...be16(icmp.length), 58, 255, ...ip, ...allNodes];
  return Uint8Array.from([0x33, 0x33, 0, 0, 0, 1, ...mac, ...be16(ETHERTYPE_IPV6), ...header, ...icmp]);
}
