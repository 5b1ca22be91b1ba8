/** Requests and replies that the proxy itself writes. */

/** A request as an array of bulk strings. */
export function encodeRequest(args: readonly (string | Uint8Array)[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) parts.push(bulk(arg));
  return Buffer.concat(parts);
}

/** A bulk string. */
export function bulk(value: string | Uint8Array): Buffer {
  const body = typeof value === 'string' ? Buffer.from(value) : value;
  return Buffer.concat([Buffer.from(`$${body.length}\r\n`), body, CRLF]);
}

/** Text for people, under RESP3. */
export function verbatim(text: string): Buffer {
  const body = Buffer.from(`txt:${text}`);
  return Buffer.concat([Buffer.from(`=${body.length}\r\n`), body, CRLF]);
}

const CRLF = Buffer.from('\r\n');

/** Arguments `indexes` of a frame as a request with `name` in front, copied. */
export function encodeArguments(
  name: string,
  bytes: Buffer,
  frame: { argStart(i: number): number; argEnd(i: number): number },
  indexes: readonly number[],
): Buffer {
  let size = 32 + name.length;
  for (const i of indexes) size += frame.argEnd(i) - frame.argStart(i) + 16;
  const out = Buffer.allocUnsafe(size);
  let at = out.write(`*${indexes.length + 1}\r\n$${name.length}\r\n${name}\r\n`, 0, 'latin1');
  for (const i of indexes) {
    const start = frame.argStart(i);
    const end = frame.argEnd(i);
    at += out.write(`$${end - start}\r\n`, at, 'latin1');
    at += bytes.copy(out, at, start, end);
    at += out.write('\r\n', at, 'latin1');
  }
  return out.subarray(0, at);
}

export const REPLY_OK = Buffer.from('+OK\r\n');
export const REPLY_PONG = Buffer.from('+PONG\r\n');
export const REPLY_QUEUED = Buffer.from('+QUEUED\r\n');
export const REPLY_NIL = Buffer.from('$-1\r\n');
export const REPLY_NIL_ARRAY = Buffer.from('*-1\r\n');
export const REPLY_NULL_3 = Buffer.from('_\r\n');
export const REPLY_EMPTY_ARRAY = Buffer.from('*0\r\n');
