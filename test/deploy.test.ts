/**
 * What is in deploy/, as far as it can be checked without systemd as process 1 and without a container engine. With systemd:
 * `npm run lab:systemd`.
 */
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, type TestContext } from 'vitest';
import { parse } from 'yaml';
import { readTanistConfig } from '../src/config/tanist/read.js';
import { cleanupAfterEach } from './support/cleanup-after-each.js';
import { leaveOut } from './support/needs.js';
import { tempDir } from './support/temp-dir.js';
import { until } from './support/until.js';

const cleanup = cleanupAfterEach();
const root = fileURLToPath(new URL('..', import.meta.url));
const deploy = join(root, 'deploy');
const text = (name: string): string => readFileSync(join(deploy, name), 'utf8');
const units = readdirSync(deploy).filter((name) => name.endsWith('.service'));
/** Runs other people's scripts as root. */
const unconfined = ['tanist-vrrp.service'];

/** Runs a program to its end, or leaves the test out where there is none. */
function run(
  context: TestContext,
  program: string,
  ...args: readonly string[]
): { status: number | null; said: string } {
  const { error, status, stdout, stderr } = spawnSync(program, [...args], { encoding: 'utf8' });
  if (error !== undefined) leaveOut(context, `${program} is not there: ${error.message}`);
  return { status, said: stdout + stderr };
}

/** A copy of a unit whose program is there: systemd-analyze looks for it. */
function runnable(unit: string): string {
  const path = join(tempDir(cleanup), unit);
  writeFileSync(path, text(unit).replaceAll('/usr/local/bin/tanist', '/bin/true'));
  return path;
}

/** The last value of each word of a unit. */
function settings(unit: string): Record<string, string> {
  const pairs = [...text(unit).matchAll(/^(\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value]);
  return Object.fromEntries(pairs);
}

describe('units', () => {
  for (const unit of units) {
    it(`${unit} is understood whole by systemd`, (context) => {
      const { status, said } = run(context, 'systemd-analyze', 'verify', '--man=no', runnable(unit));
      expect(said).toBe('');
      expect(status).toBe(0);
    });

    it(`${unit} runs a command that there is`, () => {
      const [, command] = /^ExecStart=\/usr\/local\/bin\/tanist (\S+)/m.exec(text(unit)) ?? [];
      expect(existsSync(join(root, 'src', 'cli', `${command}.ts`))).toBe(true);
      expect(settings(unit)).toMatchObject({ Type: 'notify', Restart: 'on-failure', WatchdogSec: '10s' });
    });
  }

  for (const unit of units.filter((name) => !unconfined.includes(name))) {
    it(`${unit} is exposed by 2.5 of 10 at most, as systemd counts`, (context) => {
      const threshold = ['--offline=true', '--threshold=25', '--no-pager'];
      const { status, said } = run(context, 'systemd-analyze', 'security', ...threshold, runnable(unit));
      expect(status, said).toBe(0);
    });
  }

  it('let Redis outlive the agent, and give the agent two capabilities', () => {
    expect(settings('tanist.service')).toMatchObject({
      KillMode: 'process',
      OOMPolicy: 'continue',
      User: 'tanist',
      AmbientCapabilities: 'CAP_NET_RAW CAP_NET_ADMIN',
      CapabilityBoundingSet: 'CAP_NET_RAW CAP_NET_ADMIN',
      NoNewPrivileges: 'yes',
    });
  });
});

describe('users and directories', () => {
  it('are made as the agent needs them', (context) => {
    if (process.getuid?.() !== 0)
      leaveOut(context, 'making users and directories, even below another root, needs root');
    const other = tempDir(cleanup);
    mkdirSync(join(other, 'etc', 'tanist'), { recursive: true });
    writeFileSync(join(other, 'etc', 'tanist', 'tanist.yml'), '', { mode: 0o644 });
    for (const kind of ['sysusers', 'tmpfiles']) {
      mkdirSync(join(other, 'usr', 'lib', `${kind}.d`), { recursive: true });
      cpSync(join(deploy, `tanist.${kind}.conf`), join(other, 'usr', 'lib', `${kind}.d`, 'tanist.conf'));
    }
    const users = run(context, 'systemd-sysusers', `--root=${other}`);
    expect(users.status, users.said).toBe(0);
    const [, uid, gid] = /^tanist:[^:]*:(\d+):(\d+):Tanist:\/var\/lib\/tanist:/m.exec(
      readFileSync(join(other, 'etc', 'passwd'), 'utf8'),
    ) ?? ['', '', ''];
    expect(Number(uid)).toBeGreaterThan(0);
    const made = run(context, 'systemd-tmpfiles', `--root=${other}`, '--create');
    expect(made.status, made.said).toBe(0);
    const look = (path: string): unknown => {
      const { mode, uid: owner, gid: group } = statSync(join(other, path));
      return { mode: mode & 0o777, owner, group };
    };
    expect(look('etc/tanist')).toEqual({ mode: 0o750, owner: 0, group: Number(gid) });
    expect(look('etc/tanist/tanist.yml')).toEqual({ mode: 0o640, owner: 0, group: Number(gid) });
  });
});

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, null>>;
  readonly networks: {
    readonly 'redis-ha': { readonly ipam: { readonly config: readonly { readonly subnet: string }[] } };
  };
}

