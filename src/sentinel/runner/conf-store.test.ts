import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { tempDir } from '../../../test/support/temp-dir.js';
import { loadConfFile } from '../../config/conf-files.js';
import { STATE_DEFAULTS } from '../../config/sentinel-types.js';
import { ConfStore } from './conf-store.js';

const cleanup = cleanupAfterEach();

const SNAPSHOT = { ...STATE_DEFAULTS, myId: 'a'.repeat(40), currentEpoch: 1, masters: [] };

it('says once that the file is overwritten in place', () => {
  const path = join(tempDir(cleanup), 'sentinel.conf');
  writeFileSync(path, 'port 1\n');
  const logs: string[] = [];
  const store = new ConfStore(path, loadConfFile(path), {
    log: (level, text) => logs.push(`${level} ${text}`),
    write: (target, content) => {
      writeFileSync(target, content);
      return 'in-place';
    },
  });
  store.save(SNAPSHOT);
  store.save({ ...SNAPSHOT, currentEpoch: 2 });
  expect(logs).toHaveLength(1);
  expect(logs[0]).toContain(`warning ${path} cannot be replaced by renaming`);
  expect(readFileSync(path, 'utf8')).toContain('sentinel current-epoch 2');
});

it('writes on from what was changed by hand meanwhile, and writes a file anew that is gone', () => {
  const path = join(tempDir(cleanup), 'sentinel.conf');
  writeFileSync(path, 'port 1\n');
  const store = new ConfStore(path, loadConfFile(path), { log: () => undefined });
  store.save(SNAPSHOT);
  writeFileSync(path, `# by hand\n${readFileSync(path, 'utf8')}`);
  store.save({ ...SNAPSHOT, currentEpoch: 2 });
  expect(readFileSync(path, 'utf8')).toMatch(/^# by hand\nport 1\n[\s\S]*sentinel current-epoch 2\n/);
});
