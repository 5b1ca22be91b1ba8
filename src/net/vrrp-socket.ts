/** VRRP packets on one interface, as raw IP (raw(7)). */

import { type Family, formatIp, parseIp } from '../base/ip-bytes.js';
import { be16, cString, sockaddrIn, sockaddrIn6 } from './bytes.js';
import { parseIpv4Packet } from './ipv4-packet.js';
import {
  bind,
  close,
  type FixedMemory,
  fixedMemory,
  int32,
  recv,
  recvmsg,
  SystemError,
  sendto,
  setsockopt,
  socket,
} from './libc.js';

const PROTOCOL_VRRP = 112;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const SO_PRIORITY = 12;
const IPPROTO_IP = 0;
const IP_HDRINCL = 3;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_LOOP = 34;
const IP_ADD_MEMBERSHIP = 35;
const IP_MULTICAST_ALL = 49;
const IPPROTO_IPV6 = 41;
const IPV6_CHECKSUM = 7;
const IPV6_UNICAST_HOPS = 16;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_JOIN_GROUP = 20;
const IPV6_RECVPKTINFO = 49;
const IPV6_PKTINFO = 50;
const IPV6_RECVHOPLIMIT = 51;
const IPV6_HOPLIMIT = 52;
const IPV6_TCLASS = 67;
/** Internetwork control (RFC 791), as routing protocols use it. */
const TOS = 0xc0;
const TC_PRIO_CONTROL = 7;

export interface RawPacket {
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  readonly payload: Uint8Array;
}

/** Sends and hears VRRP on one interface in one family. */
export interface VrrpSocket {
  readonly fd: number;
  /** @throws {SystemError} e.g. EPERM from a firewall, ENETDOWN. */
  send(packet: RawPacket): void;
  /** The next packet, or null when none is there. */
  receive(): RawPacket | null;
  join(group: string): void;
  close(): void;
}

/** @throws {SystemError} EPERM without CAP_NET_RAW. */
export function openVrrpSocket(family: Family, name: string, index: number): VrrpSocket {
  return family === 'ipv4' ? new VrrpSocket4(name, index) : new VrrpSocket6(name, index);
}

function ipBytes(text: string): Uint8Array {
  const bytes = parseIp(text);
  if (bytes === null) throw new TypeError(`not an IP address: ${text}`);
  return bytes;
}

function ipMreqn(group: Uint8Array, index: number): Uint8Array {
  return Uint8Array.from([...group, 0, 0, 0, 0, ...int32(index)]);
}

class VrrpSocket4 implements VrrpSocket {
  readonly fd: number;
  readonly #out: number;
  readonly #index: number;
  readonly #what: string;
  readonly #buffer = new Uint8Array(65_536);

