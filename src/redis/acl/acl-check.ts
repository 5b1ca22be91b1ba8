/** May this user send this request? */
import { type AclCatalogue, type AclCommand, SENTINEL_CATALOGUE } from './acl-commands.js';
import { type AclSelector, selectorAllows } from './acl-selector.js';
import type { AclUser } from './acl-user.js';
import { globMatches } from './glob.js';

/** Why a request is denied. */
export type AclDenial =
  | { readonly kind: 'command'; readonly name: string }
  | { readonly kind: 'key'; readonly key: string }
  | { readonly kind: 'channel'; readonly channel: string };

/** What a request touches besides its command and its channels. */
export interface RequestKeys {
  readonly keys: readonly string[];
  /** It reads keys that it does not name: only `~*` allows that. */
  readonly unnamed: boolean;
}

const NO_KEYS: RequestKeys = { keys: [], unnamed: false };

/** The command of a request as ACL knows it: the subcommand, where there is one. Null for an unknown command. */
export function findCommand(
  request: readonly string[],
  { commands }: AclCatalogue = SENTINEL_CATALOGUE,
): AclCommand | null {
  const name = (request[0] ?? '').toLowerCase();
  const subcommand = (request[1] ?? '').toLowerCase();
  return commands.get(`${name}|${subcommand}`) ?? commands.get(name) ?? null;
}

/** The channels that a request names, and whether they are patterns. */
function channelsOf(request: readonly string[]): { names: readonly string[]; arePatterns: boolean } {
  switch ((request[0] ?? '').toLowerCase()) {
    case 'subscribe':
      return { names: request.slice(1), arePatterns: false };
    case 'psubscribe':
      return { names: request.slice(1), arePatterns: true };
    case 'publish':
    case 'spublish':
      return { names: request.slice(1, 2), arePatterns: false };
    default:
      return { names: [], arePatterns: false };
  }
}

/**
 * Null when the user may send the request. One of the user's selectors must allow all of it.
 * @param request the command and its arguments; an unknown command is denied by name.
 * @param touched the request's keys; a Sentinel has none.
 */
export function checkRequest(
  user: AclUser,
  request: readonly string[],
  touched: RequestKeys = NO_KEYS,
  catalogue: AclCatalogue = SENTINEL_CATALOGUE,
): AclDenial | null {
  const command = findCommand(request, catalogue);
  if (command === null) return { kind: 'command', name: (request[0] ?? '').toLowerCase() };
  let denial: AclDenial | null = null;
  for (const selector of [user.root, ...user.selectors]) {
    const here = checkSelector(selector, command, request, touched);
    if (here === null) return null;
    // The selector that came furthest says why.
    if (denial === null || RANK[here.kind] > RANK[denial.kind]) denial = here;
  }
  return denial;
}

/** In the order in which they are checked. */
const RANK = { command: 0, key: 1, channel: 2 } as const;

function checkSelector(
  selector: AclSelector,
  command: AclCommand,
  request: readonly string[],
  { keys, unnamed }: RequestKeys,
): AclDenial | null {
  const firstArgument = (request[1] ?? '').toLowerCase();
  if (!selectorAllows(selector, command, firstArgument)) return { kind: 'command', name: command.name };
  if (!selector.allKeys) {
    if (unnamed) return { kind: 'key', key: '' };
    const foreign = keys.find((key) => !selector.keys.some(({ pattern }) => globMatches(pattern, key)));
    if (foreign !== undefined) return { kind: 'key', key: foreign };
  }
  if (selector.allChannels) return null;
  const { names, arePatterns } = channelsOf(request);
  // A pattern is allowed only to the letter: whether one pattern lies within another is not decided.
  const matches = (allowed: string, name: string): boolean =>
    arePatterns ? allowed === name : globMatches(allowed, name);
  const denied = names.find((name) => !selector.channels.some((allowed) => matches(allowed, name)));
  return denied === undefined ? null : { kind: 'channel', channel: denied };
}

/** What `ACL LOG` names: the command, the key or the channel. */
export function deniedObject(denial: AclDenial): string {
  switch (denial.kind) {
    case 'command':
      return denial.name;
    case 'key':
      return denial.key;
    case 'channel':
      return denial.channel;
  }
}

/** The error line that redis-sentinel and redis-server answer (without the leading `-`). */
export function denialMessage(denial: AclDenial): string {
  switch (denial.kind) {
    case 'command':
      return `NOPERM this user has no permissions to run the '${denial.name}' command`;
    case 'key':
      return 'NOPERM this user has no permissions to access one of the keys used as arguments';
    case 'channel':
      return 'NOPERM this user has no permissions to access one of the channels used as arguments';
  }
}

/** The sentence that `ACL DRYRUN` answers. */
export function dryRunMessage(denial: AclDenial): string {
  switch (denial.kind) {
    case 'command':
      return `This user has no permissions to run the '${denial.name}' command`;
    case 'key':
      return `This user has no permissions to access the '${denial.key}' key`;
    case 'channel':
      return `This user has no permissions to access the '${denial.channel}' channel`;
  }
}
