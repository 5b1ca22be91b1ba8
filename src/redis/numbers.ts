/** Numbers as RESP writes them. Every function returns null for what is not one. */

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const INTEGER = /^[+-]?\d+$/;
const DOUBLE = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/** Whether `:` can carry it. */
export function fitsInt64(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX;
}

/** The text of `:`; a bigint beyond 2^53. */
export function parseInteger(text: string): number | bigint | null {
  if (text.length > 20 || !INTEGER.test(text)) return null;
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value + 0;
  const exact = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return fitsInt64(exact) ? exact : null;
}

/** The text of `(`: any number of digits. */
export function parseBigNumber(text: string): bigint | null {
  return INTEGER.test(text) ? BigInt(text.startsWith('+') ? text.slice(1) : text) : null;
}

/** The text of `,`. */
export function parseDouble(text: string): number | null {
  switch (text.toLowerCase()) {
    case 'inf':
    case '+inf':
      return Number.POSITIVE_INFINITY;
    case '-inf':
      return Number.NEGATIVE_INFINITY;
    case 'nan':
    case '-nan':
      return Number.NaN;
    default:
      return DOUBLE.test(text) ? Number(text) : null;
  }
}

/** A double as RESP3's `,` writes it, and as Redis gives it to a RESP2 client in a bulk string. */
export function formatDouble(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  if (value === Number.NEGATIVE_INFINITY) return '-inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Bytes [start, end) as a length or count: digits only, at most 10 of them. */
export function parseCount(bytes: Uint8Array, start: number, end: number): number | null {
  if (end === start || end - start > 10) return null;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) return null;
    value = value * 10 + digit;
  }
  return value;
}
