/** `tanist vrrp` as a daemon in the foreground: signals, reloads, dumps, the pid file. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../base/error-text.js';
import { exitCodeOf, formatDiagnostic } from '../config/keepalived/diagnostics.js';
import { serviceManager } from '../net/service-manager.js';
import { type Loaded, type LoadOptions, loadVrrpPlan, newFaults } from './load.js';
import type { Logger } from './run/logger.js';
import type { NotifyLimits } from './run/notifier.js';
import { VrrpSupervisor } from './run/supervisor.js';

export interface DaemonOptions extends LoadOptions {
  readonly path: string;
  readonly pidFile: string | null;
  readonly dumpDirectory: string;
  readonly notify: NotifyLimits;
}

/** Runs until SIGTERM or SIGINT. Resolves with the exit code. */
export async function runVrrpDaemon(options: DaemonOptions, log: Logger): Promise<number> {
  let current = loadVrrpPlan(options.path, options);
  report(current, log);
  if (exitCodeOf(current.diagnostics) === 3 || current.plan.router.instances.length === 0) {
    log('error', null, `${options.path} has no vrrp_instance that can run`);
    return 3;
  }
  const obstacle = (await nativeFault()) ?? takePidFile(options.pidFile);
  if (obstacle !== null) {
    log('error', null, obstacle);
    return 1;
  }
  const manager = await serviceManager((trouble) => log('warn', null, trouble));
  return new Promise((resolve) => {
    let leaving = false;
    const leave = (code: number): void => {
      if (leaving) return;
      leaving = true;
      manager.stopping('leaves');
      void supervisor.stop().then(() => {
        if (options.pidFile !== null) rmSync(options.pidFile, { force: true });
        log('info', null, 'stopped');
        resolve(code);
      });
    };
    const supervisor = new VrrpSupervisor(current.plan, log, {
      notify: options.notify,
      onGivenUp: () => leave(1),
    });
    process.on('SIGTERM', () => leave(0));
    process.on('SIGINT', () => leave(0));
    process.on('SIGHUP', () => {
      if (leaving) return;
      manager.reloading();
      current = reload(current, options, supervisor, log);
      manager.ready(whatRuns(current));
    });
    process.on('SIGUSR1', () => void dump('data', supervisor, options, log));
    process.on('SIGUSR2', () => void dump('stats', supervisor, options, log));
    supervisor.start();
    log('info', null, `${whatRuns(current)} from ${options.path}`);
    manager.ready(whatRuns(current));
  });
}

function whatRuns({ plan }: Loaded): string {
  return `runs ${plan.router.instances.map((i) => i.name).join(', ')}`;
}

/** Why system calls cannot be made, or null. The router process would only die of it, again and again. */
async function nativeFault(): Promise<string | null> {
  try {
    await import('../net/libc.js');
    return null;
  } catch (error) {
    const why = errorText(error);
    return `koffi's native part cannot be loaded (was it installed with --omit=optional?): ${why}`;
  }
}

function report({ diagnostics }: Loaded, log: Logger): void {
  for (const d of diagnostics) {
    const level =
      d.severity === 'fatal' || d.severity === 'error' ? 'error' : d.severity === 'unsafe' ? 'warn' : 'info';
    log(level, null, formatDiagnostic(d));
  }
}

/** The configuration in force afterwards. */
function reload(current: Loaded, options: DaemonOptions, supervisor: VrrpSupervisor, log: Logger): Loaded {
  const next = loadVrrpPlan(options.path, options);
  const faults = newFaults(current, next);
  if (faults.length > 0 || next.plan.router.instances.length === 0) {
    for (const fault of faults) log('error', null, formatDiagnostic(fault));
    log('error', null, 'reload refused: the configuration in force stays');
    return current;
  }
  report(next, log);
  supervisor.reload(next.plan);
  log('info', null, `reloaded ${options.path}`);
  return next;
}

/** keepalived's SIGUSR1 and SIGUSR2, as JSON. */
async function dump(
  kind: 'data' | 'stats',
  supervisor: VrrpSupervisor,
  options: DaemonOptions,
  log: Logger,
): Promise<void> {
  const path = join(options.dumpDirectory, `tanist-vrrp.${kind}.json`);
  try {
    const { instances, process: router } = await supervisor.snapshot();
    const shown = kind === 'data' ? instances : instances.map(({ name, state, stats }) => ({ name, state, stats }));
    // Written aside and renamed: whoever reads it sees it whole, and a link put in its place is replaced, not followed.
    const aside = `${path}.${process.pid}`;
    writeFileSync(aside, `${JSON.stringify({ at: new Date().toISOString(), router, instances: shown }, null, 2)}\n`, {
      flag: 'wx',
      mode: 0o644,
    });
    renameSync(aside, path);
    log('info', null, `wrote ${path}`);
  } catch (error) {
    log('error', null, `cannot write ${path}: ${errorText(error)}`);
  }
}

/** null when the file is ours now, else why not. */
function takePidFile(path: string | null): string | null {
  if (path === null) return null;
  const other = Number(readOr(path, ''));
  if (Number.isInteger(other) && other > 0 && isAlive(other)) return `${path}: process ${other} runs already`;
  try {
    writeFileSync(path, `${process.pid}\n`);
    return null;
  } catch (error) {
    return `cannot write ${path}: ${errorText(error)}`;
  }
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
