import { describe, expect, it } from 'vitest';
import { whenServed } from './served.js';

const done = { ok: true, text: 'b leads' } as const;

describe('an order to change masters', () => {
  it('is answered when the new master serves', async () => {
    const answers = [false, false, true];
    expect(await whenServed(done, async () => answers.shift() ?? true)).toEqual(done);
    expect(answers).toEqual([]);
  });

  it('is answered all the same when it does not, with a word about it', async () => {
    expect(await whenServed(done, async () => false)).toEqual({
      ok: true,
      text: expect.stringMatching(/^b leads; it does not serve yet/),
    });
  });

  it('that failed is answered at once', async () => {
    const failed = { ok: false, status: 409, text: 'b lags' } as const;
    expect(await whenServed(failed, () => Promise.reject(new Error('not asked')))).toEqual(failed);
  });
});
