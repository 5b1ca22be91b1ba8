import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIp } from '../base/ip-bytes.js';
import { type Connection, decodeSockDiag, encodeDestroy, encodeListConnections } from './sock-diag-codec.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const ip = (text: string): Uint8Array => parseIp(text) ?? new Uint8Array();

/** What the kernel sends for one connection: `struct inet_diag_msg` with an attribute behind it. */
function listed(connection: { family: number; local: string; peer: string; cookie: number }, sequence = 7): Uint8Array {
  const bytes = new Uint8Array(16 + 72 + 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, 20, true);
  view.setUint32(8, sequence, true);
  bytes.set([connection.family, 1, 0, 0], 16);
  view.setUint16(20, 6379);
  view.setUint16(22, 40_001);
  bytes.set(ip(connection.local), 24);
  bytes.set(ip(connection.peer), 40);
  view.setUint32(60, connection.cookie, true);
  bytes.set([5, 0, 8, 0, 3], 88);
  return bytes;
}

const END = Uint8Array.from([20, 0, 0, 0, 3, 0, 2, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const join = (...pieces: Uint8Array[]): Uint8Array => Uint8Array.from(pieces.flatMap((p) => [...p]));

describe('sock_diag(7)', () => {
  it('asks the kernel for the connections of one local address, in every state but LISTEN, CLOSE and TIME_WAIT', () => {
    const request = encodeListConnections('ipv4', ip('10.0.0.1'), 9);
    expect(hex(request.subarray(0, 16))).toBe('5c000000140001030900000000000000');
    // AF_INET, TCP, and the states' bits 1 to 5, 8, 9 and 11.
    expect(hex(request.subarray(16, 24))).toBe('020600003e0b0000');
    // INET_DIAG_REQ_BYTECODE: S_COND, on to the end or four bytes beyond it; AF_INET, 32 bits, any port.
    expect(hex(request.subarray(72))).toBe('140001000710140002200000ffffffff0a000001');
  });

  it('looks for an IPv4 address also among IPv6 sockets, by its own bytes', () => {
    const request = encodeListConnections('ipv6', ip('10.0.0.1'), 9);
    expect(request[16]).toBe(10);
    expect(hex(request.subarray(76, 92))).toBe('0710140002200000ffffffff0a000001');
    expect(hex(encodeListConnections('ipv6', ip('2001:db8::1'), 9).subarray(76, 88))).toBe('071c20000a800000ffffffff');
  });

  it('reads connections of both families, and ends each by the identity that the kernel gave', () => {
    const four = listed({ family: 2, local: '10.0.0.1', peer: '10.0.0.9', cookie: 5 });
    const six = listed({ family: 10, local: '2001:db8::1', peer: '2001:db8::9', cookie: 6 });
    const found = decodeSockDiag(join(four, six, END));
    expect(found.map((m) => m.kind)).toEqual(['connection', 'connection', 'done']);
    const connections = found.flatMap((m): Connection[] => (m.kind === 'connection' ? [m.connection] : []));
    expect(connections).toMatchObject([
      { family: 'ipv4', localPort: 6379, peerPort: 40_001, peer: ip('10.0.0.9') },
      { family: 'ipv6', localPort: 6379, peerPort: 40_001, peer: ip('2001:db8::9') },
    ]);
    const destroy = encodeDestroy(connections, 3);
    expect(destroy).toHaveLength(2 * 72);
    expect(hex(destroy.subarray(0, 16))).toBe('48000000150001000300000000000000');
    expect(hex(destroy.subarray(24, 72))).toBe(hex(four.subarray(20, 68)));
    expect(hex(destroy.subarray(72 + 24))).toBe(hex(six.subarray(20, 68)));
    expect(destroy[72 + 16]).toBe(10);
  });

  it('reads refusals', () => {
    const error = new Uint8Array(36);
    error.set([36, 0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0]);
    new DataView(error.buffer).setInt32(16, -95, true);
    expect(decodeSockDiag(error)).toEqual([{ kind: 'ack', sequence: 5, errno: 95 }]);
  });

  it('reads from a datagram that is cut at any byte exactly the messages that are whole', () => {
    const pieces = [
      listed({ family: 2, local: '10.0.0.1', peer: '10.0.0.9', cookie: 5 }),
      listed({ family: 10, local: '2001:db8::1', peer: '2001:db8::9', cookie: 6 }),
      END,
    ];
    const whole = join(...pieces);
    const ends = pieces.map((_, i) => join(...pieces.slice(0, i + 1)).length);
    for (let cut = 0; cut <= whole.length; cut++) {
      const expected = ends.filter((end) => end <= cut).length;
      expect(decodeSockDiag(whole.subarray(0, cut)), `cut at ${cut}`).toHaveLength(expected);
    }
  });

  it('passes over what is too short within a whole message', () => {
    for (let size = 0; size < 52; size++) {
      const bytes = new Uint8Array(16 + size);
      new DataView(bytes.buffer).setUint32(0, bytes.length, true);
      bytes.set([20], 4);
      bytes.fill(2, 16);
      expect(decodeSockDiag(bytes)).toEqual([]);
    }
  });

  it('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 160 }), fc.constantFrom(2, 3, 20, 21), (body, type) => {
        decodeSockDiag(Uint8Array.from([16 + body.length, 0, 0, 0, type, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, ...body]));
        decodeSockDiag(body);
      }),
      { numRuns: 1000 },
    );
  });
});
