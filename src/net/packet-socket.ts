/** Whole Ethernet frames on one interface (packet(7)): sends what frames.ts builds, and hears ARP. */
import { sockaddrLl } from './bytes.js';
import { bind, close, recv, SystemError, sendto, socket } from './libc.js';

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const ETH_P_ARP = 0x0806;

export class PacketSocket {
  readonly fd: number;
  readonly #interface: string;
  readonly #buffer = new Uint8Array(2048);

  /** @throws {SystemError} EPERM without CAP_NET_RAW. */
  constructor(name: string, index: number) {
    this.#interface = name;
    // Protocol 0 until bound, so that no frame of another interface is ever seen.
    this.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, `packet socket on ${name}`);
    bind(this.fd, sockaddrLl(index, ETH_P_ARP), `packet socket on ${name}`);
  }

  /** @throws {SystemError} */
  send(frame: Uint8Array): void {
    sendto(this.fd, frame, null, `frame on ${this.#interface}`);
  }

  /** The next frame, valid until the next call; null when none is there. */
  receive(): Uint8Array | null {
    try {
      const size = recv(this.fd, this.#buffer, `packet socket on ${this.#interface}`);
      return size === null ? null : this.#buffer.subarray(0, Math.min(size, this.#buffer.length));
    } catch (error) {
      // Reported once when the interface goes down; the link watch knows already.
      if (error instanceof SystemError && error.code === 'ENETDOWN') return null;
      throw error;
    }
  }

  close(): void {
    close(this.fd);
  }
}
