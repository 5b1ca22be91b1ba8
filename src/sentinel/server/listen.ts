/** The sockets that clients connect to. */
import { chmodSync, existsSync, lstatSync, unlinkSync } from 'node:fs';
import net from 'node:net';
import { dirname } from 'node:path';
import tls from 'node:tls';
import { errorText } from '../../base/error-text.js';
import type { BindAddress } from '../../config/server-settings.js';

/** An address that cannot be listened on. The message names it and says why. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
  readonly code = 'ERR_LISTEN';
}

export interface ListenOptions {
  /** 0: no plain listener. */
  readonly port: number;
  readonly bind: readonly BindAddress[];
  readonly backlog: number;
  /** null: no TLS listener. */
  readonly tls: { readonly port: number; readonly options: tls.TlsOptions } | null;
  /** Empty: none. */
  readonly unixsocket: string;
  /** 0: as the umask gives it. */
  readonly unixsocketperm: number;
}

type Accept = (socket: net.Socket) => void;

/**
 * Opens every listener that is asked for, or none.
 * @throws {ListenError} for the first that failed; an address marked optional may be missing on this host
 */
export async function listenAll(options: ListenOptions, accept: Accept): Promise<net.Server[]> {
  const open: net.Server[] = [];
  try {
    if (options.port !== 0) await bindAll(options, options.port, () => plainServer(accept), open);
    const secure = options.tls;
    if (secure !== null) await bindAll(options, secure.port, () => tlsServer(secure.options, accept), open);
    if (options.unixsocket !== '') open.push(await listenOnPath(options, plainServer(accept)));
    return open;
  } catch (error) {
    for (const server of open) server.close();
    throw error;
  }
}

function plainServer(accept: Accept): net.Server {
  return net.createServer({ allowHalfOpen: true, noDelay: true }, accept);
}

function tlsServer(options: tls.TlsOptions, accept: Accept): net.Server {
  const server = tls.createServer({ ...options, allowHalfOpen: true, noDelay: true }, (socket) => {
    // `tls-auth-clients optional`: no certificate is well, a wrong one is not.
    const isWrong =
      options.requestCert === true && !socket.authorized && Object.keys(socket.getPeerCertificate()).length > 0;
    if (isWrong) socket.destroy();
    else accept(socket);
  });
  // A client that fails the handshake is told so by TLS itself.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

async function bindAll(
  { bind, backlog }: ListenOptions,
  port: number,
  create: () => net.Server,
  open: net.Server[],
): Promise<void> {
  let bound = 0;
  for (const { host, optional } of bind) {
    const server = create();
    try {
      await listen(server, { ...hostOptions(host), port, backlog });
    } catch (error) {
      if (optional && isMissing(error)) continue;
      throw new ListenError(`cannot listen on ${host} port ${port}: ${explain(error)}`);
    }
    open.push(server);
    bound += 1;
  }
  if (bound === 0) throw new ListenError(`cannot listen on port ${port}: no address to bind is on this host`);
}

/** `*` is every IPv4 address, `::*` every IPv6 one. */
function hostOptions(host: string): { host: string; ipv6Only?: boolean } {
  if (host === '*') return { host: '0.0.0.0' };
  if (host === '::*') return { host: '::', ipv6Only: true };
  return net.isIPv6(host) ? { host, ipv6Only: true } : { host };
}

async function listenOnPath(options: ListenOptions, server: net.Server): Promise<net.Server> {
  const { unixsocket: path, unixsocketperm } = options;
  try {
    // Left behind by a process that was killed.
    if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true) unlinkSync(path);
    await listen(server, { path, backlog: options.backlog });
    if (unixsocketperm !== 0) chmodSync(path, unixsocketperm);
    return server;
  } catch (error) {
    // The system's own answer to a missing directory is "permission denied".
    const why = existsSync(dirname(path)) ? explain(error) : 'there is no such directory';
    throw new ListenError(`cannot listen on the unix socket ${path}: ${why}`);
  }
}

function listen(server: net.Server, options: net.ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      // Accepting may fail for a moment, e.g. without free file descriptors; what is connected goes on.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function isMissing(error: unknown): boolean {
  return ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ENOTFOUND'].includes(codeOf(error));
}

function explain(error: unknown): string {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return 'the address is already in use';
    case 'EACCES':
      return 'permission denied';
    case 'EADDRNOTAVAIL':
      return 'the address is not on this host';
    default:
      return errorText(error);
  }
}