  constructor(name: string, index: number) {
    this.#index = index;
    this.#what = `VRRP over IPv4 on ${name}`;
    const type = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK;
    this.fd = socket(AF_INET, type, PROTOCOL_VRRP, this.#what);
    setsockopt(this.fd, SOL_SOCKET, SO_BINDTODEVICE, cString(name), this.#what);
    setsockopt(this.fd, IPPROTO_IP, IP_MULTICAST_ALL, 0, this.#what);
    // A socket of its own for sending hears nothing, so its buffer cannot fill.
    this.#out = socket(AF_INET, type, 255, this.#what);
    setsockopt(this.#out, SOL_SOCKET, SO_BINDTODEVICE, cString(name), this.#what);
    setsockopt(this.#out, SOL_SOCKET, SO_PRIORITY, TC_PRIO_CONTROL, this.#what);
    setsockopt(this.#out, IPPROTO_IP, IP_HDRINCL, 1, this.#what);
    setsockopt(this.#out, IPPROTO_IP, IP_MULTICAST_IF, ipMreqn(new Uint8Array(4), index), this.#what);
    setsockopt(this.#out, IPPROTO_IP, IP_MULTICAST_LOOP, 0, this.#what);
  }

  join(group: string): void {
    setsockopt(
      this.fd,
      IPPROTO_IP,
      IP_ADD_MEMBERSHIP,
      ipMreqn(ipBytes(group), this.#index),
      `${this.#what}: group ${group}`,
    );
  }

  send({ source, destination, ttl, payload }: RawPacket): void {
    const to = ipBytes(destination);
    // The kernel fills in the identification and the header's checksum.
    const header = [
      0x45,
      TOS,
      ...be16(20 + payload.length),
      0,
      0,
      0,
      0,
      ttl,
      PROTOCOL_VRRP,
      0,
      0,
      ...ipBytes(source),
      ...to,
    ];
    sendto(
      this.#out,
      Uint8Array.from([...header, ...payload]),
      sockaddrIn(to),
      `${this.#what}: advert to ${destination}`,
    );
  }

  receive(): RawPacket | null {
    for (;;) {
      const size = receiveOrDown(() => recv(this.fd, this.#buffer, this.#what));
      if (size === null) return null;
      const packet = parseIpv4Packet(this.#buffer.slice(0, size));
      if (packet !== null) return packet;
    }
  }

  close(): void {
    close(this.fd);
    close(this.#out);
  }
}

// Where the parts of a received message lie in its memory.
const NAME_AT = 128;
const CONTROL_AT = 192;
const CONTROL_BYTES = 256;
const DATA_AT = 512;
const DATA_BYTES = 65_536;

class VrrpSocket6 implements VrrpSocket {
  readonly fd: number;
  readonly #index: number;
  readonly #name: string;
  readonly #what: string;
  readonly #memory: FixedMemory;
  /** Bound to the source address; another source needs another socket. */
  #out: { readonly fd: number; readonly source: string; ttl: number } | null = null;

  constructor(name: string, index: number) {
    this.#index = index;
    this.#name = name;
    this.#what = `VRRP over IPv6 on ${name}`;
    this.fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, PROTOCOL_VRRP, this.#what);
    setsockopt(this.fd, SOL_SOCKET, SO_BINDTODEVICE, cString(name), this.#what);
    setsockopt(this.fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, this.#what);
    setsockopt(this.fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, this.#what);
    this.#memory = fixedMemory(DATA_AT + DATA_BYTES);
    this.#layOut();
  }

  join(group: string): void {
    const request = Uint8Array.from([...ipBytes(group), ...int32(this.#index)]);
    setsockopt(this.fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, request, `${this.#what}: group ${group}`);
  }

  send({ source, destination, ttl, payload }: RawPacket): void {
    const out = this.#outFor(source, ttl);
    const to = sockaddrIn6(ipBytes(destination), this.#index);
    sendto(out, payload, to, `${this.#what}: advert to ${destination}`);
  }

  receive(): RawPacket | null {
    const { bytes } = this.#memory;
    this.#layOut();
    const size = receiveOrDown(() => recvmsg(this.fd, this.#memory, this.#what));
    if (size === null) return null;
    const { destination, ttl } = this.#control(Number(bytes.readBigUInt64LE(40)));
    return {
      source: formatIp(bytes.subarray(NAME_AT + 8, NAME_AT + 24)),
      destination,
      ttl,
      payload: Uint8Array.from(bytes.subarray(DATA_AT, DATA_AT + size)),
    };
  }

  close(): void {
    close(this.fd);
    if (this.#out !== null) close(this.#out.fd);
  }

  /** `struct msghdr`, and the vector it points to. */
  #layOut(): void {
    const { bytes, address } = this.#memory;
    bytes.fill(0, 0, DATA_AT);
    bytes.writeBigUInt64LE(address + BigInt(NAME_AT), 0);
    bytes.writeUInt32LE(28, 8);
    bytes.writeBigUInt64LE(address + 64n, 16);
    bytes.writeBigUInt64LE(1n, 24);
    bytes.writeBigUInt64LE(address + BigInt(CONTROL_AT), 32);
    bytes.writeBigUInt64LE(BigInt(CONTROL_BYTES), 40);
    bytes.writeBigUInt64LE(address + BigInt(DATA_AT), 64);
    bytes.writeBigUInt64LE(BigInt(DATA_BYTES), 72);
  }

  #control(length: number): { destination: string; ttl: number } {
    const { bytes } = this.#memory;
    let destination = '::';
    let ttl = 0;
    for (let at = CONTROL_AT; at + 16 <= CONTROL_AT + length; ) {
      const size = Number(bytes.readBigUInt64LE(at));
      if (size < 16) break;
      const type = bytes.readInt32LE(at + 12);
      if (type === IPV6_PKTINFO) destination = formatIp(bytes.subarray(at + 16, at + 32));
      if (type === IPV6_HOPLIMIT) ttl = bytes.readInt32LE(at + 16);
      at += (size + 7) & ~7;
    }
    return { destination, ttl };
  }

  #outFor(source: string, ttl: number): number {
    if (this.#out?.source === source && this.#out.ttl === ttl) return this.#out.fd;
    if (this.#out !== null) close(this.#out.fd);
    this.#out = null;
    const fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, PROTOCOL_VRRP, this.#what);
    this.#out = { fd, source, ttl };
    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, cString(this.#name), this.#what);
    setsockopt(fd, SOL_SOCKET, SO_PRIORITY, TC_PRIO_CONTROL, this.#what);
    setsockopt(fd, IPPROTO_IPV6, IPV6_CHECKSUM, 6, this.#what);
    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, this.#index, this.#what);
    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, this.#what);
    setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, ttl, this.#what);
    setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl, this.#what);
    setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, TOS, this.#what);
    bind(fd, sockaddrIn6(ipBytes(source), this.#index), `${this.#what}: source ${source}`);
    return fd;
  }
}

/** A socket reports once that its interface went down; the link watch knows already. */
function receiveOrDown(receive: () => number | null): number | null {
  try {
    return receive();
  } catch (error) {
    if (error instanceof SystemError && error.code === 'ENETDOWN') return null;
    throw error;
  }
}
