/** What holds a client back, and where its requests go. */

/** Why no more requests are taken from a client for the moment. */
export type Halt =
  /** Too many unanswered requests. */
  | 'window'
  /** It does not read its replies. */
  | 'output'
  /** The server it needs takes no requests now. */
  | 'server'
  /** The next request must wait until all others are answered. */
  | 'alone'
  /** A server does not take a large request as fast as it comes. */
  | 'upload'
  /** It is being closed: no request is taken any more. */
  | 'closing';

/** To the connections that all share, to those of writes that wait for a replica, or, being only reads, to a replica. */
export const SHARED = 0;
export const WRITES = 1;
export const REPLICA = 2;
export type Course = typeof SHARED | typeof WRITES | typeof REPLICA;
