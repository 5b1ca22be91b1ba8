/** sock_diag messages as bytes (sock_diag(7)): which TCP connections an address of this host has, and their end. */
import type { Family } from '../base/ip-bytes.js';
import {
  attribute,
  concat,
  cutMessages,
  dataView,
  message,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
} from './netlink-codec.js';

const SOCK_DIAG_BY_FAMILY = 20;
const SOCK_DESTROY = 21;
const IPPROTO_TCP = 6;
const FAMILY_NUMBERS: Readonly<Record<Family, number>> = { ipv4: 2, ipv6: 10 };
const INET_DIAG_REQ_BYTECODE = 1;
const INET_DIAG_BC_S_COND = 7;
/** `struct inet_diag_sockid`: ports, addresses, interface and the cookie that tells a socket from a later one. */
const ID_BYTES = 48;
/**
 * By their numbers in the kernel: all but TIME_WAIT (both ends are done), CLOSE and LISTEN. A connection whose handshake
 * is under way is in SYN_RECV, which the kernel also takes for its own NEW_SYN_RECV.
 */
const STATES = [1, 2, 3, 4, 5, 8, 9, 11].reduce((all, state) => all | (1 << state), 0);

/** A connection of this host. */
export interface Connection {
  readonly family: Family;
  readonly localPort: number;
  readonly peerPort: number;
  /** 4 or 16 bytes; of an IPv6 socket that speaks IPv4 the mapped address (RFC 4291 section 2.5.5.2). */
  readonly peer: Uint8Array;
  /** What the kernel knows the socket by. */
  readonly id: Uint8Array;
}

export type SockDiagMessage =
  | { readonly kind: 'connection'; readonly sequence: number; readonly connection: Connection }
  /** `errno` is 0 when all is well. */
  | { readonly kind: 'ack'; readonly sequence: number; readonly errno: number }
  | { readonly kind: 'done'; readonly sequence: number };

/**
 * Asks for the connections whose local address is `local`; the kernel does the picking.
 * @param family of the sockets: those of IPv6 may speak IPv4, and are then found by the IPv4 address
 */
export function encodeListConnections(family: Family, local: Uint8Array, sequence: number): Uint8Array {
  const request = new Uint8Array(8 + ID_BYTES);
  request.set([FAMILY_NUMBERS[family], IPPROTO_TCP]);
  dataView(request).setUint32(4, STATES, true);
  const body = concat([request, attribute(INET_DIAG_REQ_BYTECODE, isLocal(local))]);
  return message(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, sequence, body);
}

/** The kernel's little program "the local address is this one": one condition, behind whose end lies the refusal. */
function isLocal(local: Uint8Array): Uint8Array {
  const condition = new Uint8Array(12 + local.length);
  const view = dataView(condition);
  condition.set([INET_DIAG_BC_S_COND, condition.length]);
  view.setUint16(2, condition.length + 4, true);
  condition.set([FAMILY_NUMBERS[local.length === 4 ? 'ipv4' : 'ipv6'], 8 * local.length], 4);
  const ANY_PORT = -1;
  view.setInt32(8, ANY_PORT, true);
  condition.set(local, 12);
  return condition;
}

/** Ends connections: one message each, in one datagram. Only failures are answered, under the same sequence. */
export function encodeDestroy(connections: readonly Connection[], sequence: number): Uint8Array {
  const one = ({ family, id }: Connection): Uint8Array => {
    const request = new Uint8Array(8 + ID_BYTES);
    request.set([FAMILY_NUMBERS[family], IPPROTO_TCP]);
    dataView(request).setUint32(4, STATES, true);
    request.set(id, 8);
    return message(SOCK_DESTROY, NLM_F_REQUEST, sequence, request);
  };
  return concat(connections.map(one));
}

/** All messages of one datagram that are understood; others are passed over. The bytes are copied. */
export function decodeSockDiag(bytes: Uint8Array): SockDiagMessage[] {
  return cutMessages(bytes).flatMap(({ type, sequence, body }): SockDiagMessage[] => {
    switch (type) {
      case NLMSG_ERROR:
        return body.length < 4 ? [] : [{ kind: 'ack', sequence, errno: -dataView(body).getInt32(0, true) }];
      case NLMSG_DONE:
        return [{ kind: 'done', sequence }];
      case SOCK_DIAG_BY_FAMILY: {
        const connection = decodeConnection(body);
        return connection === null ? [] : [{ kind: 'connection', sequence, connection }];
      }
      default:
        return [];
    }
  });
}

/** `struct inet_diag_msg`: family, state, timer, retransmissions, the identity, and counters. */
function decodeConnection(body: Uint8Array): Connection | null {
  const number = body[0];
  const family = number === FAMILY_NUMBERS.ipv4 ? 'ipv4' : number === FAMILY_NUMBERS.ipv6 ? 'ipv6' : null;
  if (family === null || body.length < 4 + ID_BYTES) return null;
  const id = body.slice(4, 4 + ID_BYTES);
  const view = dataView(id);
  return {
    family,
    localPort: view.getUint16(0),
    peerPort: view.getUint16(2),
    peer: id.slice(20, 20 + (family === 'ipv4' ? 4 : 16)),
    id,
  };
}
