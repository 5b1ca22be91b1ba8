/** What a connection to a server is for, beside what all clients share. */
import type { Client } from './client.js';
import type { Replica } from './replica-set.js';

export interface LinkPurpose {
  /** The only client it serves. */
  readonly owner?: Client;
  /** It is to this replica. */
  readonly replica?: Replica;
  /** Its writes wait for a replica. */
  readonly acknowledges?: boolean;
}
