/**
 * The statistics port. nutcracker's sends its JSON to whoever connects, and what reads it sends nothing; Prometheus sends
 * a request. So a connection has a moment to say that it speaks HTTP: a request comes on the heels of the handshake,
 * however long the way is. One port for both needs no second address in anybody's configuration.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { METRICS_TYPE, metricsText } from './measure/metrics-text.js';
import type { Snapshot, StatsSource } from './measure/snapshot.js';
import { statsObject } from './stats-page.js';

/** How long a connection that says nothing waits for its JSON. */
const SILENCE_MS = 100;
const REQUEST_MAX_BYTES = 16 * 1024;
/** How long a connection may take altogether. */
const WHOLE_MS = 5_000;
const CONNECTIONS_MAX = 128;

/** What a connection has said so far. */
export type Asked =
  | { readonly kind: 'nothing' }
  /** The beginning of an HTTP request. */
  | { readonly kind: 'part' }
  | { readonly kind: 'http'; readonly head: boolean; readonly path: string }
  | { readonly kind: 'plain' };

/** What the first bytes of a connection ask for. */
export function whatIsAsked(text: string): Asked {
  if (text === '') return { kind: 'nothing' };
  if (!['GET ', 'HEAD '].some((method) => text.startsWith(method) || method.startsWith(text))) return { kind: 'plain' };
  if (!/\r?\n\r?\n/.test(text)) return text.length < REQUEST_MAX_BYTES ? { kind: 'part' } : { kind: 'plain' };
  const line = /^(GET|HEAD) ([^ ?]*)\S* HTTP\/\d/.exec(text);
  return line === null ? { kind: 'plain' } : { kind: 'http', head: line[1] === 'HEAD', path: line[2] ?? '' };
}

function json(snapshot: Snapshot): string {
  return `${JSON.stringify(statsObject(snapshot, Date.now()))}\n`;
}

function httpReply(snapshot: Snapshot, path: string, head: boolean): string {
  let [status, type, body] = ['404 Not Found', 'text/plain', 'There are /metrics and / (JSON) here.\n'];
  if (path === '/metrics') [status, type, body] = ['200 OK', METRICS_TYPE, metricsText(snapshot)];
  if (path === '/') [status, type, body] = ['200 OK', 'application/json', json(snapshot)];
  const lines = [`Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close'];
  return `HTTP/1.1 ${status}\r\n${lines.join('\r\n')}\r\n\r\n${head ? '' : body}`;
}

function serve(socket: Socket, source: StatsSource): void {
  let text = '';
  let answered = false;
  const answer = (asked: Asked): void => {
    if (answered) return;
    answered = true;
    clearTimeout(silence);
    source.snapshot().then(
      (snapshot) => socket.end(asked.kind === 'http' ? httpReply(snapshot, asked.path, asked.head) : json(snapshot)),
      () => socket.destroy(),
    );
  };
  const silence = setTimeout(() => answer({ kind: 'plain' }), SILENCE_MS);
  const whole = setTimeout(() => socket.destroy(), WHOLE_MS);
  socket.on('data', (bytes: Buffer) => {
    if (answered) return;
    text += bytes.toString('latin1');
    const asked = whatIsAsked(text);
    clearTimeout(silence);
    if (asked.kind !== 'part') answer(asked);
  });
  socket.on('end', () => answer({ kind: 'plain' }));
  socket.on('error', () => {});
  socket.on('close', () => {
    answered = true;
    clearTimeout(silence);
    clearTimeout(whole);
  });
}

/** Serves the statistics to whoever connects: as JSON, or by HTTP at `/metrics` for Prometheus and `/` as JSON. */
export function createStatsServer(source: StatsSource): Server {
  const server = createServer({ allowHalfOpen: true }, (socket) => serve(socket, source));
  server.maxConnections = CONNECTIONS_MAX;
  return server;
}
