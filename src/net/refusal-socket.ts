/** Answers for one IPv4 address that has left this host: whoever still sends TCP there is told that nothing is here. */
import { cString, sockaddrIn, sockaddrLl } from './bytes.js';
import { attachFilter, bind, close, recv, SystemError, sendto, setsockopt, socket } from './libc.js';
import { NO_PACKETS, segmentsTo } from './packet-filter.js';
import { challengeTo, decodeTcpSegment, refusalOf, type TcpEnds } from './tcp-segment.js';

const AF_INET = 2;
const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const IPPROTO_RAW = 255;
const ETH_P_IP = 0x0800;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const SO_RCVBUFFORCE = 33;
/** A couple of thousand segments. */
const BUFFER_BYTES = 1 << 20;
/** As much of a packet as its headers may need. */
const HEADERS_BYTES = 120;

export class RefusalSocket {
  /** Readable when somebody still sends to the address. */
  readonly fd: number;
  readonly #out: number;
  readonly #what: string;
  readonly #buffer = new Uint8Array(HEADERS_BYTES);

  /**
   * Hears from now on what comes for the address, in frames to this host alone.
   * @throws {SystemError} EPERM without CAP_NET_RAW
   */
  constructor(device: string, index: number, address: Uint8Array) {
    this.#what = `refusing connections on ${device}`;
    // IPPROTO_RAW: only for sending, with headers of our own, so that the source may be an address that has left.
    this.#out = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW, this.#what);
    setsockopt(this.#out, SOL_SOCKET, SO_BINDTODEVICE, cString(device), this.#what);
    this.fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, this.#what);
    attachFilter(this.fd, segmentsTo(address), this.#what);
    setsockopt(this.fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES, this.#what);
    bind(this.fd, sockaddrLl(index, ETH_P_IP), this.#what);
  }

  /** The resets that are due to the next few segments; whether they are sent is the caller's decision. */
  *due(limit: number): Generator<Uint8Array> {
    for (let n = 0; n < limit; n++) {
      const size = this.#receive();
      if (size === null) return;
      const segment = decodeTcpSegment(this.#buffer.subarray(0, Math.min(size, this.#buffer.length)));
      const answer = segment === null ? null : refusalOf(segment);
      if (answer !== null) yield answer;
    }
  }

  /** Makes the other end of a connection, which may be idle, say where it stands: what it says can be refused. */
  challenge(ends: TcpEnds): void {
    this.send(challengeTo(ends));
  }

  /** Sends an IPv4 packet. One that cannot leave is lost, as packets are. */
  send(packet: Uint8Array): void {
    try {
      sendto(this.#out, packet, sockaddrIn(packet.subarray(16, 20)), this.#what);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
    }
  }

  /** Hears nothing from now on. Closing takes the kernel some milliseconds, and this does not. */
  mute(): void {
    attachFilter(this.fd, NO_PACKETS, this.#what);
  }

  close(): void {
    close(this.fd);
    close(this.#out);
  }

  #receive(): number | null {
    try {
      return recv(this.fd, this.#buffer, this.#what);
    } catch (error) {
      // Reported once when the interface goes down; nobody can be answered then.
      if (error instanceof SystemError && error.code === 'ENETDOWN') return null;
      throw error;
    }
  }
}
