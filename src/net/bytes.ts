/** Small helpers for kernel structures. Native order is little-endian on every platform that koffi is built for here. */

/** A 16-bit number in network order. */
export function be16(value: number): number[] {
  return [(value >> 8) & 0xff, value & 0xff];
}

/** `02:00:00:00:00:01` */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join(':');
}

/** @throws {TypeError} when `text` is not six pairs of hexadecimal digits. */
export function parseMac(text: string): Uint8Array {
  if (!/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text)) throw new TypeError(`not a MAC address: ${text}`);
  return Uint8Array.from(text.split(':'), (pair) => Number.parseInt(pair, 16));
}

/** `struct sockaddr_in` without a port. */
export function sockaddrIn(address: Uint8Array): Uint8Array {
  return Uint8Array.from([2, 0, 0, 0, ...address, 0, 0, 0, 0, 0, 0, 0, 0]);
}

/** `struct sockaddr_in6` without a port; `scope` is the interface's index. */
export function sockaddrIn6(address: Uint8Array, scope: number): Uint8Array {
  const bytes = new Uint8Array(28);
  bytes[0] = 10;
  bytes.set(address, 8);
  new DataView(bytes.buffer).setUint32(24, scope, true);
  return bytes;
}

/** `struct sockaddr_ll`: an interface, and an Ethernet protocol. */
export function sockaddrLl(index: number, protocol: number): Uint8Array {
  const bytes = new Uint8Array(20);
  bytes[0] = 17;
  bytes.set(be16(protocol), 2);
  new DataView(bytes.buffer).setInt32(4, index, true);
  return bytes;
}

export function cString(text: string): Uint8Array {
  return Uint8Array.from([...new TextEncoder().encode(text), 0]);
}
