import { describe, expect, it } from 'vitest';
import { thisHost, vipRightsFault } from './host-facts.js';

describe('what this host can do for VIPs', () => {
  it('finds the interface of an address', () => {
    expect(thisHost.interfaceOf('127.0.0.1')).toBe('lo');
    expect(thisHost.interfaceOf('192.0.2.77')).toBeNull();
  });

  it('names the capability that is missing, and the fix', () => {
    const status = (hex: string): string => `Name:\tnode\nCapInh:\t0000000000000000\nCapEff:\t${hex}\n`;
    expect(vipRightsFault(status('0000000000003000'))).toBeNull();
    expect(vipRightsFault(status('000001ffffffffff'))).toBeNull();
    expect(vipRightsFault(status('0000000000001000'))).toMatch(
      /needs CAP_NET_RAW, which[\s\S]*fix: .*AmbientCapabilities/,
    );
    expect(vipRightsFault(status('0000000000000000'))).toMatch(/needs CAP_NET_ADMIN and CAP_NET_RAW/);
  });
});
