/** Interfaces and addresses of this host, through rtnetlink sockets. */
import { bind, close, errnoName, recv, SystemError, sendto, setsockopt, socket } from './libc.js';
import {
  type AddressInfo,
  type AddressRequest,
  decodeMessages,
  encodeDelAddress,
  encodeDump,
  encodeNewAddress,
  type LinkInfo,
  type NetlinkMessage,
  RTM_GETADDR,
  RTM_GETLINK,
} from './netlink-codec.js';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_RCVBUF = 8;
const GROUPS = 0x1 | 0x10 | 0x100;
/** How long the kernel may take to answer; it answers at once unless something is badly wrong. */
const ANSWER_S = 2;

function sockaddrNl(groups: number): Uint8Array {
  const bytes = new Uint8Array(12);
  bytes[0] = AF_NETLINK;
  new DataView(bytes.buffer).setUint32(8, groups, true);
  return bytes;
}

/** Asks and waits for the answer. */
export class Netlink {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(65_536);
  #sequence = 1;

  /** @throws {SystemError} */
  constructor() {
    this.#fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0, 'netlink');
    const timeout = new Uint8Array(16);
    timeout[0] = ANSWER_S;
    setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, 'netlink');
  }

  links(): LinkInfo[] {
    return this.#dump(RTM_GETLINK).flatMap((m) => (m.kind === 'link' ? [m.link] : []));
  }

  addresses(): AddressInfo[] {
    return this.#dump(RTM_GETADDR).flatMap((m) => (m.kind === 'address' ? [m.address] : []));
  }

  /** Adds an address or refreshes its lifetime. @throws {SystemError} */
  addAddress(request: AddressRequest, what: string): void {
    const sequence = this.#next();
    const errno = this.#ask(encodeNewAddress(request, sequence), sequence);
    if (errno !== 0) throw new SystemError(errno, 'RTM_NEWADDR', what);
  }

  /** Removes an address; false when it was not there. @throws {SystemError} */
  removeAddress(request: AddressRequest, what: string): boolean {
    const sequence = this.#next();
    const errno = this.#ask(encodeDelAddress(request, sequence), sequence);
    const name = errno === 0 ? null : errnoName(errno);
    if (name !== null && name !== 'EADDRNOTAVAIL' && name !== 'ENODEV')
      throw new SystemError(errno, 'RTM_DELADDR', what);
    return name === null;
  }

  close(): void {
    close(this.#fd);
  }

  #next(): number {
    this.#sequence = (this.#sequence % 0xffff_fff0) + 1;
    return this.#sequence;
  }

  #ask(request: Uint8Array, sequence: number): number {
    sendto(this.#fd, request, null, 'netlink');
    for (;;) {
      for (const message of this.#receive()) {
        if (message.kind === 'ack' && message.sequence === sequence) return message.errno;
      }
    }
  }

  #dump(type: number): NetlinkMessage[] {
    const sequence = this.#next();
    sendto(this.#fd, encodeDump(type, sequence), null, 'netlink');
    const all: NetlinkMessage[] = [];
    for (;;) {
      for (const message of this.#receive()) {
        if (message.kind === 'done' && message.sequence === sequence) return all;
        all.push(message);
      }
    }
  }

  #receive(): NetlinkMessage[] {
    const size = recv(this.#fd, this.#buffer, 'netlink');
    if (size === null) throw new Error(`netlink: the kernel has not answered for ${ANSWER_S} s`);
    return decodeMessages(this.#buffer.subarray(0, size));
  }
}

/** Hears every change of links and addresses. */
export class NetlinkWatch {
  readonly fd: number;
  readonly #buffer = new Uint8Array(65_536);

  /** @throws {SystemError} */
  constructor() {
    this.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 'netlink watch');
    setsockopt(this.fd, SOL_SOCKET, SO_RCVBUF, 1 << 20, 'netlink watch');
    bind(this.fd, sockaddrNl(GROUPS), 'netlink watch');
  }

  /** The changes that have come, in order. `lost`: some were dropped for want of room, so look at everything anew. */
  drain(): { readonly messages: readonly NetlinkMessage[]; readonly lost: boolean } {
    const messages: NetlinkMessage[] = [];
    let lost = false;
    // Bounded, so that a storm of changes cannot keep adverts waiting.
    for (let rounds = 0; rounds < 64; rounds++) {
      try {
        const size = recv(this.fd, this.#buffer, 'netlink watch');
        if (size === null) break;
        messages.push(...decodeMessages(this.#buffer.subarray(0, size)));
      } catch (error) {
        if (!(error instanceof SystemError) || error.code !== 'ENOBUFS') throw error;
        lost = true;
      }
    }
    return { messages, lost };
  }

  close(): void {
    close(this.fd);
  }
}
