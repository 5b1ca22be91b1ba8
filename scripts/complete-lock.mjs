#!/usr/bin/env node
/**
 * Completes package-lock.json after `npm install` on a machine whose registry does not carry every platform's build of
 * a native package: npm then leaves those optional packages out of the lockfile, and `npm ci` refuses the result
 * everywhere. Each one is written back with its version and platform, read from its name.
 *
 * Usage: node scripts/complete-lock.mjs [package-lock.json]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

/**
 * @typedef {{ version?: string, optional?: boolean, dev?: boolean, os?: string[], cpu?: string[], libc?: string[],
 *   optionalDependencies?: Record<string, string> }} LockedPackage
 * @typedef {{ packages: Record<string, LockedPackage> }} Lock
 */

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];

/**
 * The platform that a package name such as `@rollup/rollup-linux-x64-musl` states.
 * @param {string} name
 * @returns {Pick<LockedPackage, 'os' | 'cpu' | 'libc'> | null} null when the name states none
 */
export function platformOf(name) {
  const words = name.slice(name.indexOf('/') + 1).split('-');
  const os = systems.find((word) => words.includes(word));
  const cpu = processors.find((word) => words.includes(word));
  if (os === undefined || cpu === undefined) return null;
  const last = words.at(-1) ?? '';
  const libc = last.startsWith('musl') ? ['musl'] : last.startsWith('gnu') && os === 'linux' ? ['glibc'] : undefined;
  return libc === undefined ? { cpu: [cpu], os: [os] } : { cpu: [cpu], libc, os: [os] };
}

/**
 * Adds what is missing.
 * @param {Lock} lock changed in place
 * @returns {string[]} the names added
 */
export function completeLock(lock) {
  const added = [];
  for (const parent of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const key = `node_modules/${name}`;
      const platform = platformOf(name);
      if (lock.packages[key] !== undefined || platform === null || !/^\d/.test(version)) continue;
      lock.packages[key] = { version, ...(parent.dev ? { dev: true } : {}), optional: true, ...platform };
      added.push(name);
    }
  }
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  lock.packages = Object.fromEntries(sorted);
  return added;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const path = process.argv[2] ?? 'package-lock.json';
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const added = completeLock(lock);
  if (added.length > 0) writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
  console.log(added.length === 0 ? `${path} is complete` : `${path}: added ${added.join(', ')}`);
}
