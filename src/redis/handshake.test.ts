import { describe, expect, it } from 'vitest';
import { Handshake, type HandshakeOptions } from './handshake.js';
import { ErrorReply, MapReply } from './reply.js';

const NONE: HandshakeOptions = { auth: null, protocol: 2, database: 0, name: '' };
const first = (options: Partial<HandshakeOptions>, error: string) =>
  new Handshake({ ...NONE, ...options }).received(new ErrorReply(error));
const auth = { user: '', pass: 'p' };

describe('Handshake', () => {
  it('asks for what is configured, in this order', () => {
    expect(new Handshake(NONE).requests).toEqual([]);
    expect(new Handshake({ auth: { user: 'u', pass: 'p' }, protocol: 3, database: 2, name: 'n' }).requests).toEqual([
      ['AUTH', 'u', 'p'],
      ['HELLO', '3'],
      ['SELECT', '2'],
      ['CLIENT', 'SETNAME', 'n'],
    ]);
    expect(new Handshake({ ...NONE, auth }).requests).toEqual([['AUTH', 'p']]);
  });

  it('is done with the last answer', () => {
    const handshake = new Handshake({ ...NONE, auth, protocol: 3 });
    expect(handshake.received('OK')).toEqual({ kind: 'go on', note: null });
    expect([handshake.done, handshake.protocol]).toEqual([false, 2]);
    handshake.received(new MapReply([['proto', 3]]));
    expect([handshake.done, handshake.protocol]).toEqual([true, 3]);
    expect(handshake.received('OK')).toMatchObject({ kind: 'close', why: 'protocol' });
  });

  const closing: readonly (readonly [Partial<HandshakeOptions>, string, string])[] = [
    [{ auth }, 'WRONGPASS invalid username-password pair or user is disabled.', 'auth'],
    [{ auth }, "ERR wrong number of arguments for 'auth' command", 'auth'],
    [{ auth }, 'ERR max number of clients reached', 'ended'],
    [{ name: 'n' }, 'DENIED Redis is running in protected mode', 'ended'],
    [{ database: 99 }, 'ERR DB index is out of range', 'protocol'],
    [{ database: 1 }, 'NOAUTH Authentication required.', 'auth'],
  ];
  for (const [options, error, why] of closing) {
    it(`closes as ${why} on ${error.slice(0, 40)}`, () => {
      expect(first(options, error)).toMatchObject({ kind: 'close', why });
    });
  }

  const passing: readonly (readonly [Partial<HandshakeOptions>, string])[] = [
    [{ auth }, 'ERR Client sent AUTH, but no password is set'],
    [{ auth }, 'ERR AUTH <password> called without any password configured for the default user. Are you sure?'],
    [{ name: 'n' }, "ERR unknown command 'CLIENT'"],
    [{ name: 'n' }, "NOPERM this user has no permissions to run the 'client|setname' command"],
    [{ protocol: 3 }, "ERR unknown command 'HELLO'"],
  ];
  for (const [options, error] of passing) {
    it(`goes on, with a note, after ${error.slice(0, 40)}`, () => {
      expect(first(options, error)).toMatchObject({ kind: 'go on', note: expect.stringContaining(error) });
    });
  }
});
