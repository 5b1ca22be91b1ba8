/**
 * Directives that only Tanist has. The real redis-sentinel refuses a file with an option that it does not know, so they
 * are written as comments, which it keeps: `# tanist: sentinel fast-down mymaster yes`. Reading takes the comment and
 * the plain line alike.
 */
import type { ConfLine, DirectiveLine } from './conf-lines.js';
import { quoteWord, splitWords } from './conf-words.js';

/** Option names of `sentinel` that are ours. */
export const OWN_OPTIONS: ReadonlySet<string> = new Set([
  'fast-down',
  'voted-leader',
  'lease-ttl',
  'ack-replicas',
  'paused',
  'candidate-lag-max',
]);

const PREFIX = /^\s*#\s*tanist:\s*(?=sentinel\s)/;

/**
 * The directive that a comment holds, its columns those of the comment's line; null for any other comment, that is for
 * one that names no option of ours.
 */
export function ownDirective(line: Extract<ConfLine, { kind: 'comment' }>): DirectiveLine | null {
  const prefix = PREFIX.exec(line.text)?.[0];
  if (prefix === undefined) return null;
  // Spaces in place of the prefix keep every column right.
  const { words, fault } = splitWords(' '.repeat(prefix.length) + line.text.slice(prefix.length));
  const option = words[1]?.text.toLowerCase() ?? '';
  if (!OWN_OPTIONS.has(option)) return null;
  return { kind: 'directive', number: line.number, text: line.text, ending: line.ending, words, fault };
}

/** One of our directives in the form in which it is written. */
export function ownLine(words: readonly string[], asciiOnly: boolean): string {
  return `# tanist: ${words.map((word) => quoteWord(word, asciiOnly)).join(' ')}`;
}
