import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_PACKETS, segmentsTo } from './packet-filter.js';
import { challengeTo, decodeTcpSegment } from './tcp-segment.js';

const VIP = Uint8Array.from([10, 0, 0, 100]);

/** A second reading of the instructions that are used, as the kernel's documentation has them. */
function passes(program: Uint8Array, packet: Uint8Array, packetType = 0): boolean {
  const code = new DataView(program.buffer, program.byteOffset, program.length);
  const data = new DataView(packet.buffer, packet.byteOffset, packet.length);
  let a = 0;
  let x = 0;
  for (let at = 0; at < program.length; at += 8) {
    const [operation, operand] = [code.getUint16(at, true), code.getUint32(at + 4, true)];
    const jump = (taken: boolean): number => 8 * code.getUint8(at + (taken ? 2 : 3));
    // A read beyond the packet's end ends the program with 0.
    const missing = (from: number, size: number): boolean => from + size > packet.length;
    if (operation === 0x20 && operand === 0xffff_f004) a = packetType;
    else if (operation === 0x20) {
      if (missing(operand, 4)) return false;
      a = data.getUint32(operand);
    } else if (operation === 0x28) {
      if (missing(operand, 2)) return false;
      a = data.getUint16(operand);
    } else if (operation === 0x30) {
      if (missing(operand, 1)) return false;
      a = data.getUint8(operand);
    } else if (operation === 0xb1) {
      if (missing(operand, 1)) return false;
      x = 4 * (data.getUint8(operand) & 0x0f);
    } else if (operation === 0x50) {
      if (missing(x + operand, 1)) return false;
      a = data.getUint8(x + operand);
    } else if (operation === 0x15) at += jump(a === operand);
    else if (operation === 0x45) at += jump((a & operand) !== 0);
    else if (operation === 0x06) return operand > 0;
    else throw new Error(`instruction ${operation} is not used`);
  }
  throw new Error('the program has no end');
}

const ends = { source: Uint8Array.from([10, 0, 0, 9]), destination: VIP, sourcePort: 40_001, destinationPort: 6379 };
const changed = (at: number, value: number): Uint8Array =>
  Uint8Array.from(challengeTo(ends), (byte, i) => (i === at ? value : byte));

describe('the filter for segments to an address', () => {
  it('lets them pass, also behind IP options', () => {
    expect(passes(segmentsTo(VIP), challengeTo(ends))).toBe(true);
    const packet = challengeTo(ends);
    const options = Uint8Array.from([0x46, ...packet.subarray(1, 20), 4, 4, 4, 4, ...packet.subarray(20)]);
    expect(passes(segmentsTo(VIP), options)).toBe(true);
  });

  it('drops frames for others, other addresses and protocols, later fragments, and resets', () => {
    for (const others of [1, 2, 3, 4]) expect(passes(segmentsTo(VIP), challengeTo(ends), others)).toBe(false);
    for (const [at, value] of [
      [19, 101],
      [9, 17],
      [7, 1],
      [6, 0x10],
      [33, 0x04],
      [33, 0x14],
    ] as const) {
      expect(passes(segmentsTo(VIP), changed(at, value)), `byte ${at} is ${value}`).toBe(false);
    }
    expect(passes(NO_PACKETS, challengeTo(ends))).toBe(false);
  });

  it('lets pass whatever is read as such a segment', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const part = fc.tuple(fc.integer({ min: 0, max: 39 }), byte);
    fc.assert(
      fc.property(fc.array(part, { maxLength: 4 }), fc.nat(44), (changes, size) => {
        const packet = Uint8Array.from([...challengeTo(ends), 0, 0, 0, 0]).subarray(0, size);
        for (const [at, value] of changes) if (at < size) packet[at] = value;
        const read = decodeTcpSegment(packet);
        const wanted = read !== null && !read.rst && String(read.destination) === String(VIP);
        if (wanted) expect(passes(segmentsTo(VIP), packet)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
