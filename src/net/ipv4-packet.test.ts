import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIpv4Packet } from './ipv4-packet.js';

describe('RFC 791 section 3.1', () => {
  it('finds the ends, the TTL and the payload behind header options', () => {
    const packet = Uint8Array.from([
      0x46, 0xc0, 0, 26, 0, 0, 0, 0, 255, 112, 0, 0, 10, 0, 0, 1, 224, 0, 0, 18, 1, 1, 1, 0, 9, 8,
    ]);
    expect(parseIpv4Packet(packet)).toEqual({
      source: '10.0.0.1',
      destination: '224.0.0.18',
      ttl: 255,
      protocol: 112,
      payload: Uint8Array.from([9, 8]),
    });
    expect(parseIpv4Packet(packet.subarray(0, 25))).toBeNull();
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        parseIpv4Packet(bytes);
      }),
    );
  });
});
