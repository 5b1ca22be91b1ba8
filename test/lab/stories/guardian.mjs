/**
 * Outlives a lab's program for a moment. When that has ended, by whatever signal, it ends every process in the network
 * namespaces with the given prefix, removes the namespaces, unmounts what lies below the folders with the given prefix,
 * and removes these. Finds nothing to do when the program has cleaned up by itself.
 *
 *     node guardian.mjs NAMESPACE-PREFIX FOLDER-PREFIX     < a pipe that the program holds open
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const [namespacePrefix = '', folderPrefix = ''] = process.argv.slice(2);
if (namespacePrefix === '' || folderPrefix === '')
  throw new Error('usage: guardian.mjs NAMESPACE-PREFIX FOLDER-PREFIX');

/** @param {string} command @param {readonly string[]} args */
const lines = (command, ...args) =>
  (spawnSync(command, args, { encoding: 'utf8' }).stdout ?? '').split('\n').filter((line) => line !== '');

/** @param {string} namespace @param {NodeJS.Signals} signal */
function signalAll(namespace, signal) {
  for (const pid of lines('ip', 'netns', 'pids', namespace)) {
    try {
      process.kill(Number(pid), signal);
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}

function cleanUp() {
  const namespaces = lines('ip', 'netns', 'list')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name.startsWith(namespacePrefix));
  // All are frozen first, so that none sees another one die and still does something about it.
  for (const signal of /** @type {const} */ (['SIGSTOP', 'SIGKILL'])) {
    for (const namespace of namespaces) signalAll(namespace, signal);
  }
  for (const namespace of namespaces) spawnSync('ip', ['netns', 'del', namespace]);
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter((path) => path.startsWith(folderPrefix)).reverse())
    spawnSync('umount', ['-l', mount]);
  const above = dirname(folderPrefix);
  for (const name of readdirSync(above).filter((each) => each.startsWith(basename(folderPrefix)))) {
    rmSync(join(above, name), { recursive: true, force: true, maxRetries: 3 });
  }
}

process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('SIGHUP', () => {});
process.stdin.on('end', () => {
  cleanUp();
  process.exit(0);
});
process.stdin.resume();
