/**
 * Who votes is said by tanist.yml, and agents are given a new one host by host: meanwhile some count by the old list, some
 * by the new. Any majority of a list and any majority of the list with one host more, or one less, have a host in common;
 * beyond that two majorities could lead at once. So an agent remembers the list it last ran with, and does not start with
 * one that is further away.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../config/atomic-file.js';
import type { ClusterMode, HostConfig, TanistConfig } from '../config/tanist/model.js';
import { votersApart } from './file-word.js';

const FILE = 'last-run.json';
const KEPT = z.object({ mode: z.enum(['quorum', 'pair']), voters: z.array(z.string()) });

/** What an agent remembers of the file that it last ran with. */
export interface LastRun {
  readonly mode: ClusterMode;
  readonly voters: readonly string[];
}

/** Raised when a file names other voters than one step allows. */
export class VoterChangeError extends Error {
  override readonly name = 'VoterChangeError';
  readonly code = 'ERR_VOTER_CHANGE';
}

/**
 * Looks at the step from the last run's file to this one's.
 * @returns the last run; null when none is known
 * @throws {VoterChangeError} when the step is too long
 */
export function stepFromLastRun(config: TanistConfig, self: HostConfig): LastRun | null {
  const path = pathOf(config);
  const before = keptRun(path);
  const now = runOf(config);
  if (before !== null && isTooFar(before, now, self)) throw tooFar(config.file, path, before, now);
  return before;
}

/**
 * Remembers this run as the last one. To be called as soon as its Sentinel counts by this file, and not before: a start that
 * has failed is no run, and nobody else counts by its list.
 * @param before what {@link stepFromLastRun} said
 * @throws {ConfigFileError} when it cannot be written
 */
export function rememberRun(config: TanistConfig, before: LastRun | null): void {
  const text = JSON.stringify(runOf(config));
  if (JSON.stringify(before) !== text) writeFileAtomic(pathOf(config), Buffer.from(`${text}\n`));
}

function pathOf({ stateDirectory }: TanistConfig): string {
  return join(stateDirectory, FILE);
}

function runOf({ mode, hosts }: TanistConfig): LastRun {
  return { mode, voters: hosts.map(({ name }) => name) };
}

function isTooFar(before: LastRun, now: LastRun, self: HostConfig): boolean {
  // In a pair nobody votes: how one becomes a quorum is written in docs/operations.md.
  if (before.mode === 'pair' || now.mode === 'pair') return false;
  // Nobody else can count by a list that names this host alone.
  if (before.voters.length === 1 && before.voters[0] === self.name) return false;
  return votersApart(before.voters, now.voters) > 1;
}

function tooFar(file: string, path: string, before: LastRun, now: LastRun): VoterChangeError {
  const text = `the hosts are ${now.voters.join(', ')}, and this agent last ran with ${before.voters.join(', ')}: when more than one host comes or goes at a time, two majorities could lead at once`;
  const fix = `change one host, restart all agents, then change the next. When all other agents are stopped, or gone for good, remove ${path}, and start again`;
  return new VoterChangeError(`${file}: ${text}\n  fix: ${fix}`);
}

/** Null when there is none: a first start, or an operator who knows better. */
function keptRun(path: string): LastRun | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return null;
  }
  try {
    return KEPT.parse(JSON.parse(text));
  } catch {
    throw new VoterChangeError(`${path} is damaged\n  fix: remove it, unless hosts have been added or removed since`);
  }
}
