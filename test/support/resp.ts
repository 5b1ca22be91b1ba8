/**
 * The smallest client that can talk to a Redis under test: one connection, one command, one reply. It is deliberately
 * not the codec of src/redis, so that a fault there cannot hide itself.
 */
import { connect } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';

/** A RESP2 reply. An error inside an array is a value; an error as the whole reply is thrown. */
export type RespValue = string | number | null | RespError | RespValue[];

/** The server's `-…` answer. */
export class RespError extends Error {
  override readonly name = 'RespError';
}

/** Where and how long to ask. */
export type RequestOptions = (
  | { readonly port: number; readonly host?: string }
  /** A Unix socket. */
  | { readonly path: string }
) & {
  /** Told with AUTH first. */
  readonly password?: string;
  /** Told with it; the default user's name is left out. */
  readonly user?: string;
  /** Spoken by TLS. */
  readonly tls?: ConnectionOptions;
  /** From connecting to the whole reply. */
  readonly deadline_ms?: number;
};

/**
 * Sends one command over a connection of its own.
 * @throws {RespError} the server's error reply; {Error} refused, reset, or no whole reply before the deadline.
 */
export function request(options: RequestOptions, ...args: readonly (string | number)[]): Promise<RespValue> {
  const { deadline_ms = 5_000, password, user, tls } = options;
  const to = 'path' in options ? { path: options.path } : { port: options.port, host: options.host ?? '127.0.0.1' };
  return new Promise((resolve, reject) => {
    const socket = tls === undefined ? connect(to) : connectTls({ ...to, ...tls });
    let received = Buffer.alloc(0);
    let repliesBefore = password === undefined ? 0 : 1;
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const where = `${args[0]} to ${'path' in to ? to.path : `${to.host}:${to.port}`}`;
    const timer = setTimeout(
      () => finish(() => reject(new Error(`no reply to ${where} in ${deadline_ms} ms`))),
      deadline_ms,
    );
    socket.on('error', (error) => finish(() => reject(error)));
    socket.on('close', () => finish(() => reject(new Error(`connection closed before the reply to ${where}`))));
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      let parsed = parse(received, 0);
      for (; parsed !== null && repliesBefore > 0; repliesBefore--) {
        received = received.subarray(parsed.end);
        parsed = parse(received, 0);
      }
      if (parsed === null) return;
      finish(() => (parsed.value instanceof RespError ? reject(parsed.value) : resolve(parsed.value)));
    });
    if (password !== undefined)
      socket.write(encode(user === undefined ? ['AUTH', password] : ['AUTH', user, password]));
    socket.write(encode(args));
  });
}

/** A command as an array of bulk strings. */
export function encode(args: readonly (string | number)[]): string {
  const parts = args.map((arg) => `$${Buffer.byteLength(String(arg))}\r\n${arg}\r\n`);
  return `*${args.length}\r\n${parts.join('')}`;
}

interface Parsed {
  readonly value: RespValue;
  readonly end: number;
}

/** null while the value is incomplete. */
function parse(bytes: Buffer, start: number): Parsed | null {
  const lineEnd = bytes.indexOf('\r\n', start);
  if (lineEnd === -1) return null;
  const text = bytes.toString('utf8', start + 1, lineEnd);
  const end = lineEnd + 2;
  const kind = String.fromCharCode(bytes[start] ?? 0);
  switch (kind) {
    case '+':
      return { value: text, end };
    case '-':
      return { value: new RespError(text), end };
    case ':':
      return { value: Number(text), end };
    case '$':
      return parseBulk(bytes, end, Number(text));
    case '*':
      return parseArray(bytes, end, Number(text));
    default:
      throw new Error(`not RESP2: ${JSON.stringify(kind + text)}`);
  }
}

function parseBulk(bytes: Buffer, start: number, length: number): Parsed | null {
  if (length === -1) return { value: null, end: start };
  const end = start + length + 2;
  return bytes.length < end ? null : { value: bytes.toString('utf8', start, start + length), end };
}

function parseArray(bytes: Buffer, start: number, length: number): Parsed | null {
  if (length === -1) return { value: null, end: start };
  const value: RespValue[] = [];
  let end = start;
  for (let i = 0; i < length; i++) {
    const item = parse(bytes, end);
    if (item === null) return null;
    value.push(item.value);
    end = item.end;
  }
  return { value, end };
}
