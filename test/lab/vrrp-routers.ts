/** keepalived and `tanist vrrp` on lab hosts, started from the same configuration text. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import type { Child } from '../support/child.js';
import { leaveOut } from '../support/needs.js';
import { findPeer } from '../support/peers.js';
import { tanistPath } from '../support/tanist.js';
import { until } from '../support/until.js';
import type { Host } from './host.js';
import { needsLab } from './lab.js';

export type RouterKind = 'tanist' | 'keepalived';

export type RouterState = 'MASTER' | 'BACKUP' | 'FAULT';

/** Leaves the test out unless labs can be built and keepalived, nft and tcpdump are there. */
export function needsVrrpLab(context: TestContext): void {
  needsLab(context);
  for (const name of ['keepalived', 'nft', 'tcpdump'] as const) {
    const found = findPeer(name);
    if (found.path === null) leaveOut(context, found.reason);
  }
}

/** A router that runs on a host. */
export class RunningRouter {
  readonly kind: RouterKind;
  readonly host: Host;
  readonly child: Child;
  readonly configPath: string;

  constructor(kind: RouterKind, host: Host, child: Child, configPath: string) {
    this.kind = kind;
    this.host = host;
    this.child = child;
    this.configPath = configPath;
  }

  /** The state it last spoke of in its log. */
  state(instance: string): RouterState | null {
    const pattern =
      this.kind === 'keepalived'
        ? new RegExp(`\\(${instance}\\) Entering (MASTER|BACKUP|FAULT) STATE`, 'g')
        : new RegExp(`\\(${instance}\\) \\w+ -> (MASTER|BACKUP|FAULT)`, 'g');
    const last = [...this.child.output.matchAll(pattern)].at(-1);
    return (last?.[1] as RouterState | undefined) ?? null;
  }

  async becomes(instance: string, state: RouterState, deadline_ms = 15_000): Promise<void> {
    const what = `${this.kind} on ${this.host.name} to be ${state}`;
    await until(() => this.state(instance) === state, { what, deadline_ms }).catch((error: Error) => {
      throw new Error(`${error.message}\n--- its log:\n${this.child.output.slice(-3000)}`);
    });
  }

  /** Replaces its configuration and has it read again. */
  reload(config: string): void {
    writeFileSync(this.configPath, config);
    this.child.kill('SIGHUP');
  }
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a router of either kind; `folder` gets its files. */
export function startRouter(
  kind: RouterKind,
  host: Host,
  folder: string,
  config: string,
  options: StartOptions = {},
): RunningRouter {
  const path = join(folder, `${host.name}.conf`);
  writeFileSync(path, config);
  const { args = [], env = {} } = options;
  // keepalived takes the pid file of a killed run for a running one when the number is in use again.
  for (const suffix of ['pid', 'vrrp.pid']) rmSync(join(folder, `${host.name}.${suffix}`), { force: true });
  const child =
    kind === 'keepalived'
      ? host.start(
          keepalivedPath(),
          [
            '-n',
            '-l',
            '-D',
            '-P',
            '-f',
            path,
            '-p',
            join(folder, `${host.name}.pid`),
            '-r',
            join(folder, `${host.name}.vrrp.pid`),
            ...args,
          ],
          env,
        )
      : host.start(process.execPath, [tanistPath, 'vrrp', '-n', '-l', '-D', '-f', path, ...args], env);
  return new RunningRouter(kind, host, child, path);
}

function keepalivedPath(): string {
  const found = findPeer('keepalived');
  if (found.path === null) throw new Error(found.reason);
  return found.path;
}

/** Waits until exactly `name` holds the address, and each router says what goes with that. */
export async function agreed(
  routers: readonly RunningRouter[],
  name: string,
  address: string,
  instance = 'VI',
  deadline_ms = 15_000,
): Promise<void> {
  const look = (): boolean =>
    routers.every((r) => {
      const master = r.host.name === name;
      const state = r.state(instance);
      // One that has said nothing yet has not agreed to anything.
      return state !== null && r.host.holds(address) === master && (state === 'MASTER') === master;
    });
  await until(look, { what: `${name} alone to be master and to hold ${address}`, deadline_ms, interval_ms: 20 }).catch(
    (error: Error) => {
      const logs = routers.map(
        (r) => `--- ${r.kind} on ${r.host.name} (${r.host.addresses().join(' ')}):\n${r.child.output.slice(-2500)}`,
      );
      throw new Error(`${error.message}\n${logs.join('\n')}`);
    },
  );
}
