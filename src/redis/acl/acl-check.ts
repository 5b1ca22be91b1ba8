/** May this user send this request? */
import { ACL_COMMANDS, type AclCommand } from './acl-commands.js';
import { type AclSelector, selectorAllows } from './acl-selector.js';
import type { AclUser } from './acl-user.js';
import { globMatches } from './glob.js';

/** Why a request is denied. */
export type AclDenial =
  | { readonly kind: 'command'; readonly name: string }
  | { readonly kind: 'channel'; readonly channel: string };

/** The command of a request as ACL knows it: the subcommand, where there is one. Null for an unknown command. */
export function findCommand(request: readonly string[]): AclCommand | null {
  const name = (request[0] ?? '').toLowerCase();
  const subcommand = (request[1] ?? '').toLowerCase();
  return ACL_COMMANDS.get(`${name}|${subcommand}`) ?? ACL_COMMANDS.get(name) ?? null;
}

/** The channels that a request names, and whether they are patterns. */
function channelsOf(request: readonly string[]): { names: readonly string[]; arePatterns: boolean } {
  switch ((request[0] ?? '').toLowerCase()) {
    case 'subscribe':
      return { names: request.slice(1), arePatterns: false };
    case 'psubscribe':
      return { names: request.slice(1), arePatterns: true };
    case 'publish':
      return { names: request.slice(1, 2), arePatterns: false };
    default:
      return { names: [], arePatterns: false };
  }
}

/**
 * Null when the user may send the request. One of the user's selectors must allow all of it.
 * @param request the command and its arguments; an unknown command is denied by name.
 */
export function checkRequest(user: AclUser, request: readonly string[]): AclDenial | null {
  const command = findCommand(request);
  if (command === null) return { kind: 'command', name: (request[0] ?? '').toLowerCase() };
  let denial: AclDenial | null = null;
  for (const selector of [user.root, ...user.selectors]) {
    const here = checkSelector(selector, command, request);
    if (here === null) return null;
    // The selector that came furthest says why.
    if (denial === null || here.kind === 'channel') denial = here;
  }
  return denial;
}

function checkSelector(selector: AclSelector, command: AclCommand, request: readonly string[]): AclDenial | null {
  const firstArgument = (request[1] ?? '').toLowerCase();
  if (!selectorAllows(selector, command, firstArgument)) return { kind: 'command', name: command.name };
  if (selector.allChannels) return null;
  const { names, arePatterns } = channelsOf(request);
  // A pattern is allowed only to the letter: whether one pattern lies within another is not decided.
  const matches = (allowed: string, name: string): boolean =>
    arePatterns ? allowed === name : globMatches(allowed, name);
  const denied = names.find((name) => !selector.channels.some((allowed) => matches(allowed, name)));
  return denied === undefined ? null : { kind: 'channel', channel: denied };
}

/** The error line that redis-sentinel answers (without the leading `-`). */
export function denialMessage(denial: AclDenial): string {
  return denial.kind === 'command'
    ? `NOPERM this user has no permissions to run the '${denial.name}' command`
    : 'NOPERM this user has no permissions to access one of the channels used as arguments';
}

/** The sentence that `ACL DRYRUN` answers. */
export function dryRunMessage(denial: AclDenial): string {
  return denial.kind === 'command'
    ? `This user has no permissions to run the '${denial.name}' command`
    : `This user has no permissions to access the '${denial.channel}' channel`;
}
