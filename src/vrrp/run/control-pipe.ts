/** The router process's end of the pipes to its supervisor. Never blocks: a slow supervisor must not delay adverts. */
import { read, setNonBlocking, write } from '../../net/libc.js';
import { type FromRouter, LineCutter, type ToRouter } from './messages.js';

/** Beyond this, log lines are dropped; changes of state never are. */
const MAX_QUEUED = 2000;

export class ControlPipe {
  readonly fd: number;
  readonly #out: number;
  readonly #cutter = new LineCutter();
  readonly #buffer = new Uint8Array(65_536);
  #queue: Uint8Array[] = [];

  /** @param fd to read from. @param out to write to. */
  constructor(fd: number, out: number) {
    this.fd = fd;
    this.#out = out;
    setNonBlocking(fd);
    setNonBlocking(out);
  }

  /** What has come, or null when the supervisor is gone. */
  receive(): ToRouter[] | null {
    const messages: ToRouter[] = [];
    for (;;) {
      const size = read(this.fd, this.#buffer, 'control pipe');
      if (size === null) return messages;
      if (size === 0) return null;
      for (const line of this.#cutter.push(this.#buffer.subarray(0, size))) messages.push(JSON.parse(line));
    }
  }

  send(message: FromRouter): void {
    const expendable = message.say === 'report' && message.report.do === 'log';
    if (expendable && this.#queue.length >= MAX_QUEUED) return;
    this.#queue.push(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
    this.flush();
  }

  /** Writes what fits. */
  flush(): void {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      const written = write(this.#out, first, 'control pipe');
      if (written === null) return;
      if (written === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(written);
    }
  }
}
