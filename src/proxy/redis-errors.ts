/** Error replies of the Redis front, in one place for their wording. */

/** A whole error reply; line ends inside the message would end it early. */
export function errorReply(message: string): Buffer {
  return Buffer.from(`-${message.replace(/[\r\n]+/g, ' ')}\r\n`);
}

export const NOT_AUTHENTICATED = errorReply('NOAUTH Authentication required');
export const NO_PASSWORD_SET = errorReply('ERR Client sent AUTH, but no password is set');
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
