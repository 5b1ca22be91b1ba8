import { expect, it } from 'vitest';
import { placeName } from './place.js';

it.each([
  ['10.0.0.1', '10.0.0.1:6379'],
  ['db1.example', 'db1.example:6379'],
  ['2001:db8::1', '[2001:db8::1]:6379'],
  ['fe80::1%eth0', '[fe80::1%eth0]:6379'],
])('puts an IPv6 address in brackets: %s', (host, name) => {
  expect(placeName({ host, port: 6379 })).toBe(name);
});
