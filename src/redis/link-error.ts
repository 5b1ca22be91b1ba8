import type { CloseReason } from './close-reason.js';

/** Why a request had no reply; stable, to be switched on. */
export type LinkErrorCode =
  | 'ERR_LINK_REFUSED'
  | 'ERR_LINK_RESET'
  | 'ERR_LINK_ENDED'
  | 'ERR_LINK_TIMEOUT'
  | 'ERR_LINK_UNREACHABLE'
  | 'ERR_LINK_AUTH'
  | 'ERR_LINK_PROTOCOL'
  /** A fault of this machine, such as too many open files. */
  | 'ERR_LINK_LOCAL'
  /** `close` was called. */
  | 'ERR_LINK_CLOSED'
  /** Too many requests wait. */
  | 'ERR_LINK_OVERLOADED'
  /** The server would not subscribe us; the message is its error. */
  | 'ERR_LINK_SUBSCRIBE';

/** A request that had no reply. What the server answers, errors included, is a value instead: see `ErrorReply`. */
export class LinkError extends Error {
  override readonly name = 'LinkError';

  /**
   * @param code what happened.
   * @param message for people.
   * @param sent whether the request may have reached the server, and so may have been carried out.
   */
  constructor(
    readonly code: LinkErrorCode,
    message: string,
    readonly sent: boolean,
  ) {
    super(message);
  }
}

/** The code for a connection's end. */
export function codeOf(why: CloseReason): LinkErrorCode {
  switch (why) {
    case 'refused':
      return 'ERR_LINK_REFUSED';
    case 'reset':
      return 'ERR_LINK_RESET';
    case 'ended':
      return 'ERR_LINK_ENDED';
    case 'timeout':
      return 'ERR_LINK_TIMEOUT';
    case 'unreachable':
      return 'ERR_LINK_UNREACHABLE';
    case 'auth':
      return 'ERR_LINK_AUTH';
    case 'protocol':
      return 'ERR_LINK_PROTOCOL';
    case 'local':
      return 'ERR_LINK_LOCAL';
  }
}
