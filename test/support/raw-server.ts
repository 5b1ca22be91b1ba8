import { createServer, type Server, type Socket } from 'node:net';
import type { Cleanup } from './cleanup.js';

/** A TCP server on loopback that does whatever a test wants of a bad Redis. */
export interface RawServer {
  readonly port: number;
  /** Open connections, oldest first. */
  readonly sockets: readonly Socket[];
  /** Everything received so far, on all connections. */
  received(): string;
  /** Stops listening and resets every connection. */
  stop(): Promise<void>;
}

/** Starts one on a free port, or on the given. `greet` is called for each connection. */
export async function startRawServer(
  cleanup: Cleanup,
  greet: (socket: Socket, received: (on: (text: string) => void) => void) => void,
  port = 0,
): Promise<RawServer> {
  const sockets: Socket[] = [];
  let text = '';
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => sockets.splice(sockets.indexOf(socket), 1));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    greet(socket, (on) => socket.on('data', (chunk) => on(chunk.toString('latin1'))));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  let stopped: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    stopped ??= close(server, sockets);
    return stopped;
  };
  cleanup.add(stop);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no TCP address');
  return { port: address.port, sockets, received: () => text, stop };
}

function close(server: Server, sockets: readonly Socket[]): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of [...sockets]) socket.resetAndDestroy();
  });
}
