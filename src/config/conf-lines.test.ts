import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConf, parseConfBytes, printConf, printConfBytes } from './conf-lines.js';
import { quoteWord, splitWords } from './conf-words.js';

const texts = (line: string): string[] => splitWords(line).words.map((word) => word.text);

describe('splitWords', () => {
  it('splits at ASCII white space only', () => {
    expect(texts(' port\t6379 \v x\f')).toEqual(['port', '6379', 'x']);
    expect(texts('a\u00a0b')).toEqual(['a\u00a0b']);
  });

  it('resolves the escapes of double and single quotes', () => {
    expect(texts(String.raw`"\n\r\t\b\a\"\\\q\x41" 'it\'s \n' a"b c"`)).toEqual([
      '\n\r\t\b\x07"\\qA',
      String.raw`it's \n`,
      'ab c',
    ]);
    expect(texts(String.raw`"\xe4\xbd\xa0"`)).toEqual(['你']);
    expect(texts(`"" ''`)).toEqual(['', '']);
  });

  it('gives columns that point at words', () => {
    const { words } = splitWords('  sentinel  "a b"  c');
    expect(words.map((w) => [w.column, w.endColumn])).toEqual([
      [3, 11],
      [13, 18],
      [20, 21],
    ]);
  });

  it.each([
    ['port "63', 'unbalanced quotes', 6],
    ["port '63", 'unbalanced quotes', 6],
    ['port ab"', 'unbalanced quotes', 8],
    [String.raw`port "a\"`, 'unbalanced quotes', 6],
    ['port "a"b', 'text after a closing quote', 9],
    [String.raw`port "\xff"`, 'escaped bytes are not UTF-8', 7],
    ['port a\0b', 'NUL character', 7],
  ])('finds the fault in %j', (line, what, column) => {
    expect(splitWords(line)).toMatchObject({ words: [{ text: 'port' }], fault: { what, column } });
  });

  it('reads back whatever quoteWord writes', () => {
    const word = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(fc.array(word), fc.boolean(), (words, asciiOnly) => {
        const line = words.map((w) => quoteWord(w, asciiOnly)).join(' ');
        expect(texts(line)).toEqual(words);
        expect(line).not.toMatch(/\n/);
        if (asciiOnly) expect(line).toMatch(/^[\x20-\x7e]*$/);
      }),
    );
  });
});

describe('parseConf', () => {
  it('keeps every character of any text', () => {
    const piece = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\n', '\r\n', '#', ' ', '"', 'port 1'));
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        expect(printConf(parseConf(text, 'f'))).toBe(text);
      }),
    );
  });

  it('keeps every byte of any file, UTF-8 or not', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(printConfBytes(parseConfBytes(bytes, 'f'))).toEqual(bytes);
      }),
    );
  });

  it('tells blank lines, comments and directives apart', () => {
    const { lines } = parseConf('# a\n\n \t\n  # b\r\nport 1', 'f');
    expect(lines.map((line) => line.kind)).toEqual(['comment', 'blank', 'blank', 'comment', 'directive']);
    expect(lines.map((line) => line.number)).toEqual([1, 2, 3, 4, 5]);
    expect(lines[3]?.ending).toBe('\r\n');
  });
});
