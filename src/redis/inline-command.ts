/**
 * Splits an inline command (a line typed into telnet) into arguments, by the quoting rules that Redis documents for its
 * configuration file and inline commands:
 * - blanks separate arguments; a NUL ends the line;
 * - in "double quotes": \n \r \t \b \a, \xHH for any byte, and a backslash before anything else stands for that;
 * - in 'single quotes': only \' is special;
 * - a quote may open inside an argument, but a closing one must be followed by a blank or the end.
 *
 * @returns null when quotes are unbalanced.
 */
export function splitInline(line: Uint8Array): Uint8Array[] | null {
  const nul = line.indexOf(0);
  const end = nul === -1 ? line.length : nul;
  const args: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    while (at < end && isBlank(line[at] ?? 0)) at++;
    if (at >= end) return args;
    const out: number[] = [];
    const next = readArgument(line, at, end, out);
    if (next === null) return null;
    args.push(Uint8Array.from(out));
    at = next;
  }
}

const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKSLASH = 0x5c;
const LOWER_X = 0x78;

/** Appends one argument's bytes to `out`; returns where it ended, or null for unbalanced quotes. */
function readArgument(line: Uint8Array, start: number, end: number, out: number[]): number | null {
  let at = start;
  while (at < end) {
    const byte = line[at] ?? 0;
    if (endsArgument(byte)) return at;
    if (byte === DOUBLE_QUOTE || byte === SINGLE_QUOTE) {
      const closed =
        byte === DOUBLE_QUOTE ? readDoubleQuoted(line, at + 1, end, out) : readSingleQuoted(line, at + 1, end, out);
      if (closed === null || (closed < end && !isBlank(line[closed] ?? 0))) return null;
      return closed;
    }
    out.push(byte);
    at++;
  }
  return at;
}

/** Reads up to and over the closing quote; null when there is none. */
function readDoubleQuoted(line: Uint8Array, start: number, end: number, out: number[]): number | null {
  let at = start;
  while (at < end) {
    const byte = line[at] ?? 0;
    if (byte === DOUBLE_QUOTE) return at + 1;
    if (byte !== BACKSLASH || at + 1 >= end) {
      out.push(byte);
      at++;
      continue;
    }
    const escaped = line[at + 1] ?? 0;
    const hex = escaped === LOWER_X && at + 3 < end ? hexByte(line[at + 2] ?? 0, line[at + 3] ?? 0) : null;
    out.push(hex ?? escapedByte(escaped));
    at += hex === null ? 2 : 4;
  }
  return null;
}

function readSingleQuoted(line: Uint8Array, start: number, end: number, out: number[]): number | null {
  let at = start;
  while (at < end) {
    const byte = line[at] ?? 0;
    if (byte === SINGLE_QUOTE) return at + 1;
    const escapedQuote = byte === BACKSLASH && at + 1 < end && line[at + 1] === SINGLE_QUOTE;
    out.push(escapedQuote ? SINGLE_QUOTE : byte);
    at += escapedQuote ? 2 : 1;
  }
  return null;
}

/** What separates arguments: C's isspace. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

/** What ends an unquoted argument; VT and FF do not, though they separate. */
function endsArgument(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function escapedByte(byte: number): number {
  switch (byte) {
    case 0x6e: // n
      return 0x0a;
    case 0x72: // r
      return 0x0d;
    case 0x74: // t
      return 0x09;
    case 0x62: // b
      return 0x08;
    case 0x61: // a
      return 0x07;
    default:
      return byte;
  }
}

function hexByte(high: number, low: number): number | null {
  const h = hexDigit(high);
  const l = hexDigit(low);
  return h === null || l === null ? null : h * 16 + l;
}

function hexDigit(byte: number): number | null {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : null;
}
