/**
 * The units on real systemd: `npm run lab:systemd`. Three hosts with Debian 13 and systemd as their first process, on a
 * switch, go through the README's tutorial as it is written; then the service is stopped, frozen, restarted, looked at.
 * Needs root, a mounted cgroup2, and on the first run the network for some 80 MB of Debian's packages.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Cleanup } from '../../support/cleanup.js';
import { Lab } from '../lab.js';
import { BootedHost } from './booted-host.js';
import { Findings } from './findings.js';
import { lookAtService } from './service-facts.js';
import { makeTree } from './tree.js';
import { followTutorial } from './walk.js';

const USAGE = `npm run lab:systemd -- [options]
  --tree DIR   the Debian tree, made if it is not there, and kept (otherwise made anew, and removed)`;

const { values: options } = parseArgs({ options: { tree: { type: 'string' }, help: { type: 'boolean' } } });

async function main(): Promise<number> {
  if (options.help === true) {
    console.log(USAGE);
    return 0;
  }
  if (process.getuid?.() !== 0) throw new Error('hosts with systemd of their own need root');
  const cleanup = new Cleanup();
  const folder = mkdtempSync(join(tmpdir(), 'tanist-systemd-'));
  cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const tree = options.tree ?? join(folder, 'tree');
    console.log(`Debian in ${tree}`);
    makeTree(tree);
    const lab = new Lab(cleanup, ['a', 'b', 'c'], { network: '10.0.0' });
    const hosts: BootedHost[] = [];
    for (const host of lab.hosts) hosts.push(await BootedHost.boot(host, tree, join(folder, host.name), cleanup));
    const findings = new Findings();
    await followTutorial(hosts, fileURLToPath(new URL('../../..', import.meta.url)), findings);
    await lookAtService(hosts, findings);
    console.log(`\n${findings.summary}`);
    return findings.failed === 0 ? 0 : 1;
  } finally {
    await cleanup.run();
  }
}

process.exitCode = await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});
