/** Where a Redis is, and how its TLS is to be spoken. */
import net from 'node:net';
import tls from 'node:tls';
import { placeName } from '../base/place.js';

/** A TCP address (a name or an IP) or a unix socket. */
export type Endpoint = { readonly host: string; readonly port: number } | { readonly path: string };

/** TLS as Node takes it; PEM texts or buffers. */
export interface TlsSettings {
  /** Who may have signed the server's certificate; the system's list by default. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[];
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  /** The name that the certificate must bear, and that is sent as SNI; by default the host, if it is a name. */
  readonly servername?: string;
  /** Default true. False accepts any certificate. */
  readonly rejectUnauthorized?: boolean;
  /** False accepts a certificate for another name, as long as `ca` signed it (redis-server's own rule). Default true. */
  readonly checkServername?: boolean;
  readonly ciphers?: string;
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
}

/** For logs: `10.0.0.1:6379`, `[::1]:6379`, or the path. */
export function describeEndpoint(to: Endpoint): string {
  return 'path' in to ? to.path : placeName(to);
}

/** The event that says a socket of `openSocket` is ready for data. */
export function readyEvent(settings: TlsSettings | null): 'connect' | 'secureConnect' {
  return settings === null ? 'connect' : 'secureConnect';
}

/** How a TCP connection is made. */
export interface TcpSettings {
  /** Silence after which the kernel asks whether the peer is still there. */
  readonly keepAlive_ms: number;
  /** The address to connect from; empty for the system's choice. */
  readonly localAddress: string;
}

/** What the kernel has for one connection is read into this and taken from it at once, before any other is read. */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Begins to connect. There are no `data` events, for which each read would be given 64 KiB of its own.
 * @param onBytes what has come in; the bytes are overwritten as soon as it returns
 */
export function openSocket(
  to: Endpoint,
  settings: TlsSettings | null,
  how: TcpSettings,
  onBytes: (bytes: Buffer) => void,
): net.Socket {
  const from = how.localAddress === '' ? {} : { localAddress: how.localAddress };
  const tcp = { keepAlive: true, keepAliveInitialDelay: how.keepAlive_ms, noDelay: true, ...from };
  const onread = {
    buffer: READ_BUFFER,
    callback: (length: number): boolean => {
      onBytes(READ_BUFFER.subarray(0, length));
      return true;
    },
  };
  const where = 'path' in to ? { path: to.path, onread } : { host: to.host, port: to.port, ...tcp, onread };
  return settings === null ? net.connect(where) : tls.connect({ ...where, ...tlsOptions(to, settings) });
}

/** What `tls.connect` is to be given besides the address. */
export function tlsOptions(to: Endpoint, settings: TlsSettings): tls.ConnectionOptions {
  const { ca, checkServername, ...rest } = settings;
  const hostName = 'host' in to && net.isIP(to.host) === 0 ? to.host : undefined;
  const servername = settings.servername ?? hostName;
  return {
    ...rest,
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca] }),
    ...(servername === undefined ? {} : { servername }),
    ...(checkServername === false ? { checkServerIdentity: () => undefined } : {}),
  };
}
