/** The socket of a connection to a server, plain or TLS, read without an allocation. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { SocketAddress, TlsConfig } from '../../config/nutcracker-types.js';
import { tlsOptions } from '../../redis/endpoint.js';
import { tlsSettings } from '../tls-settings.js';

const READ_BYTES = 64 * 1024;

/** Begins to connect. @param received bytes of a buffer that is used again as soon as it returns. */
export function openServerSocket(
  address: SocketAddress,
  tls: TlsConfig | null,
  received: (bytes: Buffer, size: number) => void,
): Socket {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const onread = {
    buffer,
    callback: (size: number): boolean => {
      received(buffer, size);
      return true;
    },
  };
  const where: NetConnectOpts =
    address.kind === 'unix' ? { path: address.path, onread } : { host: address.host, port: address.port, onread };
  const socket = tls === null ? connect(where) : connectTls({ ...where, ...tlsOptions(address, tlsSettings(tls)) });
  socket.setNoDelay(true);
  return socket;
}
