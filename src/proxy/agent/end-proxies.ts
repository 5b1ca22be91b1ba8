/** Ends the proxies that agents have left in a directory. */
import { killProcess, type ProcessId } from '../../net/process-id.js';
import { ProcessLink } from '../workers/process-link.js';
import { livingProxies } from './places.js';
import { connectTo, SocketChannel } from './socket-channel.js';

const GREETING_MS = 3_000;
const DRAIN_MS = 5_000;
const END_MS = 3_000;

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
  const nothing = (): void => {};
  try {
    const socket = await connectTo(directory, id, GREETING_MS);
    const channel = new SocketChannel(socket, id, null);
    const link = new ProcessLink(channel, { exited: nothing, doubted: nothing, logged: nothing });
    await link.started(GREETING_MS);
    await link.end(drain_ms, END_MS);
    await channel.died();
  } catch {
    killProcess(id);
  }
}
