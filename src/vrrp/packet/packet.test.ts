import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { internetChecksum } from '../../base/checksum.js';
import { canonicalIp } from '../../base/ip-bytes.js';
import { type Advert, decodeAdvert, type Ends, encodeAdvert, wirePassword } from './packet.js';

const ends4: Ends = { source: '192.168.0.100', destination: '224.0.0.18' };
const ends6: Ends = { source: 'fe80::1', destination: 'ff02::12' };
const v2: Advert = {
  version: 2,
  vrid: 51,
  priority: 150,
  interval_ms: 1000,
  auth: { kind: 'pass', password: '1111' },
  addresses: ['192.168.158.13'],
};
const v3: Advert = {
  version: 3,
  vrid: 7,
  priority: 100,
  interval_ms: 100,
  auth: { kind: 'none' },
  addresses: ['10.0.0.1', '10.0.0.2'],
};
const v3over6: Advert = { ...v3, addresses: ['fe80::100', '2001:db8::1'] };

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('RFC 1071', () => {
  it('sums the example of section 3', () => {
    expect(internetChecksum(Uint8Array.from([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]))).toBe(~0xddf2 & 0xffff);
  });

  it('counts an odd last byte as the high half of a word', () => {
    expect(internetChecksum(Uint8Array.from([0x01]))).toBe(~0x0100 & 0xffff);
  });
});

describe('RFC 3768 section 5.1: version 2', () => {
  it('lays the fields out as drawn, password last (RFC 2338 section 5.3.6)', () => {
    const bytes = encodeAdvert(v2, ends4);
    expect(hex(bytes)).toBe(`213396010101${hex(bytes.subarray(6, 8))}c0a89e0d3131313100000000`);
    expect(internetChecksum(bytes)).toBe(0);
  });

  it('carries no password as authentication type 0 and eight zero bytes', () => {
    const bytes = encodeAdvert({ ...v2, auth: { kind: 'none' } }, ends4);
    expect(bytes[4]).toBe(0);
    expect(hex(bytes.subarray(-8))).toBe('0000000000000000');
  });

  it('does not cover the IP addresses by its checksum (section 5.3.8)', () => {
    const bytes = encodeAdvert(v2, ends4);
    expect(decodeAdvert(bytes, { source: '10.9.9.9', destination: '10.9.9.8' })).toMatchObject({ ok: true });
  });

  it('is refused over IPv6', () => {
    expect(decodeAdvert(encodeAdvert(v2, ends4), ends6)).toMatchObject({ ok: false, fault: 'IPv6 in version 2' });
  });

  it('cuts a password to eight bytes', () => {
    expect(wirePassword('123456789')).toBe('12345678');
    const long = encodeAdvert({ ...v2, auth: { kind: 'pass', password: '123456789' } }, ends4);
    expect(decodeAdvert(long, ends4)).toMatchObject({ advert: { auth: { kind: 'pass', password: '12345678' } } });
  });
});

describe('RFC 5798 section 5.2: version 3', () => {
  it('lays the fields out as drawn, the interval as 12 bits of centiseconds', () => {
    const bytes = encodeAdvert(v3, ends4);
    expect(hex(bytes)).toBe(`31076402000a${hex(bytes.subarray(6, 8))}0a0000010a000002`);
    const slow = encodeAdvert({ ...v3, interval_ms: 40_950 }, ends4);
    expect(hex(slow.subarray(4, 6))).toBe('0fff');
  });

  it('covers a pseudo-header by its checksum (section 5.2.8), over IPv4 and IPv6', () => {
    expect(decodeAdvert(encodeAdvert(v3, ends4), ends4)).toMatchObject({ ok: true, checksum: 'with pseudo-header' });
    expect(decodeAdvert(encodeAdvert(v3over6, ends6), ends6)).toMatchObject({ ok: true });
    expect(decodeAdvert(encodeAdvert(v3over6, ends6), { ...ends6, source: 'fe80::2' })).toMatchObject({
      ok: false,
      fault: 'wrong checksum',
    });
  });

  it('takes the plain checksum of old senders over IPv4, never over IPv6', () => {
    const plain = (advert: Advert, ends: Ends): Uint8Array => {
      const bytes = encodeAdvert(advert, ends);
      bytes.set([0, 0], 6);
      const sum = internetChecksum(bytes);
      bytes.set([sum >> 8, sum & 0xff], 6);
      return bytes;
    };
    expect(decodeAdvert(plain(v3, ends4), ends4)).toMatchObject({ ok: true, checksum: 'plain' });
    expect(decodeAdvert(plain(v3over6, ends6), ends6)).toMatchObject({ ok: false, fault: 'wrong checksum' });
  });

  it('ignores the four reserved bits on receipt (section 5.2.6)', () => {
    const bytes = encodeAdvert(v3, ends4);
    bytes[4] = 0xf0 | (bytes[4] ?? 0);
    bytes.set([0, 0], 6);
    const sum = internetChecksum(bytes);
    bytes.set([sum >> 8, sum & 0xff], 6);
    expect(decodeAdvert(bytes, ends4)).toMatchObject({ ok: true, advert: { interval_ms: 100 } });
  });
});

