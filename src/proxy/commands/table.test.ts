import { describe, expect, it } from 'vitest';
import { COMMANDS, UNKNOWN_COMMAND } from './table.js';

function find(name: string): number {
  const bytes = Buffer.from(`..${name}..`);
  return COMMANDS.find(bytes, 2, 2 + Buffer.byteLength(name));
}

describe('command table', () => {
  it('finds every command in any case', () => {
    for (let id = 1; id <= COMMANDS.size; id++) {
      const name = COMMANDS.command(id)?.name ?? '';
      expect(find(name)).toBe(id);
      expect(find(name.toUpperCase())).toBe(id);
      expect(find(name.charAt(0).toUpperCase() + name.slice(1))).toBe(id);
    }
  });

  it.each(['', 'ge', 'gett', 'g\x05t', 'GE\x14', 'sort-ro', 'sort\x7fro', 'nosuch', 'x'.repeat(300)])(
    'does not know %j',
    (name) => {
      expect(find(name)).toBe(UNKNOWN_COMMAND);
    },
  );

  it('tells reads, which may be repeated, from writes', () => {
    for (const name of ['get', 'mget', 'exists', 'hgetall', 'eval_ro']) expect(COMMANDS.reads[find(name)]).toBe(1);
    for (const name of ['set', 'incr', 'getdel', 'getex', 'del', 'eval', 'spop', 'sort']) {
      expect(COMMANDS.reads[find(name)]).toBe(0);
    }
  });
});
