/** TLS with clients: from an accepted connection to one that has shown what it must. */
import { createServer as createNetServer, type Server, type Socket } from 'node:net';
import { createServer, type Server as TlsServer } from 'node:tls';
import type { ClientTls } from '../config/nutcracker-types.js';
import { type AcceptOptions, attachSocket } from './accept.js';

/** How long a client may take for its handshake, and how many may be at it. */
const HANDSHAKE_MS = 10_000;
const HANDSHAKES_MAX = 1024;

export class SecureDoor {
  readonly #options: AcceptOptions;
  readonly #refused: (why: string) => void;
  #server: TlsServer;
  #handshakes = 0;

  /** @param refused told why a client was not let in. */
  constructor(tls: ClientTls, options: AcceptOptions, refused: (why: string) => void) {
    this.#options = options;
    this.#refused = refused;
    this.#server = this.#newServer(tls);
  }

  /** Handshakes that begin from now on are held with these certificates. */
  renew(tls: ClientTls): void {
    this.#server = this.#newServer(tls);
  }

  /** The socket to listen with. */
  createListener(): Server {
    return createNetServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (raw) => this.#take(raw));
  }

  #take(raw: Socket): void {
    if (this.#handshakes >= HANDSHAKES_MAX) {
      this.#refused(`${HANDSHAKES_MAX} clients are at their TLS handshakes`);
      raw.destroy();
      return;
    }
    this.#handshakes++;
    this.#server.emit('connection', raw);
  }

  /** It does not listen itself: it is given connections, so that another may take its place at any time. */
  #newServer({ cert, key, ca, authClients }: ClientTls): TlsServer {
    const server = createServer({
      cert,
      key,
      ...(ca === null ? {} : { ca }),
      requestCert: authClients !== 'no',
      rejectUnauthorized: authClients === 'yes',
      handshakeTimeout: HANDSHAKE_MS,
    });
    server.on('secureConnection', (socket) => {
      this.#handshakes--;
      const isWrong =
        authClients === 'optional' && !socket.authorized && Object.keys(socket.getPeerCertificate()).length > 0;
      if (!isWrong) {
        attachSocket(socket, this.#options);
        return;
      }
      this.#refused(`a client's certificate is not good: ${String(socket.authorizationError)}`);
      socket.destroy();
    });
    server.on('tlsClientError', (error, socket) => {
      this.#handshakes--;
      this.#refused(`TLS handshake: ${error.message}`);
      socket.destroy();
    });
    return server;
  }
}
