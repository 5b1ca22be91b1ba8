/** What is said on a new connection before anything else, and what its answers mean. Pure: no sockets. */
import type { CloseReason } from './close-reason.js';
import type { RespVersion } from './encoder.js';
import { ErrorReply, type Reply } from './reply.js';

/** Who we say we are. An empty `user` is the old AUTH with a password alone. */
export interface Credentials {
  readonly user: string;
  readonly pass: string;
}

export interface HandshakeOptions {
  readonly auth: Credentials | null;
  /** 3 asks for RESP3 and settles for RESP2 where the server does not know it. */
  readonly protocol: RespVersion;
  /** SELECT; 0 is not asked for. */
  readonly database: number;
  /** CLIENT SETNAME; empty for none. */
  readonly name: string;
}

/** What an answer means. A `note` is for the log. */
export type HandshakeVerdict =
  | { readonly kind: 'go on'; readonly note: string | null }
  | { readonly kind: 'close'; readonly why: CloseReason; readonly detail: string };

type Step = 'AUTH' | 'HELLO' | 'SELECT' | 'CLIENT SETNAME';

const GO_ON: HandshakeVerdict = { kind: 'go on', note: null };

/** One connection's handshake: all its requests are sent at once, then its answers are taken in order. */
export class Handshake {
  readonly requests: readonly (readonly string[])[];
  readonly #steps: Step[] = [];
  #protocol: RespVersion = 2;

  constructor(options: HandshakeOptions) {
    const requests: string[][] = [];
    const ask = (step: Step, ...args: string[]): void => {
      this.#steps.push(step);
      requests.push(args);
    };
    const { auth } = options;
    if (auth !== null) ask('AUTH', 'AUTH', ...(auth.user === '' ? [] : [auth.user]), auth.pass);
    if (options.protocol === 3) ask('HELLO', 'HELLO', '3');
    if (options.database !== 0) ask('SELECT', 'SELECT', String(options.database));
    if (options.name !== '') ask('CLIENT SETNAME', 'CLIENT', 'SETNAME', options.name);
    this.requests = requests;
  }

  /** True when every answer has come. */
  get done(): boolean {
    return this.#steps.length === 0;
  }

  /** What the connection speaks, as far as is known. */
  get protocol(): RespVersion {
    return this.#protocol;
  }

  /** Takes the next answer. */
  received(reply: Reply): HandshakeVerdict {
    const step = this.#steps.shift();
    if (step === undefined) return { kind: 'close', why: 'protocol', detail: 'an answer too many in the handshake' };
    if (!(reply instanceof ErrorReply)) {
      if (step === 'HELLO') this.#protocol = 3;
      return GO_ON;
    }
    if (turnsAway(reply)) return { kind: 'close', why: 'ended', detail: reply.message };
    switch (step) {
      case 'AUTH':
        if (hasNoPassword(reply)) return { kind: 'go on', note: `AUTH was not needed: ${reply.message}` };
        return { kind: 'close', why: 'auth', detail: reply.message };
      case 'SELECT':
        // In the wrong database every later command would do harm.
        return { kind: 'close', why: isAuthError(reply) ? 'auth' : 'protocol', detail: `SELECT: ${reply.message}` };
      case 'HELLO':
      case 'CLIENT SETNAME':
        return { kind: 'go on', note: `${step}: ${reply.message}` };
    }
  }
}

/** The server closes right after this, whatever was asked: it has too many clients, or takes none from outside. */
export function turnsAway(reply: ErrorReply): boolean {
  return reply.code === 'DENIED' || reply.message.startsWith('ERR max number of clients');
}

/** Before Redis 6: `ERR Client sent AUTH, but no password is set`; since: `ERR AUTH <password> called without any …`. */
function hasNoPassword(reply: ErrorReply): boolean {
  return /but no password is set|without any password configured/.test(reply.message);
}

/** For want of a login, by a wrong one, or by one that may not do this. */
export function isAuthError(reply: ErrorReply): boolean {
  return reply.code === 'NOAUTH' || reply.code === 'WRONGPASS' || reply.code === 'NOPERM';
}
