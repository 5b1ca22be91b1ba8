/** Statements and blocks. */
import { type Diagnostics, nearestWord } from './diagnostics.js';
import type { Line } from './lines.js';
import { tokenize, type Word } from './tokens.js';
import { BLOCK_WORDS, TOP_BLOCKS } from './words.js';

/** One line's words, and the block that follows them if there is one. */
export interface Statement {
  readonly words: readonly Word[];
  readonly block: readonly Statement[] | null;
}

interface OpenBlock {
  readonly head: readonly Word[];
  readonly body: Statement[];
}

export function parseTree(lines: readonly Line[], diagnostics: Diagnostics): Statement[] {
  const parser = new TreeParser(diagnostics);
  const warned = new Set<string>();
  for (const line of lines) parser.line(tokenize(line, diagnostics, warned));
  return parser.end();
}

class TreeParser {
  readonly #diagnostics: Diagnostics;
  readonly #top: Statement[] = [];
  readonly #open: OpenBlock[] = [];
  /** The head of a block whose `{` has not been seen yet. */
  #waiting: readonly Word[] | null = null;

  constructor(diagnostics: Diagnostics) {
    this.#diagnostics = diagnostics;
  }

  line(words: readonly Word[]): void {
    let rest = [...words];
    if (this.#waiting !== null) this.#resolveWaiting(rest);
    while (rest.length > 0) {
      const at = rest.findIndex(isBrace);
      const head = at === -1 ? rest : rest.slice(0, at);
      const brace = at === -1 ? undefined : rest[at];
      rest = at === -1 ? [] : rest.slice(at + 1);
      if (brace?.text === '{') this.#openBlock(head.length > 0 ? head : this.#takeWaiting(), brace);
      else this.#statement(head, brace !== undefined);
      if (brace?.text === '}') this.#close(brace);
    }
  }

  end(): Statement[] {
    if (this.#waiting !== null) this.#flushWaiting();
    for (const block of this.#open.toReversed()) {
      const [first] = block.head;
      if (first !== undefined)
        this.#diagnostics.error(first.place, `the block of ${title(block.head)} is not closed: a } is missing`);
    }
    while (this.#open.length > 0) this.#pop();
    return this.#top;
  }

  #statement(words: readonly Word[], closes: boolean): void {
    const [first] = words;
    if (first === undefined) return;
    this.#startsNewTop(first);
    if (!closes && wantsBlock(first, this.#open.at(-1)?.head[0]?.text)) this.#waiting = words;
    else this.#body().push({ words, block: null });
  }

  /** A top-level word inside a block: the block's `}` was forgotten. */
  #startsNewTop(first: Word): void {
    if (first.quoted || !TOP_BLOCKS.has(first.text) || this.#open.length === 0) return;
    const inner = this.#open[0]?.head;
    this.#diagnostics.error(
      first.place,
      `a } is missing before ${first.text}: the block of ${title(inner ?? [])} is still open`,
    );
    while (this.#open.length > 0) this.#pop();
  }

  #resolveWaiting(next: readonly Word[]): void {
    const [first] = next;
    if (first === undefined || (first.text === '{' && !first.quoted)) return;
    const head = this.#waiting;
    if (head === null) return;
    const place = head[0]?.place ?? first.place;
    this.#diagnostics.error(place, `${title(head)} has no { behind it: taken as if it stood there`);
    this.#waiting = null;
    this.#open.push({ head, body: [] });
  }

  #takeWaiting(): readonly Word[] {
    const head = this.#waiting ?? [];
    this.#waiting = null;
    return head;
  }

  #flushWaiting(): void {
    const head = this.#takeWaiting();
    this.#body().push({ words: head, block: null });
  }

  #openBlock(head: readonly Word[], brace: Word): void {
    const [first] = head;
    if (first === undefined) {
      this.#diagnostics.error(brace.place, 'a { without a word in front of it');
      this.#open.push({ head: [{ text: '{', quoted: false, place: brace.place }], body: [] });
      return;
    }
    this.#startsNewTop(first);
    this.#open.push({ head, body: [] });
  }

  #close(brace: Word): void {
    if (this.#open.length === 0) {
      this.#diagnostics.error(brace.place, 'a } too many');
      return;
    }
    if (this.#waiting !== null) this.#flushWaiting();
    this.#pop();
  }

  #pop(): void {
    const block = this.#open.pop();
    if (block !== undefined) this.#body().push({ words: block.head, block: block.body });
  }

  #body(): Statement[] {
    return this.#open.at(-1)?.body ?? this.#top;
  }
}

/** The words of a statement's head as they are written, for messages. */
export function title(words: readonly Word[]): string {
  return words.map((w) => w.text).join(' ');
}

/** `; did you mean X?`, or nothing. */
export function suggestion(word: string, known: Iterable<string>): string {
  const near = nearestWord(word, known);
  return near === null ? '' : `; did you mean ${near}?`;
}

function isBrace(word: Word): boolean {
  return !word.quoted && (word.text === '{' || word.text === '}');
}

function wantsBlock(first: Word, outer: string | undefined): boolean {
  return !first.quoted && (BLOCK_WORDS.get(outer ?? '')?.has(first.text) ?? false);
}
