/** A Sentinel that knows one master, and says what a test wants it to say. */

import type { Cleanup } from './cleanup.js';
import { naiveDecode } from './naive-resp.js';
import { startRawServer } from './raw-server.js';

export interface SaidMaster {
  readonly port: number;
  readonly epoch: number;
}

export interface SentinelThatSays {
  readonly port: number;
  /** Null for silence. */
  says: SaidMaster | null;
}

export async function startSentinelThatSays(cleanup: Cleanup, says: SaidMaster | null): Promise<SentinelThatSays> {
  const said = { says };
  const answer = (words: readonly string[]): string | null => {
    const [command = '', ...args] = words;
    if (command.toUpperCase() === 'SUBSCRIBE') return flat(['subscribe', args[0] ?? '', null]);
    if (command.toUpperCase() !== 'SENTINEL') return '+OK\r\n';
    if (said.says === null) return null;
    const { port, epoch } = said.says;
    return flat(['name', args[1] ?? '', 'ip', '127.0.0.1', 'port', String(port), 'config-epoch', String(epoch)]);
  };
  const server = await startRawServer(cleanup, (socket, received) => {
    received((text) => {
      for (const words of naiveDecode(Buffer.from(text, 'latin1')).values) {
        const reply = Array.isArray(words) ? answer(words.map(String)) : null;
        if (reply !== null) socket.write(reply);
      }
    });
  });
  return Object.assign(said, { port: server.port });
}

/** An array of bulk strings; null stands for the number 1. */
function flat(items: readonly (string | null)[]): string {
  const parts = items.map((item) => (item === null ? ':1\r\n' : `$${Buffer.byteLength(item)}\r\n${item}\r\n`));
  return `*${items.length}\r\n${parts.join('')}`;
}
