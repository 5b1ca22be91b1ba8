import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { tempDir } from '../../test/support/temp-dir.js';
import { until } from '../../test/support/until.js';
import { Arbiter, findPing } from './arbiter.js';

const cleanup = cleanupAfterEach();
let folder = '';
beforeEach(() => {
  folder = tempDir(cleanup);
});

/** A program in the place of `ping`. */
function standIn(body: string): string {
  const path = join(folder, 'ping');
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

function ask(ping: string): Arbiter {
  const arbiter = new Arbiter({
    address: '10.0.0.254',
    ping,
    lendRights: (start) => start(),
    peer: 'b',
    askPeer: () => Promise.resolve(false),
    changed: () => undefined,
    log: { write: () => undefined },
  });
  arbiter.start();
  cleanup.add(() => arbiter.stop());
  return arbiter;
}

describe('the arbiter', () => {
  it('is asked for one echo by number, and its answer lifts the objection', async () => {
    const arbiter = ask(standIn('test "$*" = "-n -c 1 -W 1 10.0.0.254"'));
    expect(arbiter.objection).toMatch(/has not answered yet/);
    await until(() => arbiter.objection === null, { what: 'an answer' });
    expect(arbiter.warning).toBeNull();
  });

  it('is silent when ping cannot ask, and the warning says why', async () => {
    const arbiter = ask(standIn('echo "ping: connect: Network is unreachable" >&2; exit 2'));
    await until(() => arbiter.standing === 'cut-off', { what: 'three misses' });
    expect(arbiter.objection).toMatch(/does not answer, and b cannot be reached/);
    expect(arbiter.warning).toMatch(/\(ping: connect: Network is unreachable\)$/);
  });

  it('is silent when ping hangs: it is killed', async () => {
    const arbiter = ask(standIn('exec sleep 60'));
    await until(() => arbiter.standing === 'cut-off', { what: 'three misses' });
  });
});

it('finds ping on PATH, or says what to install', () => {
  const path = standIn('exit 0');
  expect(findPing(`relative:${folder}`)).toBe(path);
  expect(() => findPing('', [])).toThrow(/install iputils-ping/);
});
