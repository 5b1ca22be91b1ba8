import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type Entry, type Flow, flow, map, printEntries } from './plan.js';

/** What the printed text is to be read as. */
function plain(entries: readonly Entry[]): Record<string, unknown> {
  return Object.fromEntries(
    entries.map(({ key, value }) => {
      if (value.kind === 'flow') return [key, value.flow];
      return [key, value.kind === 'map' ? plain(value.entries) : value.items.map((item) => item.flow)];
    }),
  );
}

describe('a printed plan', () => {
  it('has a comment behind what it is about', () => {
    const entries = [
      map('hosts', [flow('a', '10.0.0.1', 'x.conf:3'), flow('b', { address: '10.0.0.2', witness: true })], 'all'),
      { key: 'list', value: { kind: 'list' as const, items: [{ flow: ['a b', 1], comment: 'c' }] }, comment: '' },
      map('none', []),
    ];
    expect(printEntries(entries)).toBe(
      'hosts:  # all\n  a: 10.0.0.1  # x.conf:3\n  b: {address: 10.0.0.2, witness: true}\nlist:\n  - ["a b", 1]  # c\nnone: {}\n',
    );
  });

  it('is read as what was put in, whatever the words and comments', () => {
    const word = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 20 }),
      fc.string({ unit: 'binary', maxLength: 8 }),
      fc.constantFrom(
        '1',
        '0123',
        'true',
        'null',
        '~',
        'off',
        '1e3',
        '0x1f',
        '-',
        '- a',
        'a: b',
        'a #b',
        '#',
        "'",
        '"',
        '&a',
        '*a',
        '!a',
        '%',
        '@',
        '`',
        '[',
        '{',
        '|',
        '>',
        '<<',
        '...',
        '---',
        ':',
        'a:',
        ' a',
        'a ',
        '.5',
        '1:2',
        'a\nb',
        '\t',
        '\u2028',
        '\ufeff',
      ),
    );
    const key = word.filter((text) => text !== '__proto__');
    const scalar = fc.oneof(word, fc.integer(), fc.boolean());
    const flowValue = fc.letrec<{ any: Flow }>((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        scalar,
        fc.array(tie('any'), { maxLength: 3 }),
        fc.dictionary(key, tie('any'), { maxKeys: 3 }),
      ),
    })).any;
    const entry = fc.letrec<{ entry: Entry }>((tie) => ({
      entry: fc.record({
        key,
        comment: word,
        value: fc.oneof(
          { maxDepth: 3 },
          flowValue.map((value) => ({ kind: 'flow' as const, flow: value })),
          fc
            .array(fc.record({ flow: flowValue, comment: word }), { maxLength: 3 })
            .map((items) => ({ kind: 'list' as const, items })),
          fc
            .uniqueArray(tie('entry'), { maxLength: 3, selector: (each) => each.key })
            .map((entries) => ({ kind: 'map' as const, entries })),
        ),
      }),
    })).entry;
    fc.assert(
      fc.property(fc.uniqueArray(entry, { maxLength: 4, selector: (each) => each.key }), (entries) => {
        // An empty text is no map.
        if (entries.length > 0) expect(parse(printEntries(entries))).toEqual(plain(entries));
      }),
      { numRuns: 1_000 },
    );
  });
});
