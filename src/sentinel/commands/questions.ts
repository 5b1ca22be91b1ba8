/**
 * What has to be known from outside before a command can be judged, since the core neither waits for a name nor looks
 * at files. The runner asks here first, finds the answers, and then hands the command over.
 */
import { isHost, isIpAddress } from '../../base/ip.js';
import { ErrorReply } from '../../redis/reply.js';
import type { Sentinel } from '../core/state.js';
import { splitOptions } from './set.js';

export type Question =
  /** Look the name up and give the core the answer (input `resolved`), found or not, before the command. */
  | { readonly about: 'name'; readonly host: string }
  /** Where this is no program that can be executed: answer `refusal`, and do not hand the command over. */
  | { readonly about: 'program'; readonly path: string; readonly refusal: ErrorReply };

/** The questions of a command; none for nearly all of them. */
export function questionsBefore(s: Sentinel, args: readonly string[]): Question[] {
  const [command = '', subcommand = '', ...rest] = args;
  if (command.toUpperCase() !== 'SENTINEL') return [];
  switch (subcommand.toUpperCase()) {
    case 'MONITOR':
      return rest.length === 4 ? beforeMonitor(s, rest[1] ?? '') : [];
    case 'SET':
      return beforeSet(s, rest);
    default:
      return [];
  }
}

function beforeMonitor(s: Sentinel, host: string): Question[] {
  if (isIpAddress(host) || !isHost(host) || !s.settings.resolveHostnames || s.names.get(host)?.ip) return [];
  return [{ about: 'name', host }];
}

function beforeSet(s: Sentinel, [name = '', ...pairs]: readonly string[]): Question[] {
  if (!s.groups.has(name) || s.settings.denyScriptsReconfig) return [];
  const questions: Question[] = [];
  for (const { option, name: word, values } of splitOptions(pairs)) {
    const [path = ''] = values;
    if (option?.script !== true || path === '') continue;
    const what = word.toLowerCase() === 'notification-script' ? 'Notification' : 'Client reconfiguration';
    const refusal = new ErrorReply(`ERR ${what} script seems non existing or non executable`);
    questions.push({ about: 'program', path, refusal });
  }
  return questions;
}
