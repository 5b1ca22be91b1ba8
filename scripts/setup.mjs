#!/usr/bin/env node
/**
 * Set-up: npm packages, build, a Redis; with --peers also the programs that tests and benchmarks stand beside.
 * Needs Node and npm. Safe to run again: what is there is left alone, without the network and without a word.
 *
 * Usage: node scripts/setup.mjs [--peers] [--peer NAME]...
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { buildIfStale } from './build.mjs';
import {
  absentDependencies,
  fetchBackports,
  fetchPackages,
  linkPrograms,
  linkPythonModules,
  missingLibraries,
} from './debian.mjs';
import { cache, findPeer, peers } from './peers.mjs';
import { run } from './run.mjs';
import { SetupError, step } from './say.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const node_min = [20, 19];

/**
 * Does all that is missing.
 * @param {readonly string[]} args the command line
 * @throws {SetupError} when Tanist cannot run here, with what to do about it
 */
export function setUp(args) {
  checkNode();
  installPackages();
  buildIfStale();
  const byName = args.filter((_, i) => args[i - 1] === '--peer');
  for (const name of byName) peerNamed(name);
  fetchPeers(
    Object.keys(peers).filter((name) => {
      const { wanted } = peerNamed(name);
      return wanted === 'always' || (wanted === 'tests' && args.includes('--peers')) || byName.includes(name);
    }),
  );
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const [majorMin = 0, minorMin = 0] = node_min;
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return;
  throw new SetupError(`Node.js ${node_min.join('.')} or later is needed; this is ${process.versions.node}.`);
}

function installPackages() {
  if (packagesAreInstalled()) return;
  step('installing npm packages (npm ci)', () => {
    const npm = process.env['npm_execpath'];
    const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
    const installed =
      npm === undefined ? run('npm', args, { cwd: root }) : run(process.execPath, [npm, ...args], { cwd: root });
    if (!installed.ok) throw new SetupError(`npm ci failed:\n${installed.trouble}`);
  });
}

/** Whether what npm has noted in node_modules is what the lockfile asks for. */
function packagesAreInstalled() {
  const noted = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(noted)) return false;
  /** @type {Record<string, { version?: string, optional?: boolean }>} */
  const locked = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(noted, 'utf8')).packages;
  return Object.entries(locked).every(
    ([path, { version, optional }]) => path === '' || optional || installed[path]?.version === version,
  );
}

/** @param {readonly string[]} names */
function fetchPeers(names) {
  /** @type {Record<string, string>} */
  const reasons = {};
  for (const name of names) {
    if (findPeer(name).path !== null) continue;
    const reason = fetchPeer(name);
    if (reason === null) continue;
    if (peerNamed(name).wanted === 'always') throw new SetupError(withoutRedis(reason));
    reasons[name] = reason;
    console.log(`set-up: without ${name}: ${reason}`);
  }
  if (names.length > 1) noteReasons(reasons);
}

/**
 * @param {string} name
 * @returns {string | null} why it cannot be had
 */
function fetchPeer(name) {
  const { packages, backports = [], commands = [name], module, otherwise = [] } = peerNamed(name);
  try {
    if (module === 'python') return fetchPythonModule(packages);
    step(`fetching ${name} (Debian's ${packages.join(', ')}) into .cache`, () => {
      fetchBackports(backports);
      fetchPackages(packages);
      linkPrograms(packages, commands);
      if (missingLibraries(name).length > 0) {
        fetchPackages(absentDependencies(packages[0] ?? name, /^lib/));
        linkPrograms(packages, commands);
      }
    });
    const lacking = missingLibraries(name);
    return lacking.length === 0 ? null : `its libraries are missing here: ${lacking.join(', ')}`;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    for (const other of otherwise) if (fetchPeer(other.peer) === null) return null;
    return error.message;
  }
}

/**
 * @param {readonly string[]} packages
 * @returns {string | null}
 */
function fetchPythonModule(packages) {
  const python = '/usr/bin/python3';
  if (!existsSync(python)) return `there is no ${python}`;
  const [main = ''] = packages;
  step(`fetching ${main} into .cache`, () => {
    fetchPackages([...packages, ...absentDependencies(main, /^python3-/)]);
    linkPythonModules();
  });
  const imported = run(python, ['-c', `import ${main.replace('python3-', '')}`], { env: { PYTHONPATH: cache.python } });
  return imported.ok ? null : (imported.trouble.split('\n').at(-1) ?? 'it cannot be imported');
}

/** @param {string} reason */
function withoutRedis(reason) {
  return `no Redis: redis-server is not on PATH and could not be fetched (${reason}). Install it (on Debian: apt-get install redis-server) or Valkey, and run this again.`;
}

/** @param {Record<string, string>} reasons */
function noteReasons(reasons) {
  if (Object.keys(reasons).length === 0) return rmSync(cache.reasons, { force: true });
  mkdirSync(cache.dir, { recursive: true });
  writeFileSync(cache.reasons, `${JSON.stringify(reasons, null, 2)}\n`);
}

/** @param {string} name */
function peerNamed(name) {
  const peer = peers[name];
  if (peer === undefined) throw new SetupError(`no such peer: ${name} (there are ${Object.keys(peers).join(', ')})`);
  return peer;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    setUp(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`set-up: ${error.message}`);
    process.exitCode = 1;
  }
}
