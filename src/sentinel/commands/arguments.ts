/** Reading and refusing the arguments of commands. Error texts are those of redis-sentinel: clients compare them. */
import { ErrorReply } from '../../redis/reply.js';
import type { Group } from '../core/state.js';
import type { Turn } from '../core/turn.js';

export const NO_SUCH_MASTER = new ErrorReply('ERR No such master with that name');
export const NOT_AN_INTEGER = new ErrorReply('ERR value is not an integer or out of range');

/** The largest count (quorum, parallel-syncs): what redis-sentinel keeps them in. */
export const COUNT_MAX = 2_147_483_647;

/** @param command in lower case, a subcommand as `sentinel|masters` */
export function wrongArity(command: string): ErrorReply {
  return new ErrorReply(`ERR wrong number of arguments for '${command}' command`);
}

/** What of a client's text is repeated in an error. */
export function quoted(text: string): string {
  return text.slice(0, 128);
}

/** Runs `then` on the master of this name, or says that there is none. */
export function withMaster<R>(turn: Turn, name: string | undefined, then: (group: Group) => R): R | ErrorReply {
  const group = name === undefined ? undefined : turn.s.groups.get(name);
  return group === undefined ? NO_SUCH_MASTER : then(group);
}

/** A decimal integer as Redis reads it (no sign `+`, no leading zeros, no spaces) within the bounds, or null. */
export function parseInteger(text: string, least: number, most: number): number | null {
  if (!/^(?:0|-?[1-9]\d{0,15})$/.test(text)) return null;
  const value = Number(text);
  return value >= least && value <= most ? value : null;
}

/** `yes` or `no`, in any case; null for anything else. */
export function parseYesNo(text: string): boolean | null {
  const word = text.toLowerCase();
  return word === 'yes' ? true : word === 'no' ? false : null;
}
