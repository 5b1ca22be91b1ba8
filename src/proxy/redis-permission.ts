/** May a client whose user is bound by rules send this request? */
import type { RequestKeys } from '../redis/acl/acl-check.js';
import { keyPlaces } from './commands/keys.js';
import type { Command } from './commands/table.js';
import type { Request } from './redis-taken.js';
import { denialOf, type PoolUser } from './users.js';

/** Their arguments are channels. */
const CHANNELS = new Set(['subscribe', 'psubscribe']);

function argument({ bytes, frame }: Request, i: number): string {
  return bytes.toString('latin1', frame.argStart(i), frame.argEnd(i));
}

/** SORT may read keys by a pattern that it makes of the elements. */
function readsUnnamedKeys(request: Request): boolean {
  if (request.name !== 'sort' && request.name !== 'sort_ro') return false;
  for (let i = 2; i < request.frame.argc; i++) if (/^(by|get)$/i.test(argument(request, i))) return true;
  return false;
}

function keysOf(request: Request, command: Command | undefined): RequestKeys {
  const { bytes, frame, name } = request;
  const unnamed = readsUnnamedKeys(request);
  if (name === 'watch') {
    return { keys: Array.from({ length: frame.argc - 1 }, (_, i) => argument(request, i + 1)), unnamed };
  }
  const found = command === undefined ? { places: [] } : keyPlaces(command, bytes, frame);
  return { keys: 'problem' in found ? [] : found.places.map((i) => argument(request, i)), unnamed };
}

/** The error for it, or null when it may. */
export function requestDenial(user: PoolUser, request: Request, command: Command | undefined): string | null {
  const { frame, name } = request;
  const count = CHANNELS.has(name) ? frame.argc : Math.min(frame.argc, 2);
  const words = [name, ...Array.from({ length: count - 1 }, (_, i) => argument(request, i + 1))];
  return denialOf(user, words, keysOf(request, command));
}
