/** SENTINEL HELP. */
import { SimpleString } from '../../redis/reply.js';

const SUBCOMMANDS: readonly (readonly [usage: string, ...what: string[]])[] = [
  ['CKQUORUM <master-name>', 'Whether a failover could be agreed upon and authorised now; if not, who is missing.'],
  ['CONFIG GET <pattern> [<pattern> ...]', 'Settings of this Sentinel.'],
  ['CONFIG SET <param> <value> [<param> <value> ...]', 'Changes settings of this Sentinel: all of them, or none.'],
  ['DEBUG', 'The times of the protocol in milliseconds; they are fixed.'],
  [
    'FAILOVER <master-name> [COORDINATED | FORCE] [TO <host> <port>]',
    'Promotes a replica now. The master is asked to hand over, so that no write is lost;',
    'COORDINATED gives up when it cannot, FORCE does not ask it.',
  ],
  ['FLUSHCONFIG', 'Writes the configuration file anew.'],
  ['GET-MASTER-ADDR-BY-NAME <master-name>', 'Address and port of the master.'],
  ['HELP', 'This list.'],
  ['INFO-CACHE <master-name> [<master-name> ...]', 'What INFO last told of the master and its replicas, with its age.'],
  [
    'IS-MASTER-DOWN-BY-ADDR <ip> <port> <current-epoch> <runid>',
    'Whether the master at this address is down for this Sentinel; with a run id, a request for its vote.',
  ],
  [
    'LEASE <master-name> <host> <port> <epoch> <ttl> [handover] [held <vote>] [term <n>]',
    'The keeper of the Redis at host:port asks for the lease of the master; with ttl 0 and a reason it gives it back.',
  ],
  ['MASTER <master-name>', 'State and settings of a master.'],
  ['MASTERS', 'The same for all masters.'],
  ['MONITOR <name> <host> <port> <quorum>', 'Begins to watch a master.'],
  ['MYID', 'The id of this Sentinel.'],
  ['PAUSE <master-name | *> <on | off>', 'Maintenance: while it is on, no failover starts by itself.'],
  ['PENDING-SCRIPTS', 'Scripts that run or wait.'],
  ['REMOVE <master-name>', 'Ceases to watch a master.'],
  ['REPLICAS <master-name>', 'State of the replicas of a master.'],
  ['RESET <pattern>', 'Forgets replicas, Sentinels and failovers of the masters whose names match.'],
  ['SENTINELS <master-name>', 'State of the other Sentinels of a master.'],
  ['SET <master-name> <option> <value> [<option> <value> ...]', 'Changes settings of a master: all of them, or none.'],
  [
    'SIMULATE-FAILURE <CRASH-AFTER-ELECTION | CRASH-AFTER-PROMOTION | HELP> ...',
    'Ends this process at that moment of its next failover.',
  ],
];

/** One line an item; what a subcommand does is indented. */
export const HELP: readonly SimpleString[] = [
  'SENTINEL <subcommand> [<arg> [value] [opt] ...]. Subcommands are:',
  ...SUBCOMMANDS.flatMap(([usage, ...what]) => [usage, ...what.map((line) => `    ${line}`)]),
  'PRIMARY, PRIMARIES, GET-PRIMARY-ADDR-BY-NAME, IS-PRIMARY-DOWN-BY-ADDR and SLAVES are synonyms.',
].map((line) => new SimpleString(line));
