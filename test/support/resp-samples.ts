/** Arbitrary RESP values and cuts, for the property tests. */
import fc from 'fast-check';
import { ErrorReply, MapReply, PushReply, type Reply, SetReply, SimpleString } from '../../src/redis/reply.js';

/** A reply to encode for RESP3, and what a text decoder must read from it. */
export interface Sample {
  readonly value: Reply;
  readonly read: Reply;
}

const same = (value: Reply): Sample => ({ value, read: value });
const line = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replace(/[\r\n]/g, '.'));
const payload = fc.string({ unit: 'binary', maxLength: 30 }).map((text) => Buffer.from(text).toString());
const beyondDouble = (value: bigint): Reply =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;

const leaf: fc.Arbitrary<Sample> = fc.oneof(
  payload.map(same),
  payload.map((text) => ({ value: Buffer.from(text), read: text })),
  line.map((text) => ({ value: new SimpleString(text), read: text })),
  line.map((text) => same(new ErrorReply(text))),
  fc.integer().map(same),
  fc.maxSafeInteger().map((value) => same(value + 0)),
  fc.double().map((value) => ({ value, read: value === 0 ? 0 : value })),
  fc.bigInt().map((value) => ({ value, read: int64(value) ? beyondDouble(value) : value })),
  fc.boolean().map(same),
  fc.constant(same(null)),
);

function int64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

const { nested } = fc.letrec<{ nested: Sample }>((tie) => ({
  nested: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    list(tie('nested')).map((all) => both(all, (items) => items)),
    list(tie('nested')).map((all) => both(all, (items) => new SetReply(items))),
    fc.array(fc.tuple(tie('nested'), tie('nested')), { maxLength: 3 }).map((all) => ({
      value: new MapReply(all.map(([key, value]) => [key.value, value.value] as const)),
      read: new MapReply(all.map(([key, value]) => [key.read, value.read] as const)),
    })),
  ),
}));

function list(item: fc.Arbitrary<Sample>): fc.Arbitrary<Sample[]> {
  return fc.array(item, { maxLength: 5 });
}

function both(all: readonly Sample[], wrap: (items: Reply[]) => Reply): Sample {
  return { value: wrap(all.map((one) => one.value)), read: wrap(all.map((one) => one.read)) };
}

/** Any value that may stand alone: pushes only there. */
export function anyReply(): fc.Arbitrary<Sample> {
  return fc.oneof(
    nested,
    list(nested).map((all) => both(all, (items) => new PushReply(items))),
  );
}

/** Cuts a stream into chunks of the given sizes; size 0 gives an empty chunk now and then. */
export function cutInto(bytes: Uint8Array, sizes: Iterator<number>): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const size: number = sizes.next().value ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
