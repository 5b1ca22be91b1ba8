/** One POST of a webhook: a deadline, no redirects, and little of the answer read. */
import type { HookResult } from './run-program.js';

const ANSWER_MAX_bytes = 1024;

export interface Post {
  /** http or https; a user and password in it are sent as Basic authorization. */
  readonly url: string;
  readonly body: string;
  readonly timeout_ms: number;
  /** Ends it early. */
  readonly signal: AbortSignal;
}

/** Never throws. 2xx is a success; everything else, a redirect included, is not. */
export async function postOnce(post: Post): Promise<HookResult> {
  const timeout = AbortSignal.timeout(post.timeout_ms);
  try {
    const { url, headers } = target(post.url);
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'tanist', ...headers },
      body: post.body,
      // To follow would send what is meant for one server to another.
      redirect: 'manual',
      signal: AbortSignal.any([timeout, post.signal]),
    });
    const output = await beginning(response);
    if (response.ok) return { ok: true, output };
    const why = response.status >= 300 && response.status < 400 ? ' (redirects are not followed)' : '';
    return { ok: false, why: `answered ${response.status}${why}`, timedOut: false, output };
  } catch (error) {
    const timedOut = timeout.aborted;
    const why = timedOut ? `took longer than ${post.timeout_ms} ms` : causeOf(error);
    return { ok: false, why, timedOut, output: '' };
  }
}

function target(text: string): { readonly url: URL; readonly headers: Readonly<Record<string, string>> } {
  const url = new URL(text);
  const { username, password } = url;
  if (username === '' && password === '') return { url, headers: {} };
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  url.username = '';
  url.password = '';
  return { url, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}

async function beginning(response: Response): Promise<string> {
  if (response.body === null) return '';
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  let length_bytes = 0;
  while (length_bytes < ANSWER_MAX_bytes) {
    const { value } = await reader.read();
    if (value === undefined) break;
    parts.push(value);
    length_bytes += value.length;
  }
  await reader.cancel();
  return Buffer.concat(parts).toString('utf8', 0, ANSWER_MAX_bytes).trim();
}

/** fetch hides what happened in a cause; the URL, which may hold a secret, is in neither. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error && cause.message !== '') return cause.message;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return code === '' ? error.message : code;
}
