import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalIp, compareIp, familyOf, formatIp, isLinkLocal, isMulticast, parseIp } from './ip-bytes.js';

describe('ip addresses', () => {
  it('writes IPv6 as RFC 5952 section 4 asks', () => {
    expect(canonicalIp('2001:0DB8:0:0:1:0:0:1')).toBe('2001:db8::1:0:0:1');
    expect(canonicalIp('2001:db8:0:1:1:1:1:1')).toBe('2001:db8:0:1:1:1:1:1');
    expect(canonicalIp('::ffff:10.0.0.1')).toBe('::ffff:a00:1');
    expect(canonicalIp('0:0:0:0:0:0:0:0')).toBe('::');
  });

  it('refuses what is not an address', () => {
    for (const text of [
      '',
      '1',
      '1.2.3',
      '1.2.3.256',
      '01.2.3.4',
      '1:2',
      ':::',
      '1::2::3',
      '1:2:3:4:5:6:7:8:9',
      'g::',
    ]) {
      expect(parseIp(text), text).toBeNull();
    }
  });

  it('reads back what it writes, and agrees with node:net on what an address is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const bytes = parseIp(text);
        if (bytes === null) throw new Error(`refused ${text}`);
        const written = formatIp(bytes);
        expect(parseIp(written)).toEqual(bytes);
        expect(isIP(written)).toBe(bytes.length === 4 ? 4 : 6);
      }),
    );
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9a-f:.]{1,20}$/), (text) => {
        expect(parseIp(text) !== null, text).toBe(isIP(text) !== 0);
      }),
    );
  });

  it('orders addresses as integers in network order', () => {
    expect(compareIp('10.0.0.9', '10.0.0.10')).toBeLessThan(0);
    expect(compareIp('fe80::2', 'fe80::1')).toBeGreaterThan(0);
    expect(compareIp('10.0.0.1', '10.0.0.1')).toBe(0);
  });

  it('knows families, link-local and multicast ranges', () => {
    expect(familyOf('10.0.0.1')).toBe('ipv4');
    expect(familyOf('fe80::1')).toBe('ipv6');
    expect(familyOf('x')).toBeNull();
    expect(isLinkLocal('febf::1')).toBe(true);
    expect(isLinkLocal('fec0::1')).toBe(false);
    expect(isMulticast('224.0.0.18')).toBe(true);
    expect(isMulticast('ff02::12')).toBe(true);
    expect(isMulticast('10.0.0.1')).toBe(false);
  });
});
