/** Where the keys of a request stand. */
import type { RedisRequestFrame } from '../framing/redis-request.js';
import type { Command } from './table.js';

/** The keys' argument numbers, or why they cannot be told. */
export type KeyPlaces = { readonly places: readonly number[] } | { readonly problem: string };

function steps(first: number, last: number, step: number): number[] {
  const places: number[] = [];
  for (let i = first; i <= last; i += step) places.push(i);
  return places;
}

function wordAt(bytes: Uint8Array, frame: RedisRequestFrame, words: readonly string[], from: number): number {
  for (let i = from; i < frame.argc; i++) {
    const size = frame.argEnd(i) - frame.argStart(i);
    if (size < 12 && words.includes(frame.argText(bytes, i).toUpperCase())) return i;
  }
  return -1;
}

/** True for XREAD and XREADGROUP with the word BLOCK; other commands that block do so always. */
export function mayBlock(command: Command, bytes: Uint8Array, frame: RedisRequestFrame): boolean {
  return command.blocks && (command.handling.kind !== 'streams' || wordAt(bytes, frame, ['BLOCK'], 1) !== -1);
}

/** The keys of a request for a command that is brought to one shard. */
export function keyPlaces(command: Command, bytes: Uint8Array, frame: RedisRequestFrame): KeyPlaces {
  const { handling } = command;
  const { argc } = frame;
  const tooFew: KeyPlaces = { problem: `ERR wrong number of arguments for '${command.name}' command` };
  switch (handling.kind) {
    case 'one-key':
      return argc > 1 ? { places: [1] } : tooFew;
    case 'split':
      return argc > 1 ? { places: steps(1, argc - 1, handling.join === 'all-ok' ? 2 : 1) } : tooFew;
    case 'range': {
      const { first, last, step } = handling.range;
      const places = steps(first, Math.min(last < 0 ? argc + last : last, argc - 1), step);
      return places.length === 0 ? tooFew : { places };
    }
    case 'counted': {
      const { countAt, alsoAt } = handling.counted;
      if (argc <= countAt) return tooFew;
      const count = Number(frame.argText(bytes, countAt));
      if (!Number.isInteger(count) || count < 0) return { problem: 'ERR value is not an integer or out of range' };
      if (countAt + count >= argc) return { problem: "ERR Number of keys can't be greater than number of args" };
      return { places: [...(alsoAt > 0 ? [alsoAt] : []), ...steps(countAt + 1, countAt + count, 1)] };
    }
    case 'may-store': {
      if (argc < 2) return tooFew;
      const store = wordAt(bytes, frame, ['STORE', 'STOREDIST'], 2);
      return { places: store !== -1 && store + 1 < argc ? [1, store + 1] : [1] };
    }
    case 'streams': {
      // XREADGROUP GROUP name consumer: names may be any word.
      const streams = wordAt(bytes, frame, ['STREAMS'], command.name === 'xreadgroup' ? 4 : 1);
      const rest = argc - streams - 1;
      if (streams === -1 || rest < 2 || rest % 2 !== 0) return { problem: 'ERR syntax error' };
      return { places: steps(streams + 1, streams + rest / 2, 1) };
    }
    case 'own':
    case 'refused':
      return { places: [] };
  }
}
