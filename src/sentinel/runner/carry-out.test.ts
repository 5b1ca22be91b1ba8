import { expect, it } from 'vitest';
import { STATE_DEFAULTS } from '../../config/sentinel-types.js';
import type { Effect } from '../core/io.js';
import { CarryOut, WAITING_MAX } from './carry-out.js';

function scene() {
  const done: string[] = [];
  const hands = {
    save: () => done.push('save'),
    log: () => undefined,
    publish: () => undefined,
    setVerbosity: () => undefined,
    runScript: () => undefined,
    crash: () => undefined,
  };
  const connections = {
    connect: () => undefined,
    close: () => undefined,
    send: (_conn: number, { kind }: { kind: string }) => done.push(kind) > 0,
  };
  const carryOut = new CarryOut(
    hands,
    connections,
    () => undefined,
    () => undefined,
  );
  const hello: Effect = { act: 'send', conn: 1, tag: { kind: 'hello' }, args: ['PUBLISH', 'x', 'y'] };
  const soon: Effect = { act: 'persist', snapshot: { ...STATE_DEFAULTS, myId: 'a'.repeat(40) }, soon: true };
  return { done, carryOut, hello, soon };
}

it('lets what tells of a change wait for the write, and PING pass', () => {
  const { done, carryOut, hello, soon } = scene();
  carryOut.all([soon, hello, { act: 'send', conn: 1, tag: { kind: 'ping' }, args: ['PING'] }]);
  expect(done).toEqual(['ping']);
  carryOut.flush();
  expect(done).toEqual(['ping', 'save', 'hello']);
});

it('writes at once when too much waits', () => {
  const { done, carryOut, hello, soon } = scene();
  carryOut.all([soon, ...Array.from({ length: WAITING_MAX - 1 }, () => hello)]);
  expect(done).toEqual([]);
  carryOut.all([hello, hello]);
  expect(done[0]).toBe('save');
  expect(done.length).toBe(1 + WAITING_MAX + 1);
});
