import { describe, expect, it } from 'vitest';
import { internetChecksum } from '../base/checksum.js';
import { parseIp } from '../base/ip-bytes.js';
import { parseMac } from './bytes.js';
import { arpClaim, arpProbe, gratuitousArp, unsolicitedAdvert } from './frames.js';

const MAC = parseMac('02:00:00:00:00:01');
const ip = (text: string): Uint8Array => parseIp(text) ?? new Uint8Array();
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('ARP frames', () => {
  it('announce by a broadcast request whose sender and target are the address (RFC 5227 section 3)', () => {
    const frame = gratuitousArp(MAC, ip('10.0.0.1'));
    expect(hex(frame.subarray(0, 42))).toBe(
      'ffffffffffff0200000000010806' + '0001080006040001' + '0200000000010a000001' + '0000000000000a000001',
    );
    expect(frame).toHaveLength(60);
  });

  it('probe with an empty sender address (RFC 5227 section 2.1.1)', () => {
    expect(hex(arpProbe(MAC, ip('10.0.0.1')).subarray(28, 42))).toBe('00000000' + '000000000000' + '0a000001');
  });

  it('tell who claims an address; a probe claims none', () => {
    expect(arpClaim(gratuitousArp(MAC, ip('10.0.0.1')))).toEqual({ ip: '10.0.0.1', mac: '02:00:00:00:00:01' });
    expect(arpClaim(arpProbe(MAC, ip('10.0.0.1')))).toBeNull();
    expect(arpClaim(new Uint8Array(41))).toBeNull();
  });
});

describe('RFC 4861 section 7.2.6: unsolicited neighbour advertisements', () => {
  it('go to all nodes with the override flag, hop limit 255 and a right checksum', () => {
    const own = ip('2001:db8::1');
    const frame = unsolicitedAdvert(MAC, own, false);
    expect(hex(frame.subarray(0, 14))).toBe('33330000000102000000000186dd');
    expect(frame[21]).toBe(255);
    expect(hex(frame.subarray(58, 62))).toBe('20000000');
    const icmp = frame.subarray(54);
    const pseudo = Uint8Array.from([...frame.subarray(22, 54), 0, 0, 0, icmp.length, 0, 0, 0, 58]);
    expect(internetChecksum(pseudo, icmp)).toBe(0);
  });
});
