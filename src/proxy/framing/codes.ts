/** Bytes with a meaning in the protocols. */
export const CR = 0x0d;
export const LF = 0x0a;
export const SPACE = 0x20;
export const ZERO = 0x30;
export const NINE = 0x39;
export const MINUS = 0x2d;
export const PLUS = 0x2b;
export const COLON = 0x3a;
export const DOLLAR = 0x24;
export const STAR = 0x2a;
