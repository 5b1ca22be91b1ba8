import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fold, tableLines } from './table.js';

const columns = [{ title: 'Member' }, { title: 'Lag', align: 'right' }] as const;
const rows = [
  { cells: [{ text: 'a' }, { text: '0 B' }], note: 'it holds the lease, and all is well with it' },
  { cells: [{ text: 'a-longer-one' }, { text: '16.5 MB', paint: (text: string) => `<${text}>` }], note: '' },
];
const plain = { noteTitle: 'Reason', paintTitle: (text: string) => text, paintNote: (text: string) => text };

describe('a table', () => {
  it('is aligned by what is seen, not by its paint', () => {
    expect(tableLines(columns, rows, { ...plain, width: null })).toEqual([
      'Member            Lag  Reason',
      'a                 0 B  it holds the lease, and all is well with it',
      'a-longer-one  <16.5 MB>',
    ]);
  });

  it('folds its notes beside, and sets them below when there is no room', () => {
    expect(tableLines(columns, rows, { ...plain, width: 60 })).toEqual([
      'Member            Lag  Reason',
      'a                 0 B  it holds the lease, and all is well',
      '                       with it',
      'a-longer-one  <16.5 MB>',
    ]);
    expect(tableLines(columns, rows, { ...plain, width: 40 })).toEqual([
      'Member            Lag',
      'a                 0 B',
      '    it holds the lease, and all is well',
      '    with it',
      'a-longer-one  <16.5 MB>',
    ]);
  });

  it('folds without losing a word, and within the width where words allow it', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/)), fc.integer({ min: 12, max: 80 }), (words, width) => {
        const lines = fold(words.join(' '), width);
        expect(lines.join(' ')).toBe(words.join(' '));
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      }),
    );
  });
});
