import { expect, it } from 'vitest';
import { refusalFor } from './admission.js';

const arrival = { remoteAddress: '192.0.2.9', connected: 0, maxclients: 10, protectedMode: true, open: true };

it('protected mode turns away strangers as long as there is no password', () => {
  expect(refusalFor(arrival)).toMatch(/^DENIED /);
  expect(refusalFor({ ...arrival, open: false })).toBeNull();
  expect(refusalFor({ ...arrival, protectedMode: false })).toBeNull();
});

it.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', ''])('protected mode lets %j in', (remoteAddress) => {
  expect(refusalFor({ ...arrival, remoteAddress })).toBeNull();
});

it('more clients than allowed are turned away', () => {
  expect(refusalFor({ ...arrival, connected: 9, open: false })).toBeNull();
  expect(refusalFor({ ...arrival, connected: 10, open: false })).toBe('ERR max number of clients reached');
});
