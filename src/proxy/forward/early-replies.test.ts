import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BufferPool } from './bytes.js';
import { EarlyReplies } from './early-replies.js';

/** Replies come in any order and in any pieces, and leave in the order of the requests. */
it('passes on every reply in order', () => {
  const scenario = fc.record({
    first: fc.constantFrom(0, 1_000_000, -3, 2 ** 31 - 5),
    sizes: fc.array(fc.nat(3000), { minLength: 1, maxLength: 150 }),
    order: fc.infiniteStream(fc.nat()),
  });
  const property = fc.property(scenario, ({ first, sizes, order }) => {
    const early = new EarlyReplies(new BufferPool());
    const replies = sizes.map((size, i) => Buffer.alloc(size, i));
    const out: Buffer[] = [];
    const sink = { append: (b: Buffer, s: number, e: number) => out.push(Buffer.from(b.subarray(s, e))) };
    let head = first | 0;
    const sent = sizes.map(() => 0);
    const open = new Set(sizes.keys());
    while (open.size > 0) {
      const choices = [...open].slice(0, 100);
      const i = choices[order.next().value % choices.length] ?? 0;
      const reply = replies[i] ?? Buffer.alloc(0);
      const from = sent[i] ?? 0;
      const until = Math.min(reply.length, from + 1 + (order.next().value % 2000));
      const last = until === reply.length;
      sent[i] = until;
      if (last) open.delete(i);
      const seq = (first + i) | 0;
      if (seq !== head) {
        early.store(seq, head, reply, from, until, last);
        continue;
      }
      sink.append(reply, from, until);
      if (!last) continue;
      head = (head + 1) | 0;
      while (early.drain(head, sink)) head = (head + 1) | 0;
    }
    expect(Buffer.concat(out).equals(Buffer.concat(replies))).toBe(true);
    expect(early).toMatchObject({ empty: true, held_bytes: 0, wholeCount: 0 });
  });
  fc.assert(property, { seed: 1, numRuns: 60 });
});
