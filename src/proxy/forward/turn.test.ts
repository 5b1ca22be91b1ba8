import { expect, test } from 'vitest';
import { until } from '../../../test/support/until.js';
import { type Flushed, Turn } from './turn.js';

/** Answers each flush with the next of these, and counts. */
class Patient {
  asked = 0;
  readonly #answers: Flushed[];

  constructor(...answers: Flushed[]) {
    this.#answers = answers;
  }

  flush(): Flushed {
    this.asked++;
    return this.#answers.shift() ?? 'done';
  }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

test('what is done is flushed once, and what asks for it again at the end of the turn that follows', async () => {
  const turn = new Turn();
  const [once, twice] = [new Patient(), new Patient('again')];
  turn.add(once);
  turn.add(twice);
  await nextTurn();
  expect([once.asked, twice.asked]).toEqual([1, 1]);
  await nextTurn();
  expect([once.asked, twice.asked]).toEqual([1, 2]);
});

test('what is to be flushed later waits for the next event, and no turn is made for its sake before its time', async () => {
  const turn = new Turn();
  const later = new Patient('later');
  turn.add(later);
  await nextTurn();
  const nothing = new Patient();
  turn.add(nothing);
  await nextTurn();
  expect([later.asked, nothing.asked]).toEqual([2, 1]);
});

test('what is to be flushed later is flushed although nothing happens any more', async () => {
  const turn = new Turn();
  const later = new Patient('later', 'later', 'later');
  turn.add(later);
  await until(() => later.asked === 4, { what: 'the last flush' });
  await nextTurn();
  expect(later.asked).toBe(4);
});
