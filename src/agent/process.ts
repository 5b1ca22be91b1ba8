/** The agent as a process: signals, the service manager, the end. */
import { serviceManager } from '../net/service-manager.js';
import type { Log } from '../observe/log.js';
import type { Agent } from './agent.js';

/** A fault of ours: sysexits(3)'s EX_SOFTWARE. */
const FAULT_CODE = 70;
/** How old `systemctl status` may be. */
const STATUS_PERIOD_MS = 1_000;
/** A second signal, or an end that takes longer, ends at once: leases and addresses then run out by themselves. */
const END_MAX_MS = 30_000;

/**
 * Runs an agent until a signal ends it.
 * @returns the exit code
 * @throws {Error} when it cannot be started
 */
export async function serve(log: Log, start: () => Promise<Agent>): Promise<number> {
  const signal = new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => resolve(name));
  });
  process.on('SIGHUP', () => log.write('notice', 'SIGHUP was received: restart the agent to read tanist.yml again'));
  // Left alone, Node would open its debugger to everybody on this host.
  process.on('SIGUSR1', () => log.write('notice', 'SIGUSR1 was received: it has no meaning here'));
  // Whoever read our output is gone; the agent goes on.
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);
  process.on('uncaughtException', (error) => {
    log.write('warning', `A fault in tanist itself: ${error.stack ?? error.message}`);
    process.exit(FAULT_CODE);
  });
  // First of all, since what the agent starts must not take itself for the service.
  const manager = await serviceManager((trouble) => log.write('warning', trouble));
  const agent = await start();
  const isReady = await Promise.race([agent.ready().then(() => true), signal.then(() => false)]);
  if (isReady) {
    log.write('notice', `Ready: ${agent.statusLine}`);
    manager.ready(agent.statusLine);
  }
  const telling = setInterval(() => manager.status(agent.statusLine), STATUS_PERIOD_MS);
  const name = await signal;
  log.write('warning', `${name} was received: ending`);
  clearInterval(telling);
  manager.stopping(`${name} was received`);
  for (const again of ['SIGTERM', 'SIGINT'] as const) process.on(again, () => endNow(log, `${again} came again`));
  const timer = setTimeout(() => endNow(log, `the end took longer than ${END_MAX_MS / 1_000} s`), END_MAX_MS);
  await agent.stop();
  clearTimeout(timer);
  log.write('warning', 'tanist has ended; Redis and the proxy go on');
  return 0;
}

function endNow(log: Log, why: string): void {
  log.write('warning', `${why}: ending at once`);
  process.exit(1);
}
