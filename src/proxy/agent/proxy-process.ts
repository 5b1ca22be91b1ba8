/**
 * The program of the proxy that an agent starts: in one process, or as the parent of several. It has no file and no
 * terminal; the agent says everything over the control socket, and is told what is for the log.
 *
 * It outlives the agent. Without one it serves on by the routes that it has, and asks the Sentinels of the other hosts where
 * the masters are (`follow/alone.pure.ts`), until the next agent speaks to it. It ends by order, by SIGTERM, or when its
 * socket is gone: then nobody could ever find it again.
 */
import { fileURLToPath } from 'node:url';
import { processId } from '../../net/process-id.js';
import { InheritedDoors } from '../inherited-doors.js';
import { INFO, ProxyLog } from '../log.js';
import { DRAIN_MS, WORKER_MARK } from '../workers/messages.js';
import { leaveSignalsToParent, obey, tellLine } from '../workers/orders.js';
import { runWorker } from '../workers/worker.js';
import { Attendance } from './attendance.js';
import { buildId } from './build-id.js';
import { ControlSocket } from './control-socket.js';
import { socketPath } from './places.js';
import { ServedProxy, VERSION } from './served-proxy.js';
import { inheritDoors, startSuccessor, tookDoors } from './succession.js';

/** How often it is looked whether an agent could find this process. */
const LOOK_MS = 2_000;

async function main(directory: string): Promise<void> {
  leaveSignalsToParent();
  const id = processId(process.pid);
  if (id === null) throw new Error('there is no /proc to say who this process is');
  // Now, since the files may be replaced while it runs.
  const build = await buildId(fileURLToPath(new URL('../../', import.meta.url)));
  const log = new ProxyLog(INFO, (level, line) => control.say({ level, line }));
  const doubted = (group: string, reason: string): void => {
    control.say({ doubt: group, reason });
    attendance.doubted();
  };
  const inherited = new InheritedDoors();
  const served = new ServedProxy(log, doubted, inherited);
  const attendance = new Attendance(served, log);
  const end = (): void => process.exit(0);
  const control = new ControlSocket(socketPath(directory, id), {
    identity: () => ({ build, workers: served.workers, routes: served.known }),
    left: () => attendance.left(),
    stopped: end,
    ordered: (order) => {
      attendance.heard();
      return obey(order, {
        log,
        proxy: () => served,
        configure: async (each) => {
          await served.configure(each);
          attendance.settings = each.alone;
        },
        logChanged: () => served.logLevelChanged(),
        succeed: (each) => startSuccessor(each, directory, served),
        stopping: () => {
          attendance.stop();
          control.leave();
        },
      });
    },
  });
  const stop = (why: string): void => {
    log.notice(`ending: ${why}`);
    attendance.stop();
    control.leave();
    served.stop(DRAIN_MS).finally(end);
  };
  process.once('SIGTERM', () => stop('SIGTERM was received'));
  await inheritDoors(inherited);
  await control.listen();
  tookDoors();
  const look = setInterval(() => {
    if (control.isThere) return;
    clearInterval(look);
    stop('its control socket is gone');
  }, LOOK_MS);
}

if (process.env[WORKER_MARK] === undefined) {
  await main(process.argv[2] ?? '');
} else {
  void runWorker(VERSION, new ProxyLog(INFO, tellLine));
}
