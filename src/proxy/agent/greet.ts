/** How a proxy that may have been there before is met: it says what it is, and then takes orders. */
import type { ChildProcess } from 'node:child_process';
import type { ProcessId } from '../../net/process-id.js';
import type { Identity } from '../workers/messages.js';
import { ProcessLink, type ProcessLinkEvents } from '../workers/process-link.js';
import { connectTo, SocketChannel } from './socket-channel.js';

export interface Greeted {
  readonly link: ProcessLink;
  readonly channel: SocketChannel;
  readonly identity: Identity;
}

export interface Greeting {
  readonly events: ProcessLinkEvents;
  readonly deadline_ms: number;
  /** The process, if it is our own child. */
  readonly child?: ChildProcess | null;
}

/**
 * Connects to the proxy of a process.
 * @throws {Error} (rejects) when nobody listens there, or it does not say what it is in time; then nothing is left of it here
 */
export async function greet(directory: string, id: ProcessId, greeting: Greeting): Promise<Greeted> {
  const { events, deadline_ms, child = null } = greeting;
  const channel = new SocketChannel(await connectTo(directory, id, deadline_ms), id, child);
  const link = new ProcessLink(channel, events);
  try {
    const { identity } = await link.started(deadline_ms);
    if (identity === undefined) throw new Error('it does not say what it is');
    return { link, channel, identity };
  } catch (error) {
    channel.abandon();
    throw error;
  }
}
