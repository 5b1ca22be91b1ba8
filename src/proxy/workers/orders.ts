/** The end of the channel where orders come in: of a worker, and of the process that an agent starts. */
import type { SendHandle } from 'node:child_process';
import { errorText } from '../../base/error-text.js';
import type { Hold, Route } from '../follow/routes.js';
import type { InheritedDoors } from '../inherited-doors.js';
import type { DoorHandle } from '../listener.js';
import type { ProxyLog } from '../log.js';
import type { StatsSource } from '../measure/snapshot.js';
import { type Answer, type Letter, type Opened, type Order, READY, type Result, type Said } from './messages.js';

/** Signals that a terminal or an operator sends to the whole group: the parent says what follows from them. */
const LEFT_TO_PARENT: readonly NodeJS.Signals[] = ['SIGHUP', 'SIGINT', 'SIGTTIN', 'SIGTTOU'];

/** A proxy in this process or in workers of it. */
export interface RunningProxy extends StatsSource {
  routes(routes: readonly Route[]): void;
  hold(hold: Hold): void;
  /** Lets the open doors be used, by name, for as long as `use` takes. @throws {Error} (rejects) as `use` does */
  lendDoors<T>(use: (doors: ReadonlyMap<string, DoorHandle>) => Promise<T>): Promise<T>;
  /** Takes no new clients. Settles when others can listen there. */
  closeDoors(): Promise<void>;
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
  /** Starts the next proxy. @returns its pid @throws {Error} (rejects) */
  readonly succeed?: (order: Extract<Order, { kind: 'succeed' }>) => Promise<number>;
  /** The order to stop is about to be carried out. */
  readonly stopping?: () => void;
}

/** Carries an order out. @throws {Error} (rejects) with the reason why it could not */
export async function obey(order: Order, who: Obedient): Promise<Result> {
  const { log, proxy } = who;
  switch (order.kind) {
    case 'configure':
      await who.configure(order);
      return {};
    case 'routes':
      proxy()?.routes(order.routes);
      return {};
    case 'hold':
      proxy()?.hold(order.hold);
      return {};
    case 'snapshot':
      return { snapshot: (await proxy()?.snapshot()) ?? null };
    case 'log-level':
      log.setLevel(order.level);
      await who.logChanged?.(order);
      return {};
    case 'reopen-log':
      log.reopen();
      await who.logChanged?.(order);
      return {};
    case 'show-doors':
      await proxy()?.lendDoors(showDoors);
      return {};
    case 'succeed':
      if (who.succeed === undefined) throw new Error('only the process that an agent has started can be succeeded');
      return { successor: await who.succeed(order) };
    case 'close-doors':
      await proxy()?.closeDoors();
      return {};
    case 'stop':
      who.stopping?.();
      await proxy()?.stop(order.drain_ms);
      return {};
  }
}

function say(message: Said, said: () => void = () => {}): void {
  // Whoever would hear it may be gone.
  if (process.connected) process.send?.(message, undefined, undefined, said);
  else said();
}

/** The answer to the letter of this number, whatever becomes of its order. Never rejects. */
export async function answerTo(id: number, obeyed: Promise<Result>): Promise<Answer> {
  try {
    return { id, error: null, result: await obeyed };
  } catch (error) {
    return { id, error: errorText(error), result: {} };
  }
}

async function showDoors(doors: ReadonlyMap<string, DoorHandle>): Promise<void> {
  for (const [door, handle] of doors) await showDoor({ door }, handle);
}

function showDoor(opened: Opened, handle: DoorHandle): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(opened, handle as unknown as SendHandle, undefined, () => resolve());
  });
}

/** Tells the parent that a master does not answer as one. */
export function tellDoubt(group: string, reason: string): void {
  say({ doubt: group, reason });
}

/** Gives the parent a line for its log. */
export function tellLine(level: number, line: string): void {
  say({ level, line });
}

/** From now on no signal of a terminal's ends this process. */
export function leaveSignalsToParent(): void {
  for (const signal of LEFT_TO_PARENT) process.on(signal, () => {});
}

/**
 * Carries out what the parent says, from now on. The process ends with the order to stop.
 * @param inherited where the doors go that the parent has open
 */
export function serveOrders(obedient: Obedient, inherited: InheritedDoors): void {
  leaveSignalsToParent();
  process.on('message', (message: Letter | Opened, handle) => {
    if ('door' in message) return inherited.add(message.door, handle as unknown as DoorHandle);
    const { id, order } = message;
    void answerTo(id, obey(order, obedient)).then((answer) =>
      say(answer, () => {
        if (order.kind === 'stop') process.exit(0);
      }),
    );
  });
  say({ id: READY, error: null, result: {} });
}
