/** The text of CLIENT HELP. */
export const CLIENT_HELP: readonly string[] = [
  'CLIENT <subcommand> [<argument> ...]. Subcommands are:',
  'GETNAME: the name of this connection.',
  'ID: the number of this connection.',
  'INFO: this connection, as LIST shows it.',
  'KILL <ip:port>: close the connection from there.',
  'KILL <filter> <value> [...]: close those that match all of ID, ADDR, LADDR, TYPE, USER; SKIPME yes|no.',
  'LIST [TYPE normal|pubsub | ID <id> ...]: the connections.',
  'NO-EVICT on|off: taken and without effect.',
  'REPLY on|off|skip: whether requests are answered.',
  'SETINFO lib-name|lib-ver <value>: the library of the client.',
  'SETNAME <name>: name this connection.',
  'HELP: this text.',
];