describe('RFC 5798 section 7.1: what is not an advert', () => {
  const change = (at: number, value: number): Uint8Array => {
    const bytes = encodeAdvert(v3, ends4);
    bytes[at] = value;
    return bytes;
  };
  it.each([
    ['unknown version', 0, 0x41],
    ['unknown type', 0, 0x32],
    ['wrong length', 3, 1],
    ['wrong checksum', 6, 0xaa],
    ['wrong checksum', 2, 101],
  ] as const)('%s', (fault, at, value) => {
    expect(decodeAdvert(change(at, value), ends4)).toMatchObject({ ok: false, fault });
  });

  it('names the VRID whenever the packet is long enough to have one', () => {
    expect(decodeAdvert(new Uint8Array(7), ends4)).toEqual({ ok: false, fault: 'too short', vrid: null });
    expect(decodeAdvert(change(0, 0x41), ends4)).toMatchObject({ vrid: 7 });
  });

  it('refuses IPSEC authentication, which nobody may send since RFC 3768 section 5.3.6', () => {
    const bytes = encodeAdvert(v2, ends4);
    bytes[4] = 2;
    bytes.set([0, 0], 6);
    const sum = internetChecksum(bytes);
    bytes.set([sum >> 8, sum & 0xff], 6);
    expect(decodeAdvert(bytes, ends4)).toMatchObject({ fault: 'unknown authentication type' });
  });
});

describe('random and damaged packets', () => {
  const advert = (): fc.Arbitrary<{ advert: Advert; ends: Ends }> =>
    fc.oneof(
      fc.record({
        ends: fc.constant(ends4),
        advert: fc.record({
          version: fc.constant(2 as const),
          vrid: fc.integer({ min: 1, max: 255 }),
          priority: fc.integer({ min: 0, max: 255 }),
          interval_ms: fc.integer({ min: 1, max: 255 }).map((s) => s * 1000),
          auth: fc.oneof(
            fc.constant({ kind: 'none' } as const),
            fc.stringMatching(/^[!-~]{1,8}$/).map((password) => ({ kind: 'pass', password }) as const),
          ),
          addresses: fc.array(fc.ipV4(), { maxLength: 20 }),
        }),
      }),
      fc.record({
        ends: fc.constant(ends6),
        advert: fc.record({
          version: fc.constant(3 as const),
          vrid: fc.integer({ min: 1, max: 255 }),
          priority: fc.integer({ min: 0, max: 255 }),
          interval_ms: fc.integer({ min: 1, max: 4095 }).map((cs) => cs * 10),
          auth: fc.constant({ kind: 'none' } as const),
          addresses: fc.array(fc.ipV6().map(canonicalIp), { maxLength: 20 }),
        }),
      }),
    );

  it('reads back every advert it writes', () => {
    fc.assert(
      fc.property(advert(), ({ advert: sent, ends }) => {
        expect(decodeAdvert(encodeAdvert(sent, ends), ends)).toMatchObject({ ok: true, advert: sent });
      }),
    );
  });

  it('refuses every truncation and every lengthening', () => {
    fc.assert(
      fc.property(advert(), ({ advert: sent, ends }) => {
        const bytes = encodeAdvert(sent, ends);
        for (let n = 0; n < bytes.length; n++) expect(decodeAdvert(bytes.subarray(0, n), ends).ok).toBe(false);
        expect(decodeAdvert(Uint8Array.from([...bytes, 0]), ends).ok).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it('refuses every single flipped bit of what its checksum covers', () => {
    for (const [sent, ends] of [
      [v2, ends4],
      [v3, ends4],
      [v3over6, ends6],
    ] as const) {
      const bytes = encodeAdvert(sent, ends);
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const damaged = Uint8Array.from(bytes);
        damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(decodeAdvert(damaged, ends).ok, `bit ${bit}`).toBe(false);
      }
    }
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(ends4, ends6), (bytes, ends) => {
        decodeAdvert(bytes, ends);
      }),
      { numRuns: 2000 },
    );
  });
});
