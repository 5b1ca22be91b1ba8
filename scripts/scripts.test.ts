import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { completeLock, platformOf } from './complete-lock.mjs';
import { countTests } from './count-tests.mjs';
import { dependenciesIn } from './debian.mjs';
import { findPeer, peers } from './peers.mjs';
import { gist } from './run.mjs';

describe('countTests', () => {
  it('counts a file that did not load as a failure', () => {
    const tests = (...states: string[]) => states.map((status) => ({ status }));
    const testResults = [
      { status: 'passed', assertionResults: tests('passed', 'passed', 'pending', 'skipped', 'todo') },
      { status: 'failed', assertionResults: tests('failed', 'passed', 'failed') },
      { status: 'failed', assertionResults: [] },
    ];
    expect(countTests({ testResults })).toEqual({ passed: 3, failed: 3, skipped: 3 });
  });
});

describe('the lockfile', () => {
  it('reads a platform from a package name', () => {
    expect(platformOf('@rollup/rollup-linux-x64-musl')).toEqual({ os: ['linux'], cpu: ['x64'], libc: ['musl'] });
    expect(platformOf('@rollup/rollup-linux-arm-gnueabihf')).toEqual({ os: ['linux'], cpu: ['arm'], libc: ['glibc'] });
    expect(platformOf('@biomejs/cli-win32-arm64')).toEqual({ os: ['win32'], cpu: ['arm64'] });
    expect(platformOf('fsevents')).toBeNull();
  });

  it('lists every platform of every native package, or npm ci would refuse it', () => {
    expect(completeLock(JSON.parse(readFileSync('package-lock.json', 'utf8')))).toEqual([]);
  });

  it('gets back what npm left out', () => {
    const lock = {
      packages: { 'node_modules/tool': { dev: true, optionalDependencies: { 'tool-linux-x64': '1.2.3' } } },
    };
    expect(completeLock(lock)).toEqual(['tool-linux-x64']);
    expect(lock.packages).toHaveProperty('node_modules/tool-linux-x64', {
      version: '1.2.3',
      dev: true,
      optional: true,
      os: ['linux'],
      cpu: ['x64'],
    });
  });
});

describe('peers', () => {
  it('are found, or say in one line what they were for and how to get them', () => {
    for (const name of Object.keys(peers)) {
      const found = findPeer(name);
      if (found.path === null) expect(found.reason).toMatch(new RegExp(`^${name} \\(.+\\): .+`));
    }
  });

  it('have stand-ins that exist', () => {
    for (const { otherwise = [] } of Object.values(peers)) {
      for (const { peer } of otherwise) expect(peers).toHaveProperty(peer);
    }
  });

  it('must be in the table', () => {
    expect(() => findPeer('redis')).toThrow('no such peer: redis (known: redis-server,');
  });
});

describe('dependenciesIn', () => {
  it('takes the first of alternatives, no virtual package and no mere suggestion', () => {
    const listed = `keepalived
  PreDepends: init-system-helpers
  Depends: libsystemd0
    libelogind0
 |Depends: libmariadb3
  Depends: libmysqlclient21
  Depends: <python3:any>
    python3
  Depends: libssl3
  Recommends: ipvsadm
`;
    expect(dependenciesIn(listed)).toEqual(['init-system-helpers', 'libsystemd0', 'libmariadb3', 'libssl3']);
  });
});

describe('gist', () => {
  it('finds the telling line', () => {
    const apt = 'W: Ignoring something\nE: Unable to locate package nutcracker\nE: No packages found';
    expect(gist(apt)).toBe('Unable to locate package nutcracker');
    expect(gist('a\nlast\n\n')).toBe('last');
  });
});
