import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { startRawServer } from '../../test/support/raw-server.js';
import { parseListeners, portHolder } from './port-holder.js';
import { isGone, parseStat, readCpu_ns, readStat } from './proc.js';

const cleanup = cleanupAfterEach();
const line = (state: string, flags: number): string =>
  `77 (odd) (name) ${state} 1 77 77 0 -1 ${flags} 970 0 1 0 12 34 0 0 20 0 4 0 1195202 62283776 3009\n`;

describe('/proc/<pid>/stat', () => {
  it('is read whatever the name is', () => {
    const stat = { state: 'S', name: 'odd) (name', isEnding: false, startTicks: 1195202, cpuTicks: 46 };
    expect(parseStat(line('S', 0x400100))).toEqual(stat);
    expect(isGone(parseStat(line('S', 0x400100)))).toBe(false);
  });

  it('tells a process that is gone though it is listed', () => {
    expect(isGone(parseStat(line('Z', 0)))).toBe(true);
    expect(isGone(parseStat(line('R', 0x40010c)))).toBe(true);
    expect(isGone(null)).toBe(true);
  });

  it('is null for what is none', () => {
    expect(parseStat('')).toBeNull();
    expect(parseStat('1 (x) S 1')).toBeNull();
    expect(readStat(2 ** 30)).toBeNull();
  });

  it('is there for ourselves, with CPU time that grows', () => {
    expect(readStat(process.pid)).toMatchObject({ isEnding: false });
    const before = readCpu_ns(process.pid) ?? 0;
    for (let i = 0; readCpu_ns(process.pid) === before && i < 1e7; i++);
    expect(readCpu_ns(process.pid)).not.toBe(before);
  });
});

describe('who holds a port', () => {
  it('is read from /proc/net/tcp and tcp6', () => {
    const text = [
      '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
      '   0: 0200007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 0 100 0',
      '   1: 0100007F:18EB 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 4243 1 0 100 0',
      '   2: 00000000000000000000000001000000:18EB 0:0 0A 00000000:00000000 00:00000000 00000000 0 0 4244 1',
      '   3: B80D0120000000000000000001000000:0001 0:0 0A 00000000:00000000 00:00000000 00000000 0 0 4245 1',
    ];
    expect(parseListeners(text.join('\n'))).toEqual([
      { address: '127.0.0.2', port: 6379, inode: '4242' },
      { address: '::1', port: 6379, inode: '4244' },
      { address: '2001:db8::1', port: 1, inode: '4245' },
    ]);
  });

  it('is found among the processes, by address as well', async () => {
    const { port } = await startRawServer(cleanup, () => {});
    const us = { address: '127.0.0.1', pid: process.pid, name: readStat(process.pid)?.name };
    expect(portHolder(['127.0.0.1'], port)).toEqual(us);
    expect(portHolder(['*'], port)).toEqual(us);
    expect(portHolder(['127.0.0.2'], port)).toBeNull();
  });
});
