/**
 * Debian's packages without root: downloaded by apt-get and unpacked by dpkg into the checkout's cache. Nothing is
 * installed, nothing is started, no list or lock of the system is written.
 */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { cache } from './peers.mjs';
import { gist, run } from './run.mjs';
import { SetupError } from './say.mjs';

const download_ms_max = 300_000;

/** Settings for every call: as root, apt would otherwise download as a user who may not write here. */
const patience = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20'];
const common = process.getuid?.() === 0 ? ['-o', 'APT::Sandbox::User=root', ...patience] : patience;

/** apt's settings that work on this machine now: the system's lists, until they have failed once. */
let apt = common;
let privateLists = false;
/** What went wrong when the lists were read; nobody waits for the archive twice. */
let archiveTrouble = '';
/**
 * apt's settings for the backports, once they were asked for; null where there are none.
 * @type {string[] | null | undefined}
 */
let backports;

/**
 * Unpacks packages that are not unpacked yet.
 * @param {readonly string[]} names
 * @throws {SetupError} when they cannot be had
 */
export function fetchPackages(names) {
  const missing = names.filter((name) => !isUnpacked(name));
  if (missing.length === 0) return;
  download((cwd) =>
    withLists(() => run('apt-get', [...apt, 'download', ...missing], { cwd, deadline_ms: download_ms_max })),
  );
}

/**
 * Unpacks packages that this release may have in its backports alone. What cannot be had there is left to
 * {@link fetchPackages}, which says why.
 * @param {readonly string[]} names
 */
export function fetchBackports(names) {
  const missing = names.filter((name) => !isUnpacked(name));
  if (missing.length === 0 || run('apt-cache', [...apt, 'show', ...missing]).ok) return;
  if (backports === undefined) backports = backportsSettings();
  if (backports === null) return;
  const settings = backports;
  download((cwd) => run('apt-get', [...settings, 'download', ...missing], { cwd, deadline_ms: download_ms_max }));
}

/** @param {string} name of a package */
function isUnpacked(name) {
  return existsSync(join(cache.packages, name));
}

