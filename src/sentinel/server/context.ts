/** What the commands of the server may use. */

import type { AclFileAccess } from '../../redis/acl/acl-command.js';
import type { AclLog } from '../../redis/acl/acl-log.js';
import type { AclUsers } from '../../redis/acl/acl-users.js';
import type { Reply } from '../../redis/reply.js';
import type { LogLevel } from '../core/io.js';
import type { Sentinel } from '../core/state.js';
import type { JobView } from '../scripts/queue.js';
import type { Client } from './client.js';
import type { PubSub } from './pubsub.js';
import type { ServerStats } from './stats.js';

/** The Sentinel behind the server. */
export interface Backend {
  /** Gives a command to the core; `answer` is called once. */
  command(args: readonly string[], answer: (reply: Reply) => void): void;
  /** To look at, never to change. */
  readonly state: Sentinel;
}

/** Scripts, as far as clients may ask for them. */
export interface ScriptsView {
  readonly running: number;
  readonly length: number;
  view(): JobView[];
}

export interface ServerContext {
  readonly backend: Backend;
  readonly scripts: ScriptsView;
  readonly users: AclUsers;
  readonly aclLog: AclLog;
  readonly aclFile: AclFileAccess | null;
  readonly pubsub: PubSub<Client>;
  readonly clients: ReadonlyMap<number, Client>;
  readonly stats: ServerStats;
  /** What INFO tells of the server itself. */
  readonly about: ServerAbout;
  readonly log: (level: LogLevel, text: string) => void;
  /** Users were changed: they go into the configuration file, and clients of users that are gone are closed. */
  usersChanged(): void;
  /** SHUTDOWN. */
  shutdown(): void;
}

export interface ServerAbout {
  readonly version: string;
  readonly runId: string;
  readonly configFile: string;
  /** The port that answers plain connections, else the TLS one. */
  readonly port: number;
  readonly maxclients: number;
}
