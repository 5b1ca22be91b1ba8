import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { internetChecksum } from '../base/checksum.js';
import { challengeTo, decodeTcpSegment, refusalOf, type TcpSegment } from './tcp-segment.js';

const CLIENT = Uint8Array.from([10, 0, 0, 9]);
const VIP = Uint8Array.from([10, 0, 0, 100]);
const ends = { source: CLIENT, destination: VIP, sourcePort: 40_001, destinationPort: 6379 };

const segment = (given: Partial<TcpSegment>): TcpSegment => ({
  ...ends,
  sequence: 1000,
  acknowledged: 5000,
  syn: false,
  fin: false,
  rst: false,
  data_bytes: 0,
  ...given,
});

/** What a reader of the answer sees. */
const answer = (given: Partial<TcpSegment>): TcpSegment | null => {
  const packet = refusalOf(segment(given));
  return packet === null ? null : decodeTcpSegment(packet);
};

describe('RFC 9293 section 3.10.7.1: a segment for a connection that is not here', () => {
  it('is answered from the address it was sent to, at the place that it acknowledges', () => {
    expect(answer({ data_bytes: 14 })).toEqual({
      source: VIP,
      destination: CLIENT,
      sourcePort: 6379,
      destinationPort: 40_001,
      sequence: 5000,
      acknowledged: null,
      syn: false,
      fin: false,
      rst: true,
      data_bytes: 0,
    });
  });

  it('is answered with sequence 0 and an acknowledgement of all of it when it acknowledges nothing', () => {
    const refused = (given: Partial<TcpSegment>) => answer({ acknowledged: null, ...given });
    expect(refused({ syn: true })).toMatchObject({ rst: true, sequence: 0, acknowledged: 1001 });
    expect(refused({ syn: true, data_bytes: 20 })).toMatchObject({ acknowledged: 1021 });
    expect(refused({ fin: true, data_bytes: 3 })).toMatchObject({ acknowledged: 1004 });
    expect(refused({ syn: true, sequence: 0xffff_ffff })).toMatchObject({ acknowledged: 0 });
  });

  it('is not answered when it is a reset', () => {
    expect(answer({ rst: true })).toBeNull();
    expect(answer({ rst: true, acknowledged: null })).toBeNull();
  });
});

describe('TCP over IPv4', () => {
  it('carries checksums that a receiver accepts', () => {
    for (const packet of [challengeTo(ends), refusalOf(segment({})), refusalOf(segment({ acknowledged: null }))]) {
      expect(packet).not.toBeNull();
      if (packet === null) continue;
      expect(internetChecksum(packet.subarray(0, 20))).toBe(0);
      const pseudo = Uint8Array.from([...packet.subarray(12, 20), 0, 6, 0, 20]);
      expect(internetChecksum(pseudo, packet.subarray(20))).toBe(0);
    }
  });

  it('is read behind IP options, with TCP options, without what Ethernet has padded', () => {
    const packet = Uint8Array.from([
      ...[0x46, 0, 0, 51, 0, 0, 0x40, 0, 64, 6, 0, 0, ...CLIENT, ...VIP, 1, 1, 1, 0],
      ...[0x9c, 0x41, 0x18, 0xeb, 0, 0, 3, 0xe8, 0, 0, 0x13, 0x88, 0x60, 0x18, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0],
      ...[80, 73, 78, 0, 0, 0],
    ]);
    expect(decodeTcpSegment(packet)).toEqual(segment({ data_bytes: 3 }));
    // Only as much of it as the headers need is looked at.
    for (let cut = 0; cut <= packet.length; cut++) {
      const read = decodeTcpSegment(packet.subarray(0, cut));
      if (cut < 44) expect(read, `cut at ${cut}`).toBeNull();
      else expect(read).toEqual(segment({ data_bytes: 3 }));
    }
  });

  it('is not read from what is a later fragment, another protocol or another version', () => {
    const packet = challengeTo(ends);
    const changed = (at: number, value: number): TcpSegment | null =>
      decodeTcpSegment(Uint8Array.from(packet, (byte, i) => (i === at ? value : byte)));
    expect(decodeTcpSegment(packet)).toMatchObject({ ...ends, acknowledged: 0, rst: false });
    expect(changed(7, 1)).toBeNull();
    expect(changed(9, 17)).toBeNull();
    expect(changed(0, 0x65)).toBeNull();
    expect(changed(0, 0x44)).toBeNull();
    expect(changed(32, 0x40)).toBeNull();
    expect(changed(32, 0x60)).toBeNull();
    expect(changed(3, 39)).toBeNull();
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const read = decodeTcpSegment(bytes);
        if (read !== null) refusalOf(read);
        decodeTcpSegment(Uint8Array.from([0x45, 0, 0, 60, 0, 0, 0, 0, 64, 6, ...bytes]));
      }),
      { numRuns: 1000 },
    );
  });
});
