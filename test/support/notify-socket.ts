/** Stands in for the service manager: a datagram socket that hears what services say of themselves. */
import { join } from 'node:path';
import { bind, close, recv, socket } from '../../src/net/libc.js';
import type { Cleanup } from './cleanup.js';
import { tempDir } from './temp-dir.js';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;

export class NotifySocket {
  /** As NOTIFY_SOCKET has it. */
  readonly path: string;
  readonly #fd: number;
  readonly #heard: string[] = [];

  /** @param abstract bound to a name instead of a file (unix(7)) */
  constructor(cleanup: Cleanup, abstract = false) {
    const file = join(tempDir(cleanup), 'notify');
    this.path = abstract ? `@tanist-test-${process.pid}${file}` : file;
    const name = new TextEncoder().encode(abstract ? `\0${this.path.slice(1)}` : `${file}\0`);
    this.#fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, 'notify socket');
    bind(this.#fd, Uint8Array.from([AF_UNIX, 0, ...name]), 'notify socket');
    cleanup.add(() => close(this.#fd));
  }

  /** All datagrams so far, in order. */
  get heard(): readonly string[] {
    const buffer = new Uint8Array(4096);
    for (;;) {
      const size = recv(this.#fd, buffer, 'notify socket');
      if (size === null) return this.#heard;
      this.#heard.push(new TextDecoder().decode(buffer.subarray(0, size)));
    }
  }
}
