/** What a plan needs of this host, and does not find: interfaces, scripts, users. */
import { readFileSync } from 'node:fs';
import { type Diagnostic, Diagnostics, type Place } from '../config/keepalived/diagnostics.js';
import type { Command, KeepalivedConf } from '../config/keepalived/model.js';
import { allAddresses } from './core/config.js';
import type { VrrpPlan } from './plan.js';
import { commandFault } from './run/commands.js';
import { resolveUser } from './run/users.js';

export function checkHost(conf: KeepalivedConf, plan: VrrpPlan): readonly Diagnostic[] {
  const diagnostics = new Diagnostics();
  checkInterfaces(conf, plan, diagnostics);
  const policy = { user: plan.scriptUser, security: plan.scriptSecurity };
  const check = (command: Command | null, consequence: string): void => {
    if (command === null) return;
    const fault = commandFault(command, policy);
    if (fault !== null) diagnostics.error(command.place, `${fault}: ${consequence}`);
    const ids = command.user === null ? null : resolveUser(command.user);
    if (typeof ids === 'string') diagnostics.error(command.place, `${ids}: ${consequence}`);
  };
  for (const script of plan.scripts) check(script.command, `vrrp_script ${script.name} counts as failed`);
  for (const { notifies: n } of [...conf.instances.values(), ...conf.groups.values()]) {
    for (const command of [n.master, n.backup, n.fault, n.stop, n.any, n.deleted, n.masterHearsLower])
      check(command, 'it will not be run');
  }
  for (const fifo of plan.fifos) check(fifo.script, 'it will not be run');
  const ids = plan.scriptUser === null ? null : resolveUser(plan.scriptUser);
  if (typeof ids === 'string')
    diagnostics.error({ file: conf.path, line: 1, column: 1 }, `script_user: ${ids}: no script will run`);
  return diagnostics.list;
}

function checkInterfaces(conf: KeepalivedConf, plan: VrrpPlan, diagnostics: Diagnostics): void {
  const present = interfaceNames();
  const missing = new Map<string, { place: Place; what: string }>();
  for (const i of plan.router.instances) {
    const place = conf.instances.get(i.name)?.place ?? { file: conf.path, line: 1, column: 1 };
    for (const name of [
      i.interface,
      ...i.trackInterfaces.map((t) => t.interface),
      ...allAddresses(i).map((a) => a.device),
    ]) {
      if (!present.has(name)) missing.set(name, { place, what: `vrrp_instance ${i.name}` });
    }
  }
  for (const [name, { place, what }] of missing) {
    diagnostics.error(place, `interface ${name} of ${what} does not exist: in fault until it does`);
  }
}

/** Of this process's own network namespace, which /sys need not show. */
function interfaceNames(): Set<string> {
  const lines = readFileSync('/proc/self/net/dev', 'utf8').split('\n').slice(2);
  return new Set(lines.map((line) => line.split(':')[0]?.trim() ?? ''));
}
