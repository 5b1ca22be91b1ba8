import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { tempDir } from '../../test/support/temp-dir.js';
import { findProgram } from './find-program.js';

const cleanup = cleanupAfterEach();

it('finds the first file that may be run, and no folder', () => {
  const [folder, plain, first, second] = ['a', 'b', 'c', 'd'].map((name) => join(tempDir(cleanup), name));
  if (folder === undefined || plain === undefined || first === undefined || second === undefined)
    throw new Error('four');
  mkdirSync(join(folder, 'ping'), { recursive: true });
  for (const each of [plain, first]) {
    mkdirSync(each);
    writeFileSync(join(each, 'ping'), '#!/bin/sh\n');
  }
  chmodSync(join(first, 'ping'), 0o755);
  mkdirSync(second);
  symlinkSync(join(first, 'ping'), join(second, 'ping'));
  const all = [join(folder, 'absent'), folder, plain, first, second];
  expect(findProgram('ping', all)).toBe(join(first, 'ping'));
  expect(findProgram('ping', [folder, plain, second])).toBe(join(second, 'ping'));
  expect(findProgram('ping', [folder, plain])).toBeNull();
});
