/** Requests and replies to bytes. The counterpart of `decoder.ts` and `request-decoder.ts`. */
import { unreachable } from '../base/assert.js';
import { fitsInt64, formatDouble } from './numbers.js';
import { ErrorReply, MapReply, NullArray, PushReply, type Reply, SetReply, SimpleString } from './reply.js';

/** The version of RESP that a client speaks: 2 until it has sent HELLO 3. */
export type RespVersion = 2 | 3;

/** A command and its arguments as an array of bulk strings, the form every server takes. Strings go out as UTF-8. */
export function encodeRequest(args: readonly (string | Uint8Array)[]): Buffer {
  const writer = new Writer();
  writer.text(`*${args.length}\r\n`);
  for (const arg of args) writer.bulk(arg);
  return writer.finish();
}

/**
 * A reply. For RESP2 it is downgraded as Redis does: a map becomes a flat array, a set or a push an array, a boolean
 * `:1` or `:0`, a double or a big number a bulk string. CR and LF in an error or a simple string become spaces, since
 * they would end its line.
 */
export function encodeReply(reply: Reply, protocol: RespVersion): Buffer {
  const writer = new Writer();
  writeReply(writer, reply, protocol);
  return writer.finish();
}

function writeReply(to: Writer, reply: Reply, protocol: RespVersion): void {
  switch (typeof reply) {
    case 'string':
      to.bulk(reply);
      break;
    case 'number':
      writeNumber(to, reply, protocol);
      break;
    case 'bigint':
      writeBigint(to, reply, protocol);
      break;
    case 'boolean':
      to.text(protocol === 3 ? `#${reply ? 't' : 'f'}\r\n` : `:${reply ? 1 : 0}\r\n`);
      break;
    case 'object':
      writeObject(to, reply, protocol);
      break;
    default:
      unreachable(reply, 'encodeReply');
  }
}

function writeObject(to: Writer, reply: Extract<Reply, object> | null, protocol: RespVersion): void {
  if (reply === null) to.text(protocol === 3 ? '_\r\n' : '$-1\r\n');
  else if (reply instanceof NullArray) to.text(protocol === 3 ? '_\r\n' : '*-1\r\n');
  else if (reply instanceof Uint8Array) to.bulk(reply);
  else if (reply instanceof SimpleString) to.text(`+${oneLine(reply.text)}\r\n`);
  else if (reply instanceof ErrorReply) to.text(`-${oneLine(reply.message)}\r\n`);
  else if (reply instanceof SetReply) writeItems(to, protocol === 3 ? '~' : '*', reply.items, protocol);
  else if (reply instanceof PushReply) writeItems(to, protocol === 3 ? '>' : '*', reply.items, protocol);
  else if (reply instanceof MapReply) writeMap(to, reply, protocol);
  else if (isList(reply)) writeItems(to, '*', reply, protocol);
  else unreachable(reply, 'encodeReply');
}

function isList(reply: Reply): reply is readonly Reply[] {
  return Array.isArray(reply);
}

function writeNumber(to: Writer, value: number, protocol: RespVersion): void {
  if (Number.isSafeInteger(value)) to.text(`:${value}\r\n`);
  else if (protocol === 3) to.text(`,${formatDouble(value)}\r\n`);
  else to.bulk(formatDouble(value));
}

function writeBigint(to: Writer, value: bigint, protocol: RespVersion): void {
  if (fitsInt64(value)) to.text(`:${value}\r\n`);
  else if (protocol === 3) to.text(`(${value}\r\n`);
  else to.bulk(String(value));
}

function writeItems(to: Writer, mark: '*' | '~' | '>', items: readonly Reply[], protocol: RespVersion): void {
  to.text(`${mark}${items.length}\r\n`);
  for (const item of items) writeReply(to, item, protocol);
}

function writeMap(to: Writer, map: MapReply, protocol: RespVersion): void {
  to.text(protocol === 3 ? `%${map.entries.length}\r\n` : `*${map.entries.length * 2}\r\n`);
  for (const [key, value] of map.entries) {
    writeReply(to, key, protocol);
    writeReply(to, value, protocol);
  }
}

function oneLine(text: string): string {
  return /[\r\n]/.test(text) ? text.replace(/[\r\n]/g, ' ') : text;
}

/** Collects text and bytes; text that stands together becomes one buffer. */
class Writer {
  readonly #parts: Uint8Array[] = [];
  #text = '';

  text(text: string): void {
    this.#text += text;
  }

  bulk(value: string | Uint8Array): void {
    if (typeof value === 'string') {
      this.#text += `$${Buffer.byteLength(value)}\r\n${value}\r\n`;
      return;
    }
    this.#text += `$${value.length}\r\n`;
    this.#flush();
    this.#parts.push(value);
    this.#text = '\r\n';
  }

  finish(): Buffer {
    if (this.#parts.length === 0) return Buffer.from(this.#text);
    this.#flush();
    return Buffer.concat(this.#parts);
  }

  #flush(): void {
    if (this.#text === '') return;
    this.#parts.push(Buffer.from(this.#text));
    this.#text = '';
  }
}
