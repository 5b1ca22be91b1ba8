import { describe, expect, it } from 'vitest';
import { type Position, relate } from './history.js';

const R = 'r'.repeat(40);
const N = 'n'.repeat(40);
const NONE = '0'.repeat(40);

function at(replId: string, offset: number, replId2 = NONE, secondOffset = -1): Position {
  return { replId, offset, replId2, secondOffset };
}

describe('relate', () => {
  it.each([
    ['behind', at(R, 10), at(R, 11)],
    ['same', at(R, 10), at(R, 10)],
    ['ahead', at(R, 11), at(R, 10)],
    // The other was promoted at offset 10: its own writes begin at 11.
    ['same', at(R, 10), at(N, 10, R, 11)],
    ['behind', at(R, 9), at(N, 10, R, 11)],
    ['behind', at(R, 10), at(N, 12, R, 11)],
    ['forked-off', at(R, 11), at(N, 50, R, 11)],
    ['same', at(N, 10, R, 11), at(R, 10)],
    ['ahead', at(N, 11, R, 11), at(R, 10)],
    ['forked-from', at(N, 50, R, 11), at(R, 11)],
    ['unrelated', at(R, 10), at(N, 10)],
    // Zeros and nothing are no history.
    ['unrelated', at(NONE, 10), at(NONE, 10)],
    ['unrelated', at('', 10), at('', 10)],
    ['unrelated', at(N, 10), at(R, 10)],
  ] as const)('%s', (relation, own, other) => expect(relate(own, other)).toBe(relation));

  it('is the other way round when seen from the other side', () => {
    const opposite = {
      behind: 'ahead',
      ahead: 'behind',
      same: 'same',
      unrelated: 'unrelated',
      'forked-off': 'forked-from',
      'forked-from': 'forked-off',
    };
    const points = [at(R, 10), at(R, 12), at(N, 11, R, 11), at(N, 20, R, 11), at(N, 5), at(NONE, 0)];
    for (const a of points) for (const b of points) expect(relate(b, a)).toBe(opposite[relate(a, b)]);
  });
});
