import { expect, it } from 'vitest';
import { BufferPool, copyBytes, headOf, withWords } from './bytes.js';

function filled(size_bytes: number, from: number): Buffer {
  return Buffer.from(Array.from({ length: size_bytes }, (_, i) => (from + i * 7) & 0xff));
}

it('copies every length at every place, whatever the buffers are', () => {
  for (const wordy of [true, false]) {
    const from = filled(700, 0x80);
    // A view of a part of a larger piece of memory has its own zero.
    const whole = filled(1000, 3);
    const to = whole.subarray(5, 905);
    if (wordy) for (const buffer of [from, to]) withWords(buffer);
    for (let size = 0; size <= 260; size++) {
      for (const start of [0, 1, 2, 3, 15, 400]) {
        const at = (size * 3 + start) % 500;
        const wanted = Buffer.concat([to.subarray(0, at), from.subarray(start, start + size), to.subarray(at + size)]);
        copyBytes(from, start, start + size, to, at);
        if (!to.equals(wanted)) throw new Error(`${size} bytes from ${start} to ${at}`);
      }
    }
  }
});

it('hands out what was given back, and keeps what has been written when a buffer grows', () => {
  const pool = new BufferPool();
  const first = pool.take(100);
  expect(first.length).toBe(4096);
  first.write('abc');
  const larger = pool.grow(first, 3, 5000);
  expect(larger.length).toBe(8192);
  expect(larger.toString('latin1', 0, 3)).toBe('abc');
  expect(pool.take(1)).toBe(first);
});

it('keeps the last head of a buffer, and gives what the buffer holds now', () => {
  for (const buffer of [withWords(Buffer.from('abcdef')), Buffer.from('abcdef')]) {
    expect(headOf(buffer, 6).toString()).toBe('abcdef');
    const three = headOf(buffer, 3);
    expect(headOf(buffer, 3)).toBe(three);
    buffer.write('x');
    expect([headOf(buffer, 3).toString(), headOf(buffer, 4).toString()]).toEqual(['xbc', 'xbcd']);
  }
});
