/** The agent's HTTP API: limits, guards and error answers here; what is answered is in the files beside. */
import { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { errorText } from '../../base/error-text.js';
import type { Log } from '../../observe/log.js';
import type { AgentControl } from '../view.js';
import { ApiError, errorBody } from './errors.js';
import { EventStream, type EventStreamLimits, eventStreamLimits } from './event-stream.js';
import { checkHost, TokenCheck } from './guard.js';
import { orderRoutes } from './orders.js';
import { readRoutes } from './reads.js';

const BODY_MAX_bytes = 4 * 1024;
const HEADER_MAX_bytes = 8 * 1024;
const CONNECTIONS_MAX = 256;
/** How long a request may take to arrive. */
const REQUEST_MS = 10_000;
const KEEP_ALIVE_MS = 30_000;
/** A connection on which nothing moves; longer than the longest order takes. */
const IDLE_MS = 90_000;

/** What `/metrics` serves. */
export interface MetricsSource {
  readonly contentType: string;
  text(): Promise<string>;
}

export interface ApiOptions {
  readonly control: AgentControl;
  readonly metrics: MetricsSource;
  /** Needed for orders; null: orders over loopback only. */
  readonly token: string | null;
  readonly log: Pick<Log, 'write'>;
  /** For tests. */
  readonly eventLimits?: EventStreamLimits;
  readonly keepAlive_ms?: number;
}

export class ApiServer {
  readonly #app: FastifyInstance;
  readonly #events: EventStream;

  constructor(options: ApiOptions) {
    const { control, metrics, log } = options;
    const token = new TokenCheck(options.token);
    this.#events = new EventStream(control, options.eventLimits ?? eventStreamLimits, options.keepAlive_ms);
    this.#app = createApp(log);
    this.#app.addHook('onRequest', async (request) => checkHost(request, token));
    readRoutes(this.#app, { control, metrics, events: this.#events });
    orderRoutes(this.#app, { control, token, log });
    notFound(this.#app);
  }

  /** @returns the port, for 0 was asked for. @throws {Error} with the fix when the address cannot be listened on */
  async listen(place: { readonly host: string; readonly port: number }): Promise<number> {
    try {
      await this.#app.listen({ host: place.host, port: place.port, backlog: 128 });
    } catch (error) {
      const why = errorText(error);
      throw new Error(`the HTTP API cannot be opened: ${why}\n  fix: set api.listen in tanist.yml to a free address`);
    }
    const address = this.#app.server.address();
    return typeof address === 'object' && address !== null ? address.port : place.port;
  }

  /** Readers of `/events` now, and how many were dropped because they did not keep up. */
  get eventReaders(): { readonly now: number; readonly dropped: number } {
    return { now: this.#events.readers, dropped: this.#events.dropped };
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    this.#events.close();
    await this.#app.close();
  }
}

function createApp(log: Pick<Log, 'write'>): FastifyInstance {
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    bodyLimit: BODY_MAX_bytes,
    requestTimeout: REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionTimeout: IDLE_MS,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true },
    http: { maxHeaderSize: HEADER_MAX_bytes, headersTimeout: REQUEST_MS },
    clientErrorHandler(error, socket) {
      const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
      const status = tooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request';
      const message = tooLarge ? 'the request has too many headers' : 'this is no HTTP request';
      const body = JSON.stringify({ error: message, fix: 'docs/api.md says what can be asked' });
      const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
      if (socket.writable) socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`);
      else socket.destroy();
    },
  });
  app.server.maxConnections = CONNECTIONS_MAX;
  // Only JSON is understood: a web page can send text/plain anywhere without being asked whether it may.
  app.removeContentTypeParser('text/plain');
  app.addHook('onSend', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
  });
  app.setErrorHandler((error: FastifyError | ApiError, _request, reply) => answerError(error, reply, log));
  return app;
}

function answerError(error: FastifyError | ApiError, reply: FastifyReply, log: Pick<Log, 'write'>): FastifyReply {
  if (error instanceof ApiError) return reply.code(error.status).headers(error.headers).send(errorBody(error));
  const status = error.statusCode ?? 500;
  if (status < 500) return reply.code(status).send({ error: error.message, fix: fixOf(status) });
  log.write('warning', `HTTP API: ${error.stack ?? error.message}`);
  return reply.code(500).send({ error: 'a fault of the agent', fix: "see the agent's log" });
}

function fixOf(status: number): string {
  switch (status) {
    case 413:
      return `keep the body under ${BODY_MAX_bytes} bytes`;
    case 415:
      return 'send JSON, with "Content-Type: application/json"';
    default:
      return 'send a JSON object; docs/api.md says what can be asked';
  }
}

function notFound(app: FastifyInstance): void {
  app.setNotFoundHandler((request: FastifyRequest, reply) => {
    const path = request.url.split('?')[0] ?? '';
    const allowed = (['GET', 'POST'] as const).filter((method) => app.findRoute({ method, url: path }) !== null);
    if (allowed.length > 0) {
      const error = { message: `${request.method} is not for ${path}`, fix: `use ${allowed.join(' or ')}` };
      return reply.code(405).header('allow', allowed.join(', ')).send(errorBody(error));
    }
    const fix =
      'there are /cluster, /history, /events, /explain, /metrics, /primary, /replica, /health and more: docs/api.md';
    return reply.code(404).send({ error: `there is no ${path.slice(0, 100)}`, fix });
  });
}
