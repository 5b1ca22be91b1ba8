/** Speaks to the HTTP API of an agent. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { ClusterView, Explanation, HistoryEntry } from '../agent/view.js';
import { plain } from './terminal.js';

/** Longer than the API itself waits for other hosts. */
const READ_MS = 8_000;
/** Longer than the API lets an order take. */
const ORDER_MS = 75_000;
const CONNECT_MS = 2_000;
const ANSWER_MAX_bytes = 16 * 1024 * 1024;

/** No agent answers. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  readonly code = 'ERR_UNREACHABLE';
  readonly fix = 'start it with `tanist run`, or ask another host: -u http://HOST:8008, or all of them: -f tanist.yml';
}

/** The agent answers that it will not, or cannot. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly code = 'ERR_REFUSED';

  constructor(
    message: string,
    readonly fix: string,
    /** The HTTP status. */
    readonly status: number,
  ) {
    super(message);
  }
}

export interface ClientOptions {
  /** Base URLs; the first that can be connected to is asked from then on. At least one. */
  readonly urls: readonly string[];
  /** Null: none is sent. */
  readonly token: string | null;
}

export type Order =
  | { readonly do: 'switchover'; readonly group: string | null; readonly to: string | null }
  | { readonly do: 'failover'; readonly group: string | null; readonly to: string | null; readonly force: true }
  | { readonly do: 'pause' | 'resume'; readonly group: string | null };

interface Sent {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** How long nothing may move. */
  readonly timeout_ms: number;
}

export class ClusterClient {
  readonly #options: ClientOptions;
  /** The one that answered. */
  #url: string | null = null;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** The one that is asked, or, while none has answered, the first that would be. */
  get url(): string {
    return this.#url ?? this.#options.urls[0] ?? '';
  }

  cluster(): Promise<ClusterView> {
    return this.#get('/cluster');
  }

  history(group: string | null, limit: number): Promise<readonly HistoryEntry[]> {
    return this.#get(`/history?limit=${limit}${group === null ? '' : `&group=${encodeURIComponent(group)}`}`);
  }

  explain(group: string | null): Promise<Explanation> {
    return this.#get(`/explain${group === null ? '' : `?group=${encodeURIComponent(group)}`}`);
  }

  /** The name of the host that answers; it asks nobody else. */
  async hostName(): Promise<string> {
    return (await this.#get<{ readonly host: string }>('/liveness')).host;
  }

  /** @returns what was done. @throws {RefusedError} when it was not */
  async order(order: Order): Promise<string> {
    const { do: what, ...rest } = order;
    const body = JSON.stringify(Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null)));
    const headers = { 'content-type': 'application/json' };
    const response = await this.#send({ method: 'POST', path: `/${what}`, body, headers, timeout_ms: ORDER_MS });
    return (await this.#json<{ readonly text: string }>(response)).text;
  }

  /** The stream of events, from this id on. @param silence_ms how long it may be silent */
  async events(group: string | null, lastId: string, silence_ms: number): Promise<IncomingMessage> {
    const path = `/events${group === null ? '' : `?group=${encodeURIComponent(group)}`}`;
    const headers = { 'last-event-id': lastId };
    const response = await this.#send({ method: 'GET', path, body: null, headers, timeout_ms: silence_ms });
    if (response.statusCode !== 200) await this.#json(response);
    return response;
  }

  async #get<T>(path: string): Promise<T> {
    return this.#json<T>(await this.#send({ method: 'GET', path, body: null, headers: {}, timeout_ms: READ_MS }));
  }

  /** @throws {UnreachableError} when none of the URLs can be connected to */
  async #send(sent: Sent): Promise<IncomingMessage> {
    const urls = this.#url === null ? this.#options.urls : [this.#url];
    const failures: string[] = [];
    for (const url of urls) {
      try {
        const response = await send(url, sent, this.#options.token);
        this.#url = url;
        return response;
      } catch (error) {
        // An order that was begun may have been heard: it is not given twice.
        if (!(error instanceof ConnectError)) throw new UnreachableError(`${url}: ${messageOf(error)}`);
        failures.push(`${url} (${error.message})`);
      }
    }
    throw new UnreachableError(`no agent answers at ${failures.join(', ')}`);
  }

  async #json<T>(response: IncomingMessage): Promise<T> {
    const text = await textOf(response);
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      throw new UnreachableError(`what answers at ${this.url} is no agent of Tanist`);
    }
    const status = response.statusCode ?? 0;
    // What an agent says of itself is taken as it is: both are of one version.
    if (status === 200) return value as T;
    const { error, fix } = { error: undefined, fix: undefined, ...(value as object) };
    if (typeof error !== 'string') throw new UnreachableError(`${this.url} answers with status ${status}`);
    throw new RefusedError(plain(error), typeof fix === 'string' ? plain(fix) : '', status);
  }
}

/** Nothing was sent. */
class ConnectError extends Error {
  override readonly name = 'ConnectError';
}

function send(base: string, sent: Sent, token: string | null): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = new URL(`${base.replace(/\/+$/, '')}${sent.path}`);
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` };
    const headers = { ...sent.headers, ...authorization, 'user-agent': 'tanist' };
    const make = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = make(url, { method: sent.method, headers, agent: false, timeout: sent.timeout_ms });
    let isConnected = false;
    const connecting = setTimeout(() => {
      request.destroy(new Error(`no connection within ${CONNECT_MS / 1000} s`));
    }, CONNECT_MS);
    request.on('socket', (socket) => {
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        isConnected = true;
        clearTimeout(connecting);
      });
    });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${sent.timeout_ms / 1000} s`)));
    request.on('response', resolve);
    request.on('error', (error) => {
      clearTimeout(connecting);
      reject(isConnected ? error : new ConnectError(messageOf(error)));
    });
    request.end(sent.body ?? undefined);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let length_bytes = 0;
  try {
    for await (const part of response) {
      const bytes: Buffer = Buffer.from(part);
      length_bytes += bytes.length;
      if (length_bytes > ANSWER_MAX_bytes) throw new Error('its answer is too long');
      parts.push(bytes);
    }
  } catch (error) {
    throw new UnreachableError(`the agent's answer broke off: ${messageOf(error)}`);
  }
  return Buffer.concat(parts).toString('utf8');
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : '';
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ECONNRESET') return 'connection reset';
  return error.message === '' ? String(code) : error.message;
}
