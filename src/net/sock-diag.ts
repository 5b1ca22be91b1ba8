/** The TCP connections of an address of this host, through sock_diag sockets. None of it waits: the kernel answers at once. */
import type { Family } from '../base/ip-bytes.js';
import { close, recv, SystemError, sendto, setsockopt, socket } from './libc.js';
import { type Connection, decodeSockDiag, encodeDestroy, encodeListConnections } from './sock-diag-codec.js';

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const NETLINK_SOCK_DIAG = 4;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const ENOENT = 2;
const LIST = 1;

const buffer = new Uint8Array(65_536);

function open(): number {
  const fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG, 'sock_diag');
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, 1 << 20, 'sock_diag');
  return fd;
}

/** At most so many are given at a time: ending them takes about a millisecond. */
const PAGE = 64;

/**
 * The connections whose local address is `local`, page by page as the kernel gives them; may be left at any page.
 * An IPv4 address has connections also among the IPv6 sockets.
 * @throws {SystemError} e.g. EOPNOTSUPP where the kernel has no inet_diag
 */
export function* connectionsOf(local: Uint8Array): Generator<readonly Connection[]> {
  yield* listed('ipv6', local);
  if (local.length === 4) yield* listed('ipv4', local);
}

function* listed(family: Family, local: Uint8Array): Generator<readonly Connection[]> {
  // A socket for each list, since one that is left before its end would be in the way of the next.
  const fd = open();
  try {
    sendto(fd, encodeListConnections(family, local, LIST), null, 'sock_diag');
    for (let size = recv(fd, buffer, 'sock_diag'); size !== null; size = recv(fd, buffer, 'sock_diag')) {
      const found: Connection[] = [];
      let ended = false;
      for (const message of decodeSockDiag(buffer.subarray(0, size))) {
        if (message.kind === 'connection') found.push(message.connection);
        else if (message.kind === 'done' || message.errno === 0) ended = true;
        else throw new SystemError(message.errno, 'SOCK_DIAG_BY_FAMILY', 'listing connections');
      }
      for (let at = 0; at < found.length; at += PAGE) yield found.slice(at, at + PAGE);
      if (ended) return;
    }
  } finally {
    close(fd);
  }
}

/** Ends connections: the other end is sent a reset where the local address is still here, and the local program sees it. */
export class ConnectionEnder {
  readonly #fd = open();
  #sequence = 0;

  /**
   * Ends a page of them in one call. One that has ended meanwhile is no failure.
   * @throws {SystemError} EOPNOTSUPP from a kernel without CONFIG_INET_DIAG_DESTROY, EPERM without CAP_NET_ADMIN
   */
  end(page: readonly Connection[]): void {
    this.#sequence++;
    sendto(this.#fd, encodeDestroy(page, this.#sequence), null, 'sock_diag');
    let failure: number | null = null;
    // The kernel has done it all within the call; only refusals are there to be read.
    for (let size = recv(this.#fd, buffer, 'sock_diag'); size !== null; size = recv(this.#fd, buffer, 'sock_diag')) {
      for (const message of decodeSockDiag(buffer.subarray(0, size))) {
        if (message.kind === 'ack' && message.errno !== 0 && message.errno !== ENOENT) failure = message.errno;
      }
    }
    if (failure !== null) throw new SystemError(failure, 'SOCK_DESTROY', 'ending connections');
  }

  close(): void {
    close(this.#fd);
  }
}
