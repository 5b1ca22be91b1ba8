/** Accepting client connections so that reading them allocates nothing. */
import { createServer, type OnReadOpts, type Server, Socket, type SocketConstructorOpts } from 'node:net';
import { withWords } from './forward/bytes.js';

/** Receives a client's bytes; the buffer is shared and valid only during the call. */
export interface ClientHandler {
  receive(bytes: Buffer, size: number): void;
}

export interface AcceptOptions {
  readonly tcpKeepalive: boolean;
  /** Called for each connection; null refuses it. */
  accepted(socket: Socket): ClientHandler | null;
}

/** One read buffer for all clients of a process: whatever is kept is copied out of it. */
const READ_BUFFER = withWords(Buffer.allocUnsafeSlow(64 * 1024));

interface WithHandle {
  _handle?: unknown;
}

/**
 * Makes a listener. Node hands out accepted sockets that allocate 64 KiB a read, and offers a caller's own buffer
 * (`onread`) only to sockets it constructs; so the accepted handle is moved into a socket of our own. Should a Node
 * without that handle come, its socket is used as it is, only slower.
 */
export function createListener(options: AcceptOptions): Server {
  return createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (accepted) => {
    const handle = (accepted as WithHandle)._handle;
    if (typeof handle === 'object' && handle !== null) attachHandle(accepted, handle, options);
    else attachSocket(accepted, options);
  });
}

function attachHandle(accepted: Socket, handle: object, options: AcceptOptions): void {
  (accepted as WithHandle)._handle = null;
  accepted.destroy();
  let handler: ClientHandler | null = null;
  const construction: SocketConstructorOpts & { handle: object; manualStart: boolean; onread: OnReadOpts } = {
    handle,
    allowHalfOpen: true,
    manualStart: true,
    onread: {
      buffer: READ_BUFFER,
      callback: (size) => {
        handler?.receive(READ_BUFFER, size);
        return true;
      },
    },
  };
  const socket = new Socket(construction);
  handler = options.accepted(socket);
  start(socket, handler, options);
}

/** Serves a socket that has no handle to read from without allocating, as TLS has none. */
export function attachSocket(socket: Socket, options: AcceptOptions): void {
  const handler = options.accepted(socket);
  socket.on('data', (bytes: Buffer) => handler?.receive(bytes, bytes.length));
  start(socket, handler, options);
}

function start(socket: Socket, handler: ClientHandler | null, options: AcceptOptions): void {
  if (handler === null) {
    socket.destroy();
    return;
  }
  if (options.tcpKeepalive) socket.setKeepAlive(true);
  socket.resume();
}