interface Service {
  readonly build: { readonly context: string; readonly dockerfile: string };
  readonly container_name: string;
  readonly cap_drop: readonly string[];
  readonly cap_add: readonly string[];
  readonly volumes: readonly string[];
  readonly networks: { readonly 'redis-ha': { readonly ipv4_address: string } };
}

describe('containers', () => {
  const compose = parse(text('compose.yaml'), { merge: true }) as Compose;
  const services = Object.entries(compose.services);
  /** The words of an instruction of the Dockerfile in its JSON form. */
  const words = (instruction: string): string[] =>
    JSON.parse(new RegExp(`^${instruction} (\\[.*\\])$`, 'm').exec(text('Dockerfile'))?.[1] ?? '[]');

  it('are the hosts of their tanist.yml', () => {
    const config = readTanistConfig(text('compose/tanist.yml'), 'tanist.yml');
    const addresses = services.map(([name, s]) => [name, s.networks['redis-ha'].ipv4_address]);
    expect(config.hosts.map((h) => [h.name, h.address])).toEqual(addresses);
    expect(services).toHaveLength(3);
    const [group] = config.groups;
    expect(group).toMatchObject({ name: 'redis-ha', hosts: services.map(([name]) => name) });
    // The network is 172.19.0.0/16, as are the VIP's and the hosts' addresses.
    expect(compose.networks['redis-ha'].ipam.config.map((c) => c.subnet)).toEqual(['172.19.0.0/16']);
    expect(group?.vips).toMatchObject([{ address: '172.19.0.100', prefix: 16 }]);
  });

  it.each(services)('%s keeps its own data, and reads the one tanist.yml', (name, service) => {
    const [config = '', data = ''] = service.volumes;
    const [from = '', to, mode] = config.split(':');
    expect(existsSync(join(deploy, from))).toBe(true);
    expect([to, mode]).toEqual([words('CMD')[1], 'ro']);
    expect(data).toBe(`${name}:/var/lib/tanist`);
    expect(Object.keys(compose.volumes)).toContain(name);
    expect(service.container_name).toBe(name);
    expect(existsSync(join(deploy, service.build.context, service.build.dockerfile))).toBe(true);
  });

  it('copy only what is there and what is let into the build', () => {
    const copied = [...text('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, what = '']) =>
      what.split(' '),
    );
    const letIn = text('Dockerfile.dockerignore').split('\n');
    expect(copied.length).toBeGreaterThan(5);
    for (const path of copied) {
      expect(existsSync(join(root, path)), path).toBe(true);
      expect(letIn).toContain(`!${path}`);
    }
  });

  it('become tanist with two capabilities, by those that the compose file grants', (context) => {
    if (process.getuid?.() !== 0) leaveOut(context, 'becoming another user needs root');
    const [, service] = services[0] ?? [];
    const granted = (service?.cap_add ?? []).map((name) => `+${name.toLowerCase()}`).join(',');
    expect(service?.cap_drop).toEqual(['ALL']);
    const entry = words('ENTRYPOINT');
    expect(entry.at(-1)).toBe('tanist');
    // The user is only made in the image.
    const as = entry.slice(0, -1).map((word) => word.replace(/^(--re[ug]id=)tanist$/, '$165534'));
    const contained = ['--bounding-set', `-all,${granted}`, '--inh-caps', '-all', '--ambient-caps', '-all', '--'];
    const { status, said } = run(context, 'setpriv', ...contained, ...as, 'cat', '/proc/self/status');
    expect(status, said).toBe(0);
    expect(said).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m);
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect(said).toContain(`${set}:\t0000000000003000`);
  });

  it('can be stopped: process 1 is root, and tanist, whom it must tell, is not', async (context) => {
    if (process.getuid?.() !== 0) leaveOut(context, 'becoming another user needs root');
    const [, service] = services[0] ?? [];
    const granted = (service?.cap_add ?? []).map((name) => `+${name.toLowerCase()}`).join(',');
    const other = spawn('setpriv', ['--reuid=65534', '--clear-groups', '--', 'sleep', '60'], { stdio: 'ignore' });
    cleanup.add(() => other.kill('SIGKILL'));
    const uid = () => /^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${other.pid}/status`, 'utf8'))?.[1];
    await until(() => uid() === '65534', { what: 'another user' });
    const as = ['--bounding-set', `-all,${granted}`, '--'];
    const { status, said } = run(context, 'setpriv', ...as, 'sh', '-c', 'kill -TERM "$0"', String(other.pid));
    expect(status, said).toBe(0);
  });

  it('name no host of a network but the base image', () => {
    const files = readdirSync(deploy, { recursive: true, encoding: 'utf8' }).filter((f) =>
      statSync(join(deploy, f)).isFile(),
    );
    for (const file of files) expect(text(file), file).not.toMatch(/https?:\/\//);
  });
});
