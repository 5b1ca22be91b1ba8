/** How long the oldest request on a connection took, and what the slow log says of it. */
import { COMMANDS } from '../commands/table.js';
import { SLOW_REQUEST_BYTES, type SlowRequest, wordsOf } from '../measure/slow-log.js';
import type { SentRequests } from './sent-requests.js';
import type { ServerLink } from './server-link.js';

/**
 * Notes how long the oldest request took; one that blocks takes as long as it wants to.
 * @param sent null when the connection keeps no requests: then only the command's name is known.
 */
export function measureOldest(link: ServerLink, sent: SentRequests | null, slow_ms: number): void {
  const { pending, shard, owner } = link;
  const command = pending.command();
  if (owner !== null && COMMANDS.blocks[command] === 1) return;
  const { pool } = shard;
  const took_ms = pool.turn.now - pending.since_ms();
  pool.latency.note(command, took_ms);
  if (took_ms < slow_ms || !pool.slowLog.describes(pool.turn.now, pool.config.slowlogMaxLen)) return;
  pool.slowLog.add(slowRequestOf(link, sent, took_ms), pool.config.slowlogMaxLen);
}

function slowRequestOf(link: ServerLink, sent: SentRequests | null, took_ms: number): Omit<SlowRequest, 'id'> {
  return {
    at_s: Math.floor(Date.now() / 1000),
    took_us: Math.round(took_ms * 1000),
    words: words(link, sent),
    client: clientOf(link),
  };
}

function words({ pending, shard }: ServerLink, sent: SentRequests | null): Buffer[] {
  const name = shard.pool.front.commandNames[pending.command()] ?? 'other';
  // Requests sent together are one transaction: MULTI and its commands stand in front of EXEC.
  const together = pending.unheardAtFirst(0);
  if (together > 0) return [Buffer.from(name), Buffer.from(`... (${together - 1} commands)`)];
  const from = pending.position();
  const end = pending.count > 1 ? pending.position(1) : Number.POSITIVE_INFINITY;
  const bytes = sent?.copyHead(from, Math.min(end - from, SLOW_REQUEST_BYTES));
  return bytes === undefined || bytes.length === 0 ? [Buffer.from(name)] : wordsOf(bytes);
}

function clientOf({ pending, shard: { pool } }: ServerLink): string {
  const who = pending.who();
  const slot = who >= 0 ? who : pool.joins.clientOf(who);
  const socket = slot === undefined ? undefined : pool.clients[slot]?.socket;
  return socket?.remoteAddress === undefined ? '' : `${socket.remoteAddress}:${socket.remotePort}`;
}
