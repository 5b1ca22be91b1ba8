/** What one top-level value may cost. */
export interface RespLimits {
  /** Aggregates inside each other. */
  readonly depth: number;
  /** One line: simple strings, errors, numbers, lengths. */
  readonly line_bytes: number;
  /** One bulk string, verbatim string or bulk error. */
  readonly bulk_bytes: number;
  /** Elements of one aggregate; a map's key and value are two. */
  readonly aggregate_count: number;
  /** Elements of all aggregates of one top-level value together, as announced. */
  readonly element_count: number;
  /** All payloads and lines of one top-level value together. */
  readonly value_bytes: number;
}

/** Bulk strings as Redis limits them (`proto-max-bulk-len`); the rest far above what a sane reply has. */
export const DEFAULT_RESP_LIMITS: RespLimits = {
  depth: 64,
  line_bytes: 64 * 1024,
  bulk_bytes: 512 * 1024 * 1024,
  aggregate_count: 1024 * 1024,
  element_count: 4 * 1024 * 1024,
  value_bytes: 1024 * 1024 * 1024,
};
