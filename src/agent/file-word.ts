/** `SENTINEL AGENT`: what an agent tells another one of itself and of the file it runs with, as JSON. */
import { z } from 'zod';
import { differences, type FileDigests, fileDigests } from '../config/tanist/digest.js';
import type { TanistConfig } from '../config/tanist/model.js';
import { isAuthError } from '../redis/handshake.js';
import { ErrorReply, type Reply } from '../redis/reply.js';
import { NoAnswer } from './peers.js';

const WORD_MAX_chars = 64 * 1024;
const NAME = z.string().max(64);

const WORD = z.object({
  version: NAME,
  /** Who votes by its file. */
  voters: z.array(NAME).max(64),
  digests: z.record(NAME, NAME),
});

export interface FileWord {
  readonly version: string;
  readonly voters: readonly string[];
  readonly digests: FileDigests;
}

/** @param config the whole file's, before it is fitted to one host */
export function fileWordOf(config: TanistConfig, version: string): FileWord {
  return { version, voters: config.hosts.map(({ name }) => name), digests: fileDigests(config) };
}

/** @returns null for anything else: an older agent's error, or nonsense */
export function readFileWord(reply: Reply): FileWord | null {
  if (typeof reply !== 'string' || reply.length > WORD_MAX_chars) return null;
  try {
    return WORD.parse(JSON.parse(reply));
  } catch {
    return null;
  }
}

/** What an operator should know of another host's file; null when it is the same. */
export function fileWarning(host: string, ours: FileWord, theirs: FileWord): string | null {
  const apart = votersApart(ours.voters, theirs.voters);
  // Another version may understand the same file otherwise.
  const isComparable = ours.version === theirs.version;
  const parts = isComparable ? differences(ours.digests, theirs.digests) : apart > 0 ? ['hosts'] : [];
  if (parts.length === 0) return null;
  const what = `the agent on ${host} runs with another tanist.yml: other ${parts.join(', ')}`;
  if (apart < 2) {
    return `${what}. Put the same file on all hosts and restart the agents that started before it`;
  }
  return `${what}; its voters are ${theirs.voters.join(', ')}, and two lists that differ by more than one host may have two majorities. Stop the agent whose list is wrong, and change one host at a time`;
}

/** That another agent does not let this one in; null for any other reply. */
export function loginRefusal(host: string, reply: Reply): string | null {
  const isRefused =
    reply instanceof NoAnswer ? reply.why === 'ERR_LINK_AUTH' : reply instanceof ErrorReply && isAuthError(reply);
  if (!isRefused) return null;
  return `the agent on ${host} refuses this one's login: sentinel.password of the two tanist.yml must be the same`;
}

/** How many hosts stand in one of the two lists alone. */
export function votersApart(ours: readonly string[], theirs: readonly string[]): number {
  const alone = (list: readonly string[], other: readonly string[]) => list.filter((each) => !other.includes(each));
  return alone(ours, theirs).length + alone(theirs, ours).length;
}
