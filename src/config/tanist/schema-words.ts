/** The words that the schema of tanist.yml is made of: names, ports, addresses, durations, secrets. */
import { z } from 'zod';
import { isMulticast, parseIp } from '../../base/ip-bytes.js';
import { DURATION, formatDuration, parseDuration, parseSize, SIZE } from './units.js';

/** The error of a word: what it must be, a line feed, and what to write. */
export const want = (what: string, write: string): { error: string } => ({ error: `${what}\n${write}` });

/** A name of a host, group, pool or cluster: it becomes part of file names and of Sentinel's replies. */
export const NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,62}$/;

export const name = z
  .string()
  .regex(NAME, want('must be letters, digits, ., _ and -, at most 63', 'write a name such as `cache-1`'));

export const port = z
  .int(want('must be a port, 1 to 65535', 'write a number such as 6379'))
  .min(1, want('must be a port, 1 to 65535', 'write a number such as 6379'))
  .max(65_535, want('must be a port, 1 to 65535', 'write a number such as 6379'));

export const flag = z.boolean(want('must be true or false', 'write true or false'));

export const text = (what: string, write: string) =>
  z
    .string(want(what, write))
    .min(1, want(what, write))
    .regex(/^[^\0\r\n]*$/, want('must be one line', write));

export const path = (example: string) => text('must be a path', `write a path such as ${example}`);

const HOST_ADDRESS = 'must be an IP address; an address is not a name that may point elsewhere tomorrow';

export const address = z
  .string(want(HOST_ADDRESS, 'write an address such as 10.0.0.1'))
  .refine(isHostAddress, want(HOST_ADDRESS, 'write an address such as 10.0.0.1'));

const BIND = want('must be an IP address or a list of them', 'write e.g. 0.0.0.0 or [127.0.0.1, "::1"]');
const bindAddress = z.string(BIND).refine((word) => parseIp(word) !== null, BIND);

/** Addresses to listen on. */
export const bindAddresses = z.union([bindAddress, z.array(bindAddress)], BIND);

/** One that a host can have: neither 0.0.0.0 nor multicast nor with a zone. */
export function isHostAddress(word: string): boolean {
  const bytes = parseIp(word);
  return bytes !== null && !isMulticast(word) && bytes.some((byte) => byte !== 0) && bytes.some((byte) => byte !== 255);
}

export function duration(min_ms: number, max_ms: number) {
  const range = `from ${formatDuration(min_ms)} to ${formatDuration(max_ms)}`;
  const what = `must be a duration ${range}`;
  const write = 'write e.g. 500ms, 1s, 10m or 1h; a bare number is milliseconds';
  return z
    .union([z.int(), z.string().regex(DURATION, want(what, write))], want(what, write))
    .transform((given, context) => {
      const ms = typeof given === 'number' ? given : parseDuration(given);
      if (ms !== null && ms >= min_ms && ms <= max_ms) return ms;
      context.addIssue({ code: 'custom', message: want(what, write).error });
      return z.NEVER;
    });
}

export function size(max_bytes: number) {
  const { error } = want('must be a size', 'write e.g. 512kb, 64mb or 1gb; a bare number is bytes');
  return z.union([z.int(), z.string().regex(SIZE, { error })], { error }).transform((given, context) => {
    const bytes = typeof given === 'number' ? given : parseSize(given);
    if (bytes !== null && bytes >= 0 && bytes <= max_bytes) return bytes;
    context.addIssue({ code: 'custom', message: error });
    return z.NEVER;
  });
}

export function oneOf<const T extends readonly [string, ...string[]]>(names: T) {
  return z.enum(names, want(`must be one of ${names.join(', ')}`, `write ${names.join(' or ')}`));
}

/** An optional key with what an editor shows of it. */
export function key<T extends z.ZodType>(schema: T, description: string): z.ZodOptional<T> {
  return schema.meta({ description }).optional();
}

export const map = <T extends z.ZodRawShape>(shape: T, write: string) =>
  z.strictObject(shape, want('must be a map', write));

export const named = <T extends z.ZodType>(value: T, what: string) =>
  z.record(
    name,
    value,
    want(`must be a map of ${what} by name`, `write each ${what} as \`name: ...\` on a line of its own`),
  );

/** `22121`, `10.0.0.1:22121`, `[fd00::1]:22121`, `:22121`. */
export const LISTEN = /^(?:\[[0-9A-Fa-f:.]+\]|[0-9.]*):\d{1,5}$/;
export const listenWant = want(
  'must be a port, or an IP address and a port',
  'write 22121, or 0.0.0.0:22121, or "[::]:22121"',
);
export const listen = z.union([port, z.string().regex(LISTEN, listenWant)], listenWant);

const secretText = z
  .string(want('must be text', 'put it into quotes, or into a file that `..._file` names'))
  .min(1, want('must not be empty', 'write the secret, or remove the key'));

export function secret<const K extends string>(word: K, of: string) {
  const shape = {
    [word]: key(secretText, `${of}. Better kept outside: ${word}_file, ${word}_env.`),
    [`${word}_file`]: key(path('/etc/tanist/password'), `A file whose first line is ${of.toLowerCase()}.`),
    [`${word}_env`]: key(
      text('must be the name of a variable', 'write e.g. TANIST_PASSWORD'),
      `An environment variable that holds ${of.toLowerCase()}.`,
    ),
  };
  return shape as Record<K, z.ZodOptional<typeof secretText>> &
    Record<`${K}_file` | `${K}_env`, z.ZodOptional<ReturnType<typeof text>>>;
}
