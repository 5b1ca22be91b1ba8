/** Finds the end and the words of a memcached request (memcached's protocol.txt, ASCII). */
import { CR, LF, NINE, SPACE, ZERO } from './codes.js';
import { COMPLETE, type FrameState, INCOMPLETE, MALFORMED } from './redis-request.js';

/** Words a request may have; a multi-get of more keys is refused. */
const WORDS_MAX = 64 * 1024;
/** A line longer than this is refused. */
const LINE_MAX_BYTES = 1024 * 1024;
export const KEY_MAX_BYTES = 250;
/** memcached itself takes 1 MiB unless told otherwise. */
const DATA_MAX_BYTES = 128 * 1024 * 1024;

const STORAGE = new Set(['set', 'add', 'replace', 'append', 'prepend', 'cas']);

export class MemcachedRequestFrame {
  end = 0;
  /** Of the line alone, without data. */
  line_bytes = 0;
  argc = 0;
  need_bytes = 0;
  problem = '';
  /** The command, in lower case as memcached demands it. */
  name = '';
  /** No reply will come. */
  silent = false;
  /** Start and end of word i at 2 i and 2 i + 1. */
  words = new Int32Array(64);

  wordStart(i: number): number {
    return this.words[2 * i] ?? 0;
  }

  wordEnd(i: number): number {
    return this.words[2 * i + 1] ?? 0;
  }

  /** A word as latin-1 text; at most 32 characters. */
  wordText(bytes: Buffer, i: number): string {
    return bytes.toString('latin1', this.wordStart(i), Math.min(this.wordEnd(i), this.wordStart(i) + 32));
  }

  parse(bytes: Buffer, start: number, end: number): FrameState {
    this.silent = false;
    this.argc = 0;
    const lineFeed = bytes.subarray(start, Math.min(end, start + LINE_MAX_BYTES)).indexOf(LF);
    if (lineFeed === -1) {
      this.need_bytes = end - start + 1;
      return end - start >= LINE_MAX_BYTES ? this.#malformed('line too long') : INCOMPLETE;
    }
    const afterLine = start + lineFeed + 1;
    const lineEnd = lineFeed > 0 && bytes[start + lineFeed - 1] === CR ? afterLine - 2 : afterLine - 1;
    if (!this.#split(bytes, start, lineEnd)) return this.#malformed('line too long');
    this.name =
      this.argc === 0 ? '' : bytes.toString('latin1', this.wordStart(0), Math.min(this.wordEnd(0), start + 32));
    const last = this.argc - 1;
    const size = this.wordEnd(last) - this.wordStart(last);
    const takesNoReply = this.name !== 'get' && this.name !== 'gets';
    this.silent =
      takesNoReply &&
      last > 1 &&
      size === 7 &&
      bytes.toString('latin1', this.wordStart(last), this.wordEnd(last)) === 'noreply';
    this.end = afterLine;
    this.line_bytes = afterLine - start;
    return STORAGE.has(this.name) ? this.#data(bytes, start, afterLine, end) : COMPLETE;
  }

  #data(bytes: Buffer, start: number, afterLine: number, end: number): FrameState {
    const fields = this.name === 'cas' ? 6 : 5;
    if (this.argc < fields) return this.#malformed('bad command line format');
    let size = 0;
    for (let i = this.wordStart(4); i < this.wordEnd(4); i++) {
      const byte = bytes[i] ?? 0;
      if (byte < ZERO || byte > NINE) return this.#malformed('bad data chunk');
      size = size * 10 + byte - ZERO;
    }
    if (size > DATA_MAX_BYTES) return this.#malformed('object too large for the proxy');
    this.end = afterLine + size + 2;
    if (this.end > end) {
      this.need_bytes = this.end - start;
      return INCOMPLETE;
    }
    return bytes[this.end - 2] === CR && bytes[this.end - 1] === LF ? COMPLETE : this.#malformed('bad data chunk');
  }

  #split(bytes: Buffer, start: number, lineEnd: number): boolean {
    let at = start;
    while (at < lineEnd) {
      if (bytes[at] === SPACE) {
        at++;
        continue;
      }
      let wordEnd = at;
      while (wordEnd < lineEnd && bytes[wordEnd] !== SPACE) wordEnd++;
      if (this.argc === WORDS_MAX) return false;
      this.#add(at, wordEnd);
      at = wordEnd;
    }
    return true;
  }

  #add(start: number, end: number): void {
    const i = 2 * this.argc++;
    if (i + 1 >= this.words.length) {
      const larger = new Int32Array(this.words.length * 4);
      larger.set(this.words);
      this.words = larger;
    }
    this.words[i] = start;
    this.words[i + 1] = end;
  }

  #malformed(problem: string): FrameState {
    this.problem = problem;
    return MALFORMED;
  }
}
