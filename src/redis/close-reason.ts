/** Why a connection ended or could not be made, from what the operating system and TLS say. */
import { errorText } from '../base/error-text.js';

/**
 * - `refused`, `reset`: the host is alive and its process said no, or is gone. Nothing else is called by these names,
 *   for a Sentinel may take them for a death.
 * - `ended`: the peer closed in good order, or turned us away (too many clients, protected mode).
 * - `timeout`: silence: no connection, no handshake, no answer in time.
 * - `unreachable`: no way to the host, or its name is unknown.
 * - `auth`: the server did not take our password or our user.
 * - `protocol`: what came is not RESP, nobody asked for it, or TLS failed.
 * - `local`: the fault is here, such as too many open files.
 */
export type CloseReason = 'refused' | 'reset' | 'ended' | 'timeout' | 'unreachable' | 'auth' | 'protocol' | 'local';

/** The reason for a socket's `error` event. */
export function classifyError(error: unknown): CloseReason {
  // Node tries all addresses of a name: only when every one refused was the connection refused.
  if (error instanceof AggregateError && error.errors.length > 0) {
    const reasons = error.errors.map(classifyError);
    return reasons.find((reason) => reason !== 'refused') ?? 'refused';
  }
  const { code, syscall } = errorFields(error);
  switch (code) {
    case 'ECONNREFUSED':
      return 'refused';
    case 'ECONNRESET':
      // Node says ECONNRESET, though no system call did, when a peer ends in good order before TLS is set up.
      return syscall === undefined ? 'ended' : 'reset';
    case 'EPIPE':
    case 'ECONNABORTED':
      return 'reset';
    case 'ETIMEDOUT':
    case 'ERR_SOCKET_CONNECTION_TIMEOUT':
      return 'timeout';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_FAIL':
    case 'EAI_NODATA':
    case 'ENOENT':
    case 'ENOTDIR':
      return 'unreachable';
    default:
      return code === '' || isTlsCode(code) ? 'protocol' : 'local';
  }
}

/** Whatever OpenSSL or Node's TLS has to say: a bad certificate, a peer that does not speak TLS. */
function isTlsCode(code: string): boolean {
  return code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') || !/^E[A-Z0-9]+$/.test(code);
}

/** One sentence for the log. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(describeError).join('; ');
  return errorText(error);
}

function errorFields(error: unknown): { readonly code: string; readonly syscall: string | undefined } {
  if (typeof error !== 'object' || error === null) return { code: '', syscall: undefined };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const syscall = 'syscall' in error && typeof error.syscall === 'string' ? error.syscall : undefined;
  return { code, syscall };
}
