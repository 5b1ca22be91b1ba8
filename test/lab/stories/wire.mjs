/** As much of RESP2 as the plain client and the watcher need; nothing of src/redis, so that a fault there cannot hide. */

/** @typedef {string | number | null | Failure | Reply[]} Reply */

/** An error reply. */
export class Failure {
  /** @param {string} message without the leading `-` */
  constructor(message) {
    this.message = message;
  }
}

/** @param {readonly (string | number)[]} words */
export function encode(words) {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(`${word}`)}\r\n${word}\r\n`).join('')}`;
}

/** Takes bytes as they come and gives replies. Text is ASCII, which every reply here is. */
export class Replies {
  #text = '';

  /** @param {Buffer} bytes @returns {Reply[]} @throws {Error} when it is not RESP2 */
  push(bytes) {
    this.#text += bytes.toString('latin1');
    const replies = [];
    let at = 0;
    for (;;) {
      const read = readReply(this.#text, at);
      if (read === null) break;
      replies.push(read.reply);
      at = read.end;
    }
    this.#text = this.#text.slice(at);
    return replies;
  }
}

/**
 * @param {string} text
 * @param {number} start
 * @returns {{ reply: Reply, end: number } | null} null while it is incomplete
 */
function readReply(text, start) {
  const eol = text.indexOf('\r\n', start);
  if (eol === -1) return null;
  const line = text.slice(start + 1, eol);
  const end = eol + 2;
  switch (text[start]) {
    case '+':
      return { reply: line, end };
    case '-':
      return { reply: new Failure(line), end };
    case ':':
      return { reply: Number(line), end };
    case '$': {
      const length = Number(line);
      if (length < 0) return { reply: null, end };
      return text.length < end + length + 2 ? null : { reply: text.slice(end, end + length), end: end + length + 2 };
    }
    case '*':
      return readArray(text, end, Number(line));
    default:
      throw new Error(`not RESP2: ${JSON.stringify(text.slice(start, eol))}`);
  }
}

/**
 * @param {string} text
 * @param {number} start
 * @param {number} length
 * @returns {{ reply: Reply, end: number } | null}
 */
function readArray(text, start, length) {
  if (length < 0) return { reply: null, end: start };
  /** @type {Reply[]} */
  const items = [];
  let end = start;
  for (let i = 0; i < length; i++) {
    const item = readReply(text, end);
    if (item === null) return null;
    items.push(item.reply);
    end = item.end;
  }
  return { reply: items, end };
}
