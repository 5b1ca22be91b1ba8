/** What was wrong with the bytes; stable, to be switched on. */
export type RespErrorCode =
  /** The first byte of a value is no known type. */
  | 'ERR_RESP_TYPE'
  /** A line holds a bare CR or LF, or a payload is not followed by CR LF. */
  | 'ERR_RESP_LINE_END'
  /** A line is longer than `line_bytes`. */
  | 'ERR_RESP_LINE_TOO_LONG'
  /** Not a number, a boolean or a null where one must be. */
  | 'ERR_RESP_NUMBER'
  /** A length or count that is not one, or is negative. */
  | 'ERR_RESP_LENGTH'
  /** A payload longer than `bulk_bytes`. */
  | 'ERR_RESP_BULK_TOO_LONG'
  /** An aggregate of more than `aggregate_count` elements. */
  | 'ERR_RESP_AGGREGATE_TOO_BIG'
  /** More than `element_count` elements in one value, counting nested ones. */
  | 'ERR_RESP_TOO_MANY_ELEMENTS'
  /** One value of more than `value_bytes`. */
  | 'ERR_RESP_VALUE_TOO_BIG'
  /** Deeper than `depth`. */
  | 'ERR_RESP_TOO_DEEP'
  /** RESP3's streamed strings and aggregates (`$?`, `*?`): no server sends them, so they are refused. */
  | 'ERR_RESP_STREAMED'
  /** A push inside another value. */
  | 'ERR_RESP_NESTED_PUSH'
  /** A client's inline command with a quote that is not closed. */
  | 'ERR_RESP_QUOTES';

/**
 * The bytes are not RESP, or are beyond a limit. A decoder that has thrown it refuses everything that follows: where
 * the next value begins is unknown.
 */
export class RespProtocolError extends Error {
  override readonly name = 'RespProtocolError';

  /**
   * @param code what was wrong.
   * @param message for people; from a `RequestDecoder`, also what Redis answers after `-ERR `.
   * @param offset where: bytes since the decoder's first one.
   */
  constructor(
    readonly code: RespErrorCode,
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}
