/** The type marks, by their bytes. */
export const MARK = {
  simple: 0x2b, // +
  error: 0x2d, // -
  integer: 0x3a, // :
  bulk: 0x24, // $
  array: 0x2a, // *
  null: 0x5f, // _
  boolean: 0x23, // #
  double: 0x2c, // ,
  bigNumber: 0x28, // (
  bulkError: 0x21, // !
  verbatim: 0x3d, // =
  map: 0x25, // %
  set: 0x7e, // ~
  attribute: 0x7c, // |
  push: 0x3e, // >
} as const;

/** The bytes that may begin a value. */
export const MARKS: ReadonlySet<number> = new Set(Object.values(MARK));
