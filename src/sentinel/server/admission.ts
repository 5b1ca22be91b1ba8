/** Whether a new connection may come in at all. */

/** What is asked of a connection before it becomes a client. */
export interface Arrival {
  /** Empty for a unix socket. */
  readonly remoteAddress: string;
  readonly connected: number;
  readonly maxclients: number;
  readonly protectedMode: boolean;
  /** The user `default` needs no password. */
  readonly open: boolean;
}

const DENIED =
  'DENIED protected mode is on, no password is set, and you do not connect from this host. Set a password ' +
  "(requirepass, or a user with one), or, where the network alone may be trusted, 'protected-mode no'.";

/** The error that the connection is turned away with, or null. */
export function refusalFor({ remoteAddress, connected, maxclients, protectedMode, open }: Arrival): string | null {
  if (connected >= maxclients) return 'ERR max number of clients reached';
  if (protectedMode && open && !isThisHost(remoteAddress)) return DENIED;
  return null;
}

function isThisHost(address: string): boolean {
  return address === '' || address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
