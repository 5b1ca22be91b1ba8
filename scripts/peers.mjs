/**
 * The programs of others that Tanist is run with, tested against and measured beside: the one table of them, and where
 * they are found. Set-up (setup.mjs) and the tests (test/support/peers.ts) both read it.
 *
 * A program is looked for on PATH and in the sbin folders, then in the checkout's cache, where set-up unpacks Debian's
 * packages. TANIST_PEERS=cache ignores what the system has, to try the cache on a machine that needs none.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Peer
 * @property {string} use what it is for
 * @property {string[]} packages Debian packages to unpack, the one that carries the program first
 * @property {string[]} [backports] those of them that an older Debian has in its backports alone
 * @property {'always' | 'tests' | 'optional'} wanted `always`: nothing works without it; `tests`: fetched for tests and
 *   benchmarks; `optional`: fetched only when asked for by name
 * @property {string[]} [commands] the programs the packages bring, when they are more than the peer's own name
 * @property {{ peer: string, args: string[] }[]} [otherwise] programs that do the same, in order, with the arguments to
 *   add after their own
 * @property {'python'} [module] a Python module, found by its folder rather than as a program
 */

const valkey = ['valkey-server', 'valkey-tools'];
const redisLibraries = ['liblzf1', 'libjemalloc2', 'libatomic1'];

/** @type {Readonly<Record<string, Peer>>} */
export const peers = {
  'redis-server': {
    use: 'the database that everything here is about',
    packages: ['redis-server', 'redis-tools', ...redisLibraries],
    commands: ['redis-server', 'redis-cli', 'redis-benchmark'],
    otherwise: [{ peer: 'valkey-server', args: [] }],
    wanted: 'always',
  },
  'valkey-server': {
    use: 'the other database',
    packages: [...valkey, ...redisLibraries],
    backports: valkey,
    commands: ['valkey-server', 'valkey-cli', 'valkey-benchmark'],
    wanted: 'tests',
  },
  'valkey-sentinel': {
    use: 'the other Sentinel to stand in one quorum with',
    packages: ['valkey-sentinel', ...valkey, ...redisLibraries],
    backports: ['valkey-sentinel', ...valkey],
    otherwise: [{ peer: 'valkey-server', args: ['--sentinel'] }],
    wanted: 'tests',
  },
  'redis-cli': {
    use: 'asking a server by hand',
    packages: ['redis-tools', ...redisLibraries],
    otherwise: [{ peer: 'valkey-cli', args: [] }],
    wanted: 'tests',
  },
  'redis-benchmark': {
    use: 'load',
    packages: ['redis-tools', ...redisLibraries],
    otherwise: [{ peer: 'valkey-benchmark', args: [] }],
    wanted: 'tests',
  },
  'valkey-cli': {
    use: 'asking a server by hand',
    packages: ['valkey-tools', ...redisLibraries],
    backports: ['valkey-tools'],
    wanted: 'optional',
  },
  'valkey-benchmark': {
    use: 'load',
    packages: ['valkey-tools', ...redisLibraries],
    backports: ['valkey-tools'],
    wanted: 'optional',
  },
  'redis-sentinel': {
    use: 'the Sentinel to stand in one quorum with',
    packages: ['redis-sentinel', 'redis-tools', ...redisLibraries],
    // The same program: its name, or this flag, makes it a Sentinel.
    otherwise: [{ peer: 'redis-server', args: ['--sentinel'] }],
    wanted: 'tests',
  },
  keepalived: {
    use: 'the VRRP router to share a group with',
    packages: [
      'keepalived',
      ...['libnl-3-200', 'libnl-genl-3-200', 'libnftnl11', 'libmnl0', 'libglib2.0-0', 'libperl5.36'],
      ...['libsnmp40', 'libsensors5', 'libpci3', 'libwrap0', 'libnsl2', 'libtirpc3'],
    ],
    commands: ['keepalived'],
    wanted: 'tests',
  },
  nft: { use: 'firewalls in network labs', packages: ['nftables', 'libnftables1', 'libnftnl11'], wanted: 'tests' },
  ping: {
    use: "asking a pair's arbiter",
    packages: ['iputils-ping', 'libcap2', 'libidn2-0', 'libunistring2'],
    wanted: 'tests',
  },
  tcpdump: { use: 'captures in network labs', packages: ['tcpdump', 'libpcap0.8'], wanted: 'tests' },
  nutcracker: { use: 'the sharding proxy to place keys like', packages: ['nutcracker'], wanted: 'tests' },
  memcached: { use: 'the other server behind a sharding proxy', packages: ['memcached'], wanted: 'tests' },
  'python3-redis': {
    use: 'a Sentinel-aware client in Python',
    packages: ['python3-redis'],
    module: 'python',
    wanted: 'tests',
  },
  'php8.2': {
    use: "PHP's client for Redis",
    packages: ['php8.2-cli', 'php8.2-redis', 'php8.2-igbinary'],
    wanted: 'tests',
  },
  memcstat: {
    use: 'a memcached client',
    packages: ['libmemcached-tools'],
    commands: ['memcstat', 'memccat', 'memccp', 'memcrm', 'memcexist', 'memctouch'],
    wanted: 'tests',
  },
};

