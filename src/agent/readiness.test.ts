import { expect, it } from 'vitest';
import { Conditions } from './conditions.js';
import { untilVoter } from './readiness.js';

function voter(mayGrantIn_ms: number) {
  const conditions = new Conditions();
  const from = performance.now() + mayGrantIn_ms;
  let grants = false;
  let ready = false;
  const look = () => ({ waits_ms: Math.max(0, from - performance.now()), grants });
  const done = untilVoter(look, conditions).then(() => {
    ready = true;
  });
  const grant = (): void => {
    grants = true;
    conditions.changed();
  };
  return { done, grant, from, isReady: () => ready };
}

it('is ready at once when there is nothing to wait for', async () => {
  const v = voter(0);
  v.grant();
  await v.done;
});

it('is not ready before its Sentinel may grant, whatever it grants', async () => {
  const v = voter(60);
  v.grant();
  await v.done;
  expect(performance.now()).toBeGreaterThanOrEqual(v.from);
});

it('is ready with the first grant', async () => {
  const v = voter(1);
  await new Promise((resolve) => setImmediate(resolve));
  expect(v.isReady()).toBe(false);
  v.grant();
  await v.done;
});

it('does not wait for ever for somebody who leads', async () => {
  await voter(1).done;
});
