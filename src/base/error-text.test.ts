import { expect, it } from 'vitest';
import { errorText } from './error-text.js';

it('is the message of an error, and the text of anything else', () => {
  expect(errorText(new TypeError('no such thing'))).toBe('no such thing');
  expect(errorText('a text')).toBe('a text');
  expect(errorText(undefined)).toBe('undefined');
});
