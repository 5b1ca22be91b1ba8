/** The end of the channel where orders come in: of a worker, and of the process that an agent starts. */
import type { Hold, Route } from '../follow/routes.js';
import type { ProxyLog } from '../log.js';
import type { Snapshot, StatsSource } from '../measure/snapshot.js';
import { type Answer, type Doubt, type Letter, type Order, READY } from './messages.js';

/** Signals that a terminal or an operator sends to the whole group: the parent says what follows from them. */
const LEFT_TO_PARENT: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGINT', 'SIGTTIN', 'SIGTTOU'];

/** A proxy in this process or in workers of it. */
export interface RunningProxy extends StatsSource {
  routes(routes: readonly Route[]): void;
  hold(hold: Hold): void;
  /** Takes no new clients. */
  closeDoors(): void;
  /** @param drain_ms how long clients may wait for what they have asked for. */
  stop(drain_ms: number): Promise<void>;
}

/** Who carries orders out. */
export interface Obedient {
  readonly log: ProxyLog;
  /** Null before it has been configured. */
  readonly proxy: () => RunningProxy | null;
  /** @throws {Error} (rejects) when it cannot; then nothing has changed. */
  readonly configure: (order: Extract<Order, { kind: 'configure' }>) => Promise<void>;
  /** The level of the log has been changed, or its file opened again. */
  readonly logChanged?: (order: Order) => Promise<void>;
}

async function obey(order: Order, { log, proxy, configure, logChanged }: Obedient): Promise<Snapshot | null> {
  switch (order.kind) {
    case 'configure':
      await configure(order);
      return null;
    case 'routes':
      proxy()?.routes(order.routes);
      return null;
    case 'hold':
      proxy()?.hold(order.hold);
      return null;
    case 'snapshot':
      return (await proxy()?.snapshot()) ?? null;
    case 'log-level':
      log.setLevel(order.level);
      await logChanged?.(order);
      return null;
    case 'reopen-log':
      log.reopen();
      await logChanged?.(order);
      return null;
    case 'close-doors':
      proxy()?.closeDoors();
      return null;
    case 'stop':
      await proxy()?.stop(order.drain_ms);
      return null;
  }
}

function say(message: Answer | Doubt, said: () => void = () => {}): void {
  // Whoever would hear it may be gone.
  if (process.connected) process.send?.(message, undefined, undefined, said);
  else said();
}

/** Tells the parent that a master does not answer as one. */
export function tellDoubt(group: string, reason: string): void {
  say({ doubt: group, reason });
}

/** Carries out what the parent says, from now on. The process ends with the order to stop. */
export function serveOrders(obedient: Obedient): void {
  for (const signal of LEFT_TO_PARENT) process.on(signal, () => {});
  process.on('message', ({ id, order }: Letter) => {
    const answer = (error: string | null, snapshot: Snapshot | null): void => {
      say({ id, error, snapshot }, () => {
        if (order.kind === 'stop') process.exit(0);
      });
    };
    obey(order, obedient).then(
      (snapshot) => answer(null, snapshot),
      (error: unknown) => answer(error instanceof Error ? error.message : String(error), null),
    );
  });
  say({ id: READY, error: null, snapshot: null });
}
