import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { leaveOut } from '../../test/support/needs.js';
import { assertWritable, ConfigFileError, writeFileAtomic } from './atomic-file.js';
import { DISK_CHECKS, loadConfFile } from './conf-files.js';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tanist-conf-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const isRoot = process.getuid?.() === 0;

describe('writeFileAtomic', () => {
  it('replaces the content by a new file, keeps the mode, and leaves nothing else behind', () => {
    const path = join(directory, 's.conf');
    writeFileSync(path, 'a much longer old content');
    chmodSync(path, 0o640);
    const before = statSync(path);
    expect(writeFileAtomic(path, bytes('new'))).toBe('replaced');
    const after = statSync(path);
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(after.mode & 0o7777).toBe(0o640);
    expect(after.ino).not.toBe(before.ino);
    expect(readdirSync(directory)).toEqual(['s.conf']);
  });

  it('keeps the owner', (context) => {
    if (!isRoot) leaveOut(context, 'only root can give a file away');
    const path = join(directory, 's.conf');
    writeFileSync(path, 'old');
    chownSync(path, 12_345, 23_456);
    writeFileAtomic(path, bytes('new'));
    expect(statSync(path)).toMatchObject({ uid: 12_345, gid: 23_456 });
  });

  it('makes a new file for its owner alone', () => {
    const path = join(directory, 'new.conf');
    writeFileAtomic(path, bytes('x'));
    expect(statSync(path).mode & 0o7777).toBe(0o600);
  });

  it('writes through a symbolic link, which stays one', () => {
    const path = join(directory, 'real.conf');
    const link = join(directory, 'link.conf');
    writeFileSync(path, 'old');
    symlinkSync('real.conf', link);
    writeFileAtomic(link, bytes('new'));
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe('new');
  });

  it('writes in place where the file is a mount point', (context) => {
    const canMount = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0;
    if (!canMount) leaveOut(context, 'mount points of its own need root and mount namespaces');
    const path = join(directory, 's.conf');
    writeFileSync(path, 'a much longer old content');
    const script = `import { writeFileAtomic } from '${new URL('./atomic-file.ts', import.meta.url).pathname}';
      console.log(writeFileAtomic('${path}', new TextEncoder().encode('new')));`;
    const shell = 'mount --bind "$1" "$1" && exec "$2" --import tsx --input-type=module -e "$3"';
    const result = spawnSync('unshare', ['-m', 'sh', '-c', shell, 'sh', path, process.execPath, script], {
      encoding: 'utf8',
    });
    expect(result).toMatchObject({ stderr: '', stdout: 'in-place\n' });
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(readdirSync(directory)).toEqual(['s.conf']);
  });

  it('reports what the system says and leaves no temporary file', () => {
    expect(() => writeFileAtomic(join(directory, 'no', 's.conf'), bytes('x'))).toThrow(ConfigFileError);
    expect(() => writeFileAtomic(directory, bytes('x'))).toThrow(ConfigFileError);
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('assertWritable', () => {
  it('accepts a file, refuses a missing one and a directory', () => {
    const path = join(directory, 's.conf');
    expect(() => assertWritable(path)).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_FILE', systemCode: 'ENOENT' }),
    );
    writeFileSync(path, '');
    expect(() => assertWritable(path)).not.toThrow();
    expect(() => assertWritable(directory)).toThrow(/not a regular file/);
  });

  it('refuses a file without the right to write', (context) => {
    if (isRoot) leaveOut(context, 'root has every right to a file');
    const path = join(directory, 's.conf');
    writeFileSync(path, '');
    chmodSync(path, 0o400);
    expect(() => assertWritable(path)).toThrow(expect.objectContaining({ systemCode: 'EACCES' }));
  });
});

describe('the disk checks', () => {
  it('tells executable files and directories', () => {
    const path = join(directory, 'script');
    writeFileSync(path, '#!/bin/sh\n');
    expect(DISK_CHECKS.isExecutable(path)).toBe(false);
    chmodSync(path, 0o755);
    expect(DISK_CHECKS.isExecutable(path)).toBe(true);
    expect(DISK_CHECKS.isExecutable(directory)).toBe(false);
    expect(DISK_CHECKS.isDirectory(directory)).toBe(true);
    expect(DISK_CHECKS.isDirectory(path)).toBe(false);
  });

  it('tells where a log can be written, and leaves no file behind', () => {
    const path = join(directory, 'x.log');
    expect(DISK_CHECKS.appendFault(path)).toBeNull();
    expect(existsSync(path)).toBe(false);
    writeFileSync(path, '');
    expect(DISK_CHECKS.appendFault(path)).toBeNull();
    expect(DISK_CHECKS.appendFault(join(directory, 'none', 'x.log'))).toBe('no such directory');
    expect(DISK_CHECKS.appendFault(directory)).toBe('it is a directory');
  });

  it('includes a file or those that match a pattern', () => {
    for (const name of ['b.conf', 'a.conf', 'a.txt', '.c.conf']) writeFileSync(join(directory, name), 'port 1\n');
    const files = (pattern: string): string[] | undefined =>
      DISK_CHECKS.include(join(directory, pattern))?.map((d) => d.file);
    expect(files('*.conf')).toEqual([join(directory, 'a.conf'), join(directory, 'b.conf')]);
    expect(files('a.txt')).toEqual([join(directory, 'a.txt')]);
    expect(files('none')).toBeUndefined();
    expect(() => loadConfFile(join(directory, 'none'))).toThrow(ConfigFileError);
  });
});
