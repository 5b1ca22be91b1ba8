import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIp } from '../base/ip-bytes.js';
import { type AddressRequest, decodeMessages, encodeDelAddress, encodeNewAddress } from './netlink-codec.js';

const request = (text: string, given: Partial<AddressRequest> = {}): AddressRequest => ({
  index: 7,
  ip: parseIp(text) ?? new Uint8Array(),
  prefix: text.includes(':') ? 64 : 24,
  peer: null,
  broadcast: null,
  label: null,
  scope: 'global',
  lifetime_s: null,
  deprecated: false,
  home: false,
  noPrefixRoute: false,
  ...given,
});
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('rtnetlink(7)', () => {
  it('reads back an address it would add', () => {
    for (const [text, family] of [
      ['10.0.0.1', 'ipv4'],
      ['2001:db8::1', 'ipv6'],
    ] as const) {
      const [message] = decodeMessages(encodeNewAddress(request(text), 1));
      expect(message).toMatchObject({ kind: 'address', gone: false, address: { index: 7, family, ip: text } });
      expect(decodeMessages(encodeDelAddress(request(text), 1))[0]).toMatchObject({ gone: true });
    }
  });

  it('asks for a lifetime, and for a deprecated address', () => {
    // IFA_CACHEINFO: preferred, valid.
    expect(hex(encodeNewAddress(request('10.0.0.1', { lifetime_s: 2 }), 1))).toContain(
      '1400060002000000020000000000000000000000',
    );
    expect(hex(encodeNewAddress(request('2001:db8::1', { deprecated: true }), 1))).toContain(
      '1400060000000000ffffffff0000000000000000',
    );
  });

  it('skips duplicate detection for IPv6, which would hold the address up for a second', () => {
    expect(hex(encodeNewAddress(request('2001:db8::1'), 1))).toContain('0800080002000000');
  });

  it('reads the kernel errors and the end of a dump', () => {
    const error = new Uint8Array(36);
    error.set([36, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0]);
    new DataView(error.buffer).setInt32(16, -17, true);
    expect(decodeMessages(error)).toEqual([{ kind: 'ack', sequence: 5, errno: 17 }]);
    expect(decodeMessages(Uint8Array.from([16, 0, 0, 0, 3, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]))).toEqual([
      { kind: 'done', sequence: 9 },
    ]);
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), fc.constantFrom(2, 3, 16, 17, 20, 21), (body, type) => {
        const bytes = Uint8Array.from([16 + body.length, 0, 0, 0, type, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, ...body]);
        decodeMessages(bytes);
        decodeMessages(body);
      }),
      { numRuns: 1000 },
    );
  });
});
