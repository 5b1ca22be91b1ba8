/**
 * MULTI … EXEC of one client. The commands are kept until EXEC and then sent in one piece, so that a connection shared
 * with others stays in order and needs no state; only WATCH takes a connection of its own.
 */
import type { ServerLink } from './server-link.js';
import type { Shard } from './shard.js';

/** Bytes of commands that a transaction may have. */
const TRANSACTION_MAX_BYTES = 16 * 1024 * 1024;

export class Transaction {
  /** True from MULTI on; before it, there are only watched keys. */
  open = false;
  /** The shard of all its keys so far. */
  shard: Shard | null = null;
  /** Why EXEC cannot be carried out. */
  broken: string | null = null;
  /** The connection on which keys are watched. */
  watching: ServerLink | null = null;
  readonly #commands: Buffer[] = [];
  #size_bytes = 0;

  get count(): number {
    return this.#commands.length;
  }

  /** Adds a command. @returns why it cannot, or null. */
  add(command: Buffer): string | null {
    this.#size_bytes += command.length;
    if (this.#size_bytes > TRANSACTION_MAX_BYTES) {
      this.#commands.length = 0;
      return `ERR a transaction through the proxy may have ${TRANSACTION_MAX_BYTES} bytes`;
    }
    this.#commands.push(command);
    return null;
  }

  /** All commands, one after the other. */
  get commands(): readonly Buffer[] {
    return this.#commands;
  }

  /** The watching connection is lost, and with it the knowledge whether keys have changed: EXEC must fail. */
  connectionLost(link: ServerLink): void {
    if (this.watching !== link) return;
    this.watching = null;
    this.broken = 'the connection that watched the keys was lost';
  }
}
