/** Ends the proxies that agents have left in a directory. */
import { KILLED_MS, killProcess, type ProcessId, untilGone } from '../../net/process-id.js';
import { DRAIN_MS, END_MS } from '../workers/messages.js';
import type { ProcessLinkEvents } from '../workers/process-link.js';
import { greet } from './greet.js';
import { livingProxies } from './places.js';

const GREETING_MS = 3_000;
const UNHEARD: ProcessLinkEvents = { exited: () => {}, doubted: () => {}, logged: () => {} };

/**
 * No new clients are taken at once; those that are there are let go when they have been answered. One that does not
 * listen is killed.
 * @returns the pids of those that have ended
 */
export async function endProxies(directory: string, drain_ms = DRAIN_MS): Promise<number[]> {
  const ids = livingProxies(directory);
  await Promise.all(ids.map((id) => end(directory, id, drain_ms)));
  return ids.map(({ pid }) => pid);
}

async function end(directory: string, id: ProcessId, drain_ms: number): Promise<void> {
  try {
    const { link } = await greet(directory, id, { events: UNHEARD, deadline_ms: GREETING_MS });
    await link.end(drain_ms, END_MS);
  } catch {
    killProcess(id);
  }
  await untilGone(id, KILLED_MS);
}
