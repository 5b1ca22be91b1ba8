/** A host of a lab with systemd as its first process. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Child, startChild } from '../../support/child.js';
import type { Cleanup } from '../../support/cleanup.js';
import { until } from '../../support/until.js';
import type { Host } from '../host.js';

const project = fileURLToPath(new URL('../../..', import.meta.url));
const bootScript = fileURLToPath(new URL('boot.sh', import.meta.url));
/** Where the unified hierarchy may be. */
const CGROUPS = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'];
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const BOOT_MAX_MS = 120_000;
/** Longer than any stop of the service may take. */
const COMMAND_MAX_MS = 120_000;

/** How a command ended, and what it wrote, errors and all, in order. */
export interface Said {
  readonly code: number | null;
  readonly text: string;
}

export class BootedHost {
  readonly host: Host;
  readonly #cgroup: string;
  readonly #init: Child;

  private constructor(host: Host, cgroup: string, init: Child) {
    this.host = host;
    this.#cgroup = cgroup;
    this.#init = init;
  }

  /** @param tree from `makeTree`; @param folder for what the host writes */
  static async boot(host: Host, tree: string, folder: string, cleanup: Cleanup): Promise<BootedHost> {
    mkdirSync(folder, { recursive: true });
    const cgroup = join(unifiedHierarchy(), `${host.namespace}-${host.name}`);
    mkdirSync(cgroup);
    cleanup.add(() => removeGroups(cgroup));
    cleanup.add(() => endAllIn(cgroup));
    const modules = realpathSync(join(project, 'node_modules'));
    const namespaces = ['--mount', '--pid', '--fork', '--kill-child', '--cgroup', '--uts', '--ipc'];
    // The group first: it is the root of the new cgroup namespace.
    const enter = 'echo 0 >"$0/cgroup.procs" && exec "$@"';
    const boot = ['sh', bootScript, host.name, tree, folder, project, modules];
    // Outside the host's namespace, where control groups are not seen.
    const into = ['ip', 'netns', 'exec', host.namespace, 'unshare', ...namespaces];
    const init = startChild({ command: 'sh', args: ['-c', enter, cgroup, ...into, ...boot] }, cleanup);
    const booted = new BootedHost(host, cgroup, init);
    const isUp = async (): Promise<boolean> => {
      if (init.exit !== null) throw new Error(`${host.name} did not boot: ${init.output}`);
      return booted.#pid() !== null && /running|degraded/.test((await booted.run('systemctl is-system-running')).text);
    };
    await until(isUp, { what: `${host.name} to boot`, deadline_ms: BOOT_MAX_MS, interval_ms: 250 });
    return booted;
  }

  /** Whether systemd, or anything else of the host, still runs. */
  get runs(): boolean {
    return this.#init.exit === null;
  }

  /** Runs what a user would type, as root, by the shell of the host. */
  async run(script: string): Promise<Said> {
    const pid = this.#pid();
    if (pid === null) return { code: null, text: `${this.host.name} is down` };
    const inside = ['--mount', '--pid', '--cgroup', '--uts', '--ipc', '--root', '--wd'];
    const clean = ['env', '-i', 'HOME=/root', 'TERM=dumb', 'SYSTEMD_PAGER=', `PATH=${PATH}`];
    const shell = ['bash', '-e', '-o', 'pipefail', '-c', `exec 2>&1\ncd /root\n${script}`];
    const args = ['netns', 'exec', this.host.namespace, 'nsenter', '-t', String(pid), ...inside, ...clean, ...shell];
    const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: COMMAND_MAX_MS });
    const parts: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => parts.push(part));
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { code, text: Buffer.concat(parts).toString().trim() };
  }

  /** As {@link run}. @throws {Error} with what it said, when it fails */
  async must(script: string): Promise<string> {
    const { code, text } = await this.run(script);
    if (code !== 0) throw new Error(`on ${this.host.name}, this ended with ${code}:\n${script}\n${text}`);
    return text;
  }

  /** Writes a file of the host. */
  async write(path: string, text: string): Promise<void> {
    await this.must(`base64 -d >${path} <<<${Buffer.from(text).toString('base64')}`);
  }

  /** systemd, as this machine counts processes. */
  #pid(): number | null {
    const file = join(this.#cgroup, 'init.scope', 'cgroup.procs');
    if (!existsSync(file)) return null;
    const first = readFileSync(file, 'utf8').split('\n')[0] ?? '';
    return first === '' ? null : Number(first);
  }
}

/** @throws {Error} where there is none */
function unifiedHierarchy(): string {
  const found = CGROUPS.find((path) => existsSync(join(path, 'cgroup.controllers')));
  if (found === undefined) throw new Error('systemd needs control groups of version 2: no cgroup2 is mounted here');
  return found;
}

/** kill -9 for a host, as a power cut. */
async function endAllIn(cgroup: string): Promise<void> {
  writeFileSync(join(cgroup, 'cgroup.kill'), '1');
  const isEmpty = (): boolean => readFileSync(join(cgroup, 'cgroup.events'), 'utf8').includes('populated 0');
  await until(isEmpty, { what: `${cgroup} to be empty` });
}

/** Innermost first: a group can only be removed once it is empty. */
function removeGroups(path: string): void {
  const { stdout } = spawnSync('find', [path, '-depth', '-type', 'd'], { encoding: 'utf8' });
  for (const group of stdout.split('\n').filter((line) => line !== '')) {
    rmdirSync(group);
  }
}