/** @param {(folder: string) => void} fetch puts packages into the folder */
function download(fetch) {
  mkdirSync(cache.packages, { recursive: true });
  const work = mkdtempSync(join(cache.packages, '.download-'));
  try {
    fetch(work);
    for (const file of readdirSync(work).filter((each) => each.endsWith('.deb'))) unpack(join(work, file));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * The packages of one kind that a package depends on, and they on each other, which dpkg does not have installed.
 * @param {string} name
 * @param {RegExp} kind which names are of interest: others are not followed
 * @returns {string[]}
 */
export function absentDependencies(name, kind) {
  /** @type {Set<string>} */
  const absent = new Set();
  for (let layer = [name]; layer.length > 0; ) {
    const asked = layer;
    const listed = withLists(() => run('apt-cache', [...apt, 'depends', ...asked]));
    layer = dependenciesIn(listed).filter((each) => kind.test(each) && !absent.has(each) && !isInstalled(each));
    for (const each of layer) absent.add(each);
  }
  return [...absent];
}

/**
 * The packages that `apt-cache depends` lists as needed; of alternatives (`|Depends: first`), the first.
 * @param {string} listed
 * @returns {string[]}
 */
export function dependenciesIn(listed) {
  const names = [];
  let alternative = false;
  for (const line of listed.split('\n')) {
    const match = /^ ([ |])(?:Pre)?Depends: (\S+)/.exec(line);
    if (match === null) continue;
    const [, mark, name = ''] = match;
    if (!alternative && !name.startsWith('<')) names.push(name);
    alternative = mark === '|';
  }
  return [...new Set(names)];
}

/**
 * Makes the programs and libraries of unpacked packages usable: a starter a program, one folder of libraries.
 * @param {readonly string[]} packages
 * @param {readonly string[]} commands
 */
export function linkPrograms(packages, commands) {
  linkLibraries();
  for (const command of commands) {
    const program = findProgram(packages, command);
    if (program !== null) writeStarter(command, program);
  }
}

/** Gathers the Python modules of all unpacked packages in one folder. */
export function linkPythonModules() {
  for (const name of unpacked()) {
    const modules = join(cache.packages, name, 'usr/lib/python3/dist-packages');
    if (!existsSync(modules)) continue;
    for (const module of readdirSync(modules)) link(join(modules, module), join(cache.python, module));
  }
}

/**
 * The shared objects that an unpacked program lacks.
 * @param {string} command
 * @returns {string[]} e.g. `libnl-3.so.200`
 */
export function missingLibraries(command) {
  const { out } = run('ldd', [join(programs, command)], { env: { LD_LIBRARY_PATH: libraries } });
  return [...out.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1] ?? '');
}

const libraries = join(cache.dir, 'lib');
/** Links with the programs' own names: Redis looks at its name to know what it is. */
const programs = join(cache.dir, 'programs');

/**
 * Runs a question to apt; if it fails, once more with lists of our own.
 * @param {() => ReturnType<typeof run>} ask reads {@link apt} afresh at each call
 */
function withLists(ask) {
  const first = ask();
  if (first.ok) return first.out;
  if (/ENOENT/.test(first.trouble)) throw new SetupError('this is no Debian: there is no apt-get to download with');
  // Absent lists, or old ones that name files no longer there.
  if (!privateLists) updatePrivateLists();
  const second = ask();
  if (second.ok) return second.out;
  throw new SetupError(archiveTrouble === '' ? gist(second.trouble) : archiveTrouble);
}

function updatePrivateLists() {
  apt = settingsIn('apt', []);
  privateLists = true;
  console.log('set-up: reading the package lists (apt-get update, into the cache folder)');
  const updated = update(apt);
  // One dead source among several may not matter: whoever asks next will see.
  if (!updated.ok) archiveTrouble = `the package archive cannot be reached: ${gist(updated.trouble)}`;
}

/**
 * apt's settings for the backports of this release, at the mirror that its own packages come from, with lists just read.
 * @returns {string[] | null} null where there are none
 */
function backportsSettings() {
  const targets = run('apt-get', [
    'indextargets',
    '--format',
    '$(REPO_URI) $(RELEASE) $(COMPONENT)',
    'Created-By: Packages',
  ]);
  const source = backportsSource(targets.out, osRelease('VERSION_CODENAME'));
  if (source === null) return null;
  const list = join(cache.dir, 'apt-backports', 'sources.list');
  const settings = settingsIn('apt-backports', [`Dir::Etc::sourcelist=${list}`, 'Dir::Etc::sourceparts=-']);
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(list, `deb ${existsSync(keyring) ? `[signed-by=${keyring}] ` : ''}${source}\n`);
  return update(settings).ok ? settings : null;
}

/**
 * Where a release's backports are, as a line of sources.list without its `deb`.
 * @param {string} targets lines of URI, release and component that the system has packages from
 * @param {string} release its code name
 */
export function backportsSource(targets, release) {
  const sources = targets.split('\n').map((line) => line.split(' '));
  const [uri] = sources.find(([, suite, component]) => suite === release && component === 'main') ?? [];
  return uri === undefined || release === '' ? null : `${uri} ${release}-backports main`;
}

/** @param {string} key of /etc/os-release */
function osRelease(key) {
  const file = '/etc/os-release';
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  return new RegExp(`^${key}="?([^"\n]*)`, 'm').exec(text)?.[1] ?? '';
}

/**
 * apt's settings with lists of our own.
 * @param {string} folder in the cache
 * @param {readonly string[]} more settings
 */
function settingsIn(folder, more) {
  const state = join(cache.dir, folder, 'state');
  const archives = join(cache.dir, folder, 'cache');
  mkdirSync(join(state, 'lists', 'partial'), { recursive: true });
  mkdirSync(join(archives, 'archives', 'partial'), { recursive: true });
  const settings = [
    `Dir::State=${state}`,
    `Dir::Cache=${archives}`,
    'Dir::State::status=/var/lib/dpkg/status',
    ...more,
  ];
  return [...common, ...settings.flatMap((setting) => ['-o', setting])];
}

/** @param {readonly string[]} settings */
function update(settings) {
  // Without the mode, apt calls it a success when it has read nothing.
  const options = ['-o', 'Acquire::Languages=none', '-o', 'APT::Update::Error-Mode=any'];
  return run('apt-get', [...settings, ...options, 'update'], { deadline_ms: download_ms_max });
}

/** @param {string} file the path of a .deb */
function unpack(file) {
  const name = basename(file).replace(/_.*/, '');
  const target = join(cache.packages, name);
  const beside = mkdtempSync(join(cache.packages, `.${name}-`));
  try {
    const result = run('dpkg', ['-x', file, beside]);
    if (!result.ok) throw new SetupError(`${basename(file)} cannot be unpacked: ${gist(result.trouble)}`);
    chmodSync(beside, 0o755);
    // Whole or not at all; another set-up at the same time may have been first.
    if (!existsSync(target)) renameSync(beside, target);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

/** @param {string} name */
function isInstalled(name) {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's own placeholder
  return run('dpkg-query', ['-W', '-f', '${db:Status-Status}', name]).out === 'installed';
}

/** What a set-up that was interrupted has left half done begins with a dot. */
function unpacked() {
  return readdirSync(cache.packages).filter((name) => !name.startsWith('.'));
}

function linkLibraries() {
  for (const name of unpacked()) {
    for (const top of ['usr/lib', 'lib']) {
      const dir = join(cache.packages, name, top);
      if (!existsSync(dir)) continue;
      const files = readdirSync(dir, { recursive: true, encoding: 'utf8' });
      // Only the loader's own level (lib/<triplet>/x.so): deeper ones are plug-ins that find themselves.
      const shared = files.filter((file) => file.split('/').length <= 2 && /\.so(\.|$)/.test(file));
      for (const file of shared) link(join(dir, file), join(libraries, basename(file)));
    }
  }
}

/**
 * @param {readonly string[]} packages
 * @param {string} command
 * @returns {string | null} the program itself, though the link to it may be in another package
 */
function findProgram(packages, command) {
  const places = packages.flatMap((name) =>
    ['usr/bin', 'usr/sbin', 'bin', 'sbin'].map((dir) => join(cache.packages, name, dir, command)),
  );
  const found = places.find((path) => lstatSync(path, { throwIfNoEntry: false }) !== undefined);
  if (found === undefined) return null;
  if (!lstatSync(found).isSymbolicLink() || existsSync(found)) return found;
  return findProgram(packages, basename(readlinkSync(found)));
}

/**
 * @param {string} command
 * @param {string} program
 */
function writeStarter(command, program) {
  link(program, join(programs, command));
  mkdirSync(cache.bin, { recursive: true });
  const text = `#!/bin/sh
# Written by scripts/setup.mjs: runs Debian's ${command} from this checkout's cache, with the libraries beside it.
cache=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
LD_LIBRARY_PATH="$cache/lib\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
export LD_LIBRARY_PATH
exec "$cache/programs/${command}" "$@"
`;
  const path = join(cache.bin, command);
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, text, { mode: 0o755 });
  renameSync(beside, path);
}

/**
 * A relative link, so that the checkout can be moved.
 * @param {string} target
 * @param {string} path
 */
function link(target, path) {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  symlinkSync(relative(dirname(path), target), path);
}
