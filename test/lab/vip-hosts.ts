/** Hosts of a lab that keep VIPs as they are told, by `vip-agent.mjs`. */
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TanistConfig } from '../../src/config/tanist/model.js';
import type { Child } from '../support/child.js';
import type { Cleanup } from '../support/cleanup.js';
import { clusterConfig, groupConfig, hostConfig, vipConfig } from '../support/tanist-config.js';
import { until } from '../support/until.js';
import type { Host } from './host.js';
import { VIP } from './vrrp-config.js';
import type { Scene } from './vrrp-scene.js';

const AGENT = fileURLToPath(new URL('./vip-agent.mjs', import.meta.url));
export const GROUP = 'mymaster';
const RIGHTS = ['--inh-caps', '--ambient-caps', '--bounding-set'].flatMap((o) => [o, '-all,+net_raw,+net_admin']);
/** Starts a program as nobody, with the two capabilities that VIPs need. */
export const NOBODY: readonly string[] = [
  ...['setpriv', '--reuid', '65534', '--regid', '65534', '--clear-groups'],
  ...[...RIGHTS, '--no-new-privs'],
];

/** A cluster of a and b, the lab's first two hosts, with its VIP. */
export function labCluster(more: Partial<TanistConfig> = {}): TanistConfig {
  return clusterConfig({
    hosts: [hostConfig('a', '10.99.0.1'), hostConfig('b', '10.99.0.2')],
    groups: [groupConfig({ vips: [vipConfig(VIP)] })],
    ...more,
  });
}

export class VipHost {
  readonly host: Host;
  readonly child: Child;
  readonly #socket: Socket;

  constructor(host: Host, child: Child, socket: Socket) {
    this.host = host;
    this.child = child;
    this.#socket = socket;
  }

  /** Gives an order, as `vip-agent.mjs` knows them. */
  tell(order: string): void {
    this.#socket.write(`${order}\n`);
  }

  /** The process id of the router: the latest that was started. */
  routerPid(): number {
    const children = this.host.childrenOf(this.child.pid);
    const router = children.find((c) => c.command.includes('router-process.js'));
    if (router === undefined) throw new Error(`no router process runs on ${this.host.name}`);
    return router.pid;
  }

  async holds(held: boolean, address = VIP, deadline_ms = 5000): Promise<void> {
    const what = `${this.host.name} ${held ? 'to hold' : 'not to hold'} ${address}`;
    await until(() => this.host.holds(address) === held, { what, deadline_ms, interval_ms: 10 }).catch(
      (error: Error) => {
        throw new Error(`${error.message}\n--- its log:\n${this.child.output.slice(-3000)}`);
      },
    );
  }
}

export interface VipHostOptions {
  /** Another kernel lifetime than the plan's. */
  readonly lifetime_s?: number;
  /** What to start it by, e.g. setpriv with its arguments. */
  readonly before?: readonly string[];
}

/** Starts the stand-in agent on a host. */
export async function startVipHost(
  { lab, folder }: Scene,
  name: string,
  cleanup: Cleanup,
  config: TanistConfig = labCluster(),
  { lifetime_s, before = [] }: VipHostOptions = {},
): Promise<VipHost> {
  const file = join(folder, `${name}.json`);
  const path = join(folder, `${name}.socket`);
  writeFileSync(file, JSON.stringify(config));
  const more = lifetime_s === undefined ? [] : [String(lifetime_s)];
  const [program = process.execPath, ...args] = [...before, process.execPath, AGENT, name, file, path, ...more];
  const child = lab.host(name).start(program, args);
  await child.untilOutput(/ router \d+/);
  const socket = await new Promise<Socket>((resolve, reject) => {
    const made = connect(path, () => resolve(made)).once('error', reject);
  });
  socket.on('error', () => undefined);
  cleanup.add(() => socket.destroy());
  await child.untilOutput(/ held \S+ false/);
  return new VipHost(lab.host(name), child, socket);
}
