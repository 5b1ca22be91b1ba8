/** Error replies of the Redis front, in one place for their wording. */

/** A whole error reply; line ends inside the message would end it early. */
export function errorReply(message: string): Buffer {
  return Buffer.from(`-${message.replace(/[\r\n]+/g, ' ')}\r\n`);
}

/** As nutcracker says it, and as Redis does. */
export const NOT_AUTHENTICATED = errorReply('NOAUTH Authentication required');
export const NOT_LOGGED_IN = errorReply('NOAUTH Authentication required.');
export const HELLO_NOT_AUTHENTICATED = errorReply(
  'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
);
export const NO_PASSWORD_SET = errorReply('ERR Client sent AUTH, but no password is set');
export const NOTHING_TO_AUTHENTICATE = errorReply(
  'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
);
export const WRONG_PAIR = errorReply('WRONGPASS invalid username-password pair or user is disabled.');
export const WRONG_PASSWORD = errorReply('ERR invalid password');

export function wrongArguments(command: string): string {
  return `ERR wrong number of arguments for '${command}' command`;
}

export function crossShard(command: string, shards: number): string {
  return `ERR '${command}' needs all its keys on one shard, and these are on ${shards}: give them a common hash tag (hash_tag in the pool's configuration)`;
}

export function tooManyConnections(shard: string): string {
  return `ERR shard '${shard}' has no connection left for a request that needs one of its own`;
}
