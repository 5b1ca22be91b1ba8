/** How regular adverts are. */
import type { CapturedPacket } from './capture.js';

const ETHERNET_BYTES = 14;
const PRIORITY_AT = ETHERNET_BYTES + 20 + 2;

/** The longest time between two adverts of one sender (ms); `packets` are captured VRRP over IPv4. */
export function longestAdvertGap_ms(packets: readonly CapturedPacket[], source: string): number {
  const times = packets.filter((p) => senderOf(p) === source && p.frame[PRIORITY_AT] !== 0).map((p) => p.at_ms);
  return Math.max(0, ...times.slice(1).map((at, i) => at - (times[i] ?? at)));
}

function senderOf({ frame }: CapturedPacket): string {
  return frame.subarray(ETHERNET_BYTES + 12, ETHERNET_BYTES + 16).join('.');
}
