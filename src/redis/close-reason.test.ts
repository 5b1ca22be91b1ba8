import { describe, expect, it } from 'vitest';
import { classifyError } from './close-reason.js';

const error = (code: string, syscall?: string): Error =>
  Object.assign(new Error(code), syscall === undefined ? { code } : { code, syscall });

describe('classifyError', () => {
  const cases: readonly (readonly [Error, string])[] = [
    [error('ECONNREFUSED', 'connect'), 'refused'],
    [error('ECONNRESET', 'read'), 'reset'],
    [error('EPIPE', 'write'), 'reset'],
    [error('ECONNRESET'), 'ended'],
    [error('ETIMEDOUT', 'connect'), 'timeout'],
    [error('EHOSTUNREACH', 'connect'), 'unreachable'],
    [error('ENETUNREACH', 'connect'), 'unreachable'],
    [error('ENOTFOUND', 'getaddrinfo'), 'unreachable'],
    [error('EAI_AGAIN', 'getaddrinfo'), 'unreachable'],
    [error('ENOENT', 'connect'), 'unreachable'],
    [error('DEPTH_ZERO_SELF_SIGNED_CERT'), 'protocol'],
    [error('ERR_TLS_CERT_ALTNAME_INVALID'), 'protocol'],
    [error('ERR_SSL_WRONG_VERSION_NUMBER'), 'protocol'],
    [error('EPROTO', 'write'), 'protocol'],
    [error('EMFILE', 'connect'), 'local'],
    [error('EACCES', 'connect'), 'local'],
  ];
  for (const [given, reason] of cases) {
    it(`calls ${given.message} ${reason}`, () => expect(classifyError(given)).toBe(reason));
  }

  it('says refused for a name only when every address refused', () => {
    const refused = error('ECONNREFUSED', 'connect');
    expect(classifyError(new AggregateError([refused, refused]))).toBe('refused');
    expect(classifyError(new AggregateError([refused, error('ETIMEDOUT', 'connect')]))).toBe('timeout');
  });
});
