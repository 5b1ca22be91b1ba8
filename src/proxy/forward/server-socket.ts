/** The socket of a connection to a server, plain or TLS, read without an allocation. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { SocketAddress, TlsConfig } from '../../config/nutcracker-types.js';
import { tlsOptions } from '../../redis/endpoint.js';
import { tlsSettings } from '../tls-settings.js';
import { withWords } from './bytes.js';
import { describeError } from './describe-error.js';

const READ_BYTES = 64 * 1024;

export interface ServerSocketEvents {
  /** Bytes of a buffer that is used again as soon as it returns. */
  received(bytes: Buffer, size: number): void;
  /** It is connected and, if so wanted, secured. */
  connected(): void;
  /** Told at least once when it ends or fails, perhaps again. */
  lost(why: string, kind: 'eof' | 'error'): void;
}

/** Begins to connect; events come later. */
export function openServerSocket(
  address: SocketAddress,
  tls: TlsConfig | null,
  tcpKeepalive: boolean,
  events: ServerSocketEvents,
): Socket {
  const buffer = withWords(Buffer.allocUnsafeSlow(READ_BYTES));
  const onread = {
    buffer,
    callback: (size: number): boolean => {
      events.received(buffer, size);
      return true;
    },
  };
  const where: NetConnectOpts =
    address.kind === 'unix' ? { path: address.path, onread } : { host: address.host, port: address.port, onread };
  const socket = tls === null ? connect(where) : connectTls({ ...where, ...tlsOptions(address, tlsSettings(tls)) });
  socket.setNoDelay(true);
  if (tcpKeepalive) socket.setKeepAlive(true);
  socket.once(tls === null ? 'connect' : 'secureConnect', () => events.connected());
  socket.once('end', () => events.lost('Connection reset by peer', 'eof'));
  socket.on('error', (error) => events.lost(describeError(error), 'error'));
  socket.once('close', () => events.lost('Connection reset by peer', 'error'));
  return socket;
}