const root = fileURLToPath(new URL('..', import.meta.url));

/** Where set-up puts what it fetches. */
export const cache = {
  /** Everything below. */
  dir: join(root, '.cache'),
  /** `debian/<package>/…`: the packages as unpacked. */
  packages: join(root, '.cache', 'debian'),
  /** One starter a program, which sets the library path: run it from anywhere. */
  bin: join(root, '.cache', 'bin'),
  /** Python's modules. */
  python: join(root, '.cache', 'python'),
  /** Why a peer could not be had, as JSON: peer to sentence. */
  reasons: join(root, '.cache', 'missing-peers.json'),
};

/**
 * @typedef {{ path: string, args: string[], env: Record<string, string>, from: 'system' | 'cache' }} Found
 * @typedef {Found | { path: null, reason: string }} Search
 */

/**
 * Finds a peer.
 * @param {string} name a key of {@link peers}
 * @returns {Search} how to start it (`args` come after the caller's own), or why it is not there
 */
export function findPeer(name) {
  const peer = peers[name];
  if (peer === undefined) throw new Error(`no such peer: ${name} (known: ${Object.keys(peers).join(', ')})`);
  const found = peer.module === 'python' ? findPythonModule(peer) : findProgram(name);
  if (found !== null) return found;
  for (const other of peer.otherwise ?? []) {
    const stand = findPeer(other.peer);
    if (stand.path !== null) return { ...stand, args: [...other.args, ...stand.args] };
  }
  return { path: null, reason: `${name} (${peer.use}): ${reasonFor(name, peer)}` };
}

/**
 * @param {string} name
 * @returns {Found | null}
 */
function findProgram(name) {
  for (const dir of systemFolders()) {
    if (isExecutable(join(dir, name))) return { path: join(dir, name), args: [], env: {}, from: 'system' };
  }
  const path = join(cache.bin, name);
  return isExecutable(path) ? { path, args: [], env: {}, from: 'cache' } : null;
}

/**
 * @param {Peer} peer
 * @returns {Found | null}
 */
function findPythonModule(peer) {
  const path = '/usr/bin/python3';
  const module = (peer.packages[0] ?? '').replace('python3-', '');
  if (!isExecutable(path)) return null;
  if (!cacheOnly() && existsSync(join('/usr/lib/python3/dist-packages', module))) {
    return { path, args: [], env: {}, from: 'system' };
  }
  if (!existsSync(join(cache.python, module))) return null;
  return { path, args: [], env: { PYTHONPATH: cache.python }, from: 'cache' };
}

/**
 * @param {string} name
 * @param {Peer} peer
 */
function reasonFor(name, peer) {
  try {
    const reason = JSON.parse(readFileSync(cache.reasons, 'utf8'))[name];
    if (typeof reason === 'string') return reason;
  } catch {
    // Set-up has not run, or had nothing to complain of.
  }
  const option = peer.wanted === 'optional' ? `--peer ${name}` : '--peers';
  return `not found; install Debian's ${peer.packages[0]}, or run \`node scripts/setup.mjs ${option}\``;
}

function systemFolders() {
  if (cacheOnly()) return [];
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((dir) => dir !== '' && dir !== cache.bin);
  return [...new Set([...path, '/usr/local/sbin', '/usr/sbin', '/sbin'])];
}

function cacheOnly() {
  return process.env['TANIST_PEERS'] === 'cache';
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
