/** Classic BPF programs (the kernel's Documentation/networking/filter.rst), so that unwanted packets are dropped unseen. */

/** `struct sock_filter`: opcode, jump if true, jump if false, operand. */
type Instruction = readonly [code: number, yes: number, no: number, operand: number];

const LOAD_WORD = 0x20;
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
/** X = 4 * (byte & 0x0f): the length of an IPv4 header. */
const LOAD_HEADER_LENGTH = 0xb1;
const LOAD_BYTE_BEHIND_X = 0x50;
const JUMP_IF_EQUAL = 0x15;
const JUMP_IF_ANY_BIT = 0x45;
const RETURN = 0x06;
/** SKF_AD_OFF + SKF_AD_PKTTYPE: whom the frame was addressed to. */
const PACKET_TYPE = 0xffff_f004;
const PACKET_HOST = 0;
const PROTOCOL_TCP = 6;
const RST = 0x04;
const EVERYTHING = 0x0004_0000;

function encode(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(8 * program.length);
  const view = new DataView(bytes.buffer);
  for (const [i, [code, yes, no, operand]] of program.entries()) {
    view.setUint16(8 * i, code, true);
    bytes.set([yes, no], 8 * i + 2);
    view.setUint32(8 * i + 4, operand, true);
  }
  return bytes;
}

/** Nothing passes. */
export const NO_PACKETS: Uint8Array = encode([[RETURN, 0, 0, 0]]);

/**
 * TCP segments to one IPv4 address that came in frames to this host's own MAC address: no resets, no later fragments.
 * For packets that begin with the IP header.
 */
export function segmentsTo(address: Uint8Array): Uint8Array {
  const word = new DataView(address.buffer, address.byteOffset, address.length).getUint32(0);
  return encode([
    [LOAD_WORD, 0, 0, PACKET_TYPE],
    [JUMP_IF_EQUAL, 0, 9, PACKET_HOST],
    [LOAD_WORD, 0, 0, 16],
    [JUMP_IF_EQUAL, 0, 7, word],
    [LOAD_BYTE, 0, 0, 9],
    [JUMP_IF_EQUAL, 0, 5, PROTOCOL_TCP],
    [LOAD_HALF, 0, 0, 6],
    [JUMP_IF_ANY_BIT, 3, 0, 0x1fff],
    [LOAD_HEADER_LENGTH, 0, 0, 0],
    [LOAD_BYTE_BEHIND_X, 0, 0, 13],
    [JUMP_IF_ANY_BIT, 0, 1, RST],
    [RETURN, 0, 0, 0],
    [RETURN, 0, 0, EVERYTHING],
  ]);
}
