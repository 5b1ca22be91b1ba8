/** How the replies of several servers become one. */
import { RedisReplyScanner } from '../framing/redis-reply.js';

export type JoinKind =
  /** Arrays whose elements go back to the order of the request: `fragmentOf` names the fragment of each element. */
  | { readonly type: 'values'; readonly fragmentOf: readonly number[] }
  /** `+OK` from all. */
  | { readonly type: 'first' }
  /** Integers that are added up. */
  | { readonly type: 'sum' }
  /** Arrays one after the other. */
  | { readonly type: 'concat' }
  /** Arrays of 0 and 1, of which only what is 1 everywhere stays 1. */
  | { readonly type: 'all' }
  /** SCAN on one shard: its cursor becomes one of the whole pool. */
  | { readonly type: 'scan'; readonly shard: number; readonly shards: number }
  /** The first that is not nil. */
  | { readonly type: 'any' }
  /** memcached's VALUE blocks, and one END. */
  | { readonly type: 'memcached-values' };

const CRLF = '\r\n';

function headerEnd(reply: Buffer): number {
  return reply.indexOf(CRLF) + 2;
}

function lengthOf(reply: Buffer): number {
  return Number(reply.toString('latin1', 1, headerEnd(reply) - 2));
}

/** The elements of an array reply, as slices. */
export function elementsOf(reply: Buffer): Buffer[] {
  const scanner = new RedisReplyScanner();
  const elements: Buffer[] = [];
  for (let at = headerEnd(reply); at < reply.length; ) {
    const end = scanner.scan(reply, at, reply.length);
    elements.push(reply.subarray(at, end));
    at = end;
  }
  return elements;
}

function array(elements: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(`*${elements.length}${CRLF}`), ...elements]);
}

function values(fragmentOf: readonly number[], replies: readonly Buffer[]): Buffer {
  const queues = replies.map((reply) => elementsOf(reply).values());
  return array(fragmentOf.map((fragment) => queues[fragment]?.next().value ?? Buffer.from('$-1\r\n')));
}

function all(replies: readonly Buffer[]): Buffer {
  const lists = replies.map((reply) => elementsOf(reply).map((element) => element.toString('latin1') === ':1\r\n'));
  const width = Math.max(...lists.map((list) => list.length));
  const joined = Array.from({ length: width }, (_, i) => lists.every((list) => list[i] === true));
  return array(joined.map((one) => Buffer.from(one ? ':1\r\n' : ':0\r\n')));
}

/** A cursor of the pool is the shard's cursor times the number of shards, plus the shard. */
export function splitCursor(cursor: bigint, shards: number): { shard: number; cursor: bigint } {
  return { shard: Number(cursor % BigInt(shards)), cursor: cursor / BigInt(shards) };
}

function scan(shard: number, shards: number, reply: Buffer): Buffer {
  const [first, ...rest] = elementsOf(reply);
  const text = first === undefined ? '0' : first.toString('latin1', headerEnd(first), first.length - 2);
  const here = BigInt(text);
  const wide = BigInt(shards);
  let next = here * wide + BigInt(shard);
  // This shard is through: go on with the next, from its beginning, or end.
  if (here === 0n) next = shard + 1 < shards ? BigInt(shard + 1) : 0n;
  const cursor = next.toString();
  return array([Buffer.from(`$${cursor.length}${CRLF}${cursor}${CRLF}`), ...rest]);
}

function memcachedValues(replies: readonly Buffer[]): Buffer {
  const end = 'END\r\n';
  const bodies = replies.map((reply) => {
    const text = reply.toString('latin1', reply.length - end.length);
    return text === end ? reply.subarray(0, reply.length - end.length) : null;
  });
  const failed = bodies.indexOf(null);
  if (failed !== -1) return replies[failed] ?? Buffer.alloc(0);
  return Buffer.concat([...bodies.filter((body) => body !== null), Buffer.from(end)]);
}

/** Joins whole replies, none of which is an error. */
export function joinReplies(kind: JoinKind, replies: readonly Buffer[]): Buffer {
  switch (kind.type) {
    case 'values':
      return values(kind.fragmentOf, replies);
    case 'first':
      return replies[0] ?? Buffer.alloc(0);
    case 'sum':
      return Buffer.from(`:${replies.reduce((sum, reply) => sum + lengthOf(reply), 0)}${CRLF}`);
    case 'concat':
      return array(replies.flatMap(elementsOf));
    case 'all':
      return all(replies);
    case 'scan':
      return scan(kind.shard, kind.shards, replies[0] ?? Buffer.alloc(0));
    case 'any':
      return (
        replies.find((reply) => !/^(\$-1|_)\r\n/.test(reply.toString('latin1', 0, 5))) ?? replies[0] ?? Buffer.alloc(0)
      );
    case 'memcached-values':
      return memcachedValues(replies);
  }
}
