/**
 * From one proxy to the next, when the program has changed: the old one starts the new one and hands it the open doors, so
 * that at no moment a client is refused. The listening sockets are the same ones, backlog and all.
 */
import { fork } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { InheritedDoors } from '../inherited-doors.js';
import type { DoorHandle } from '../listener.js';
import { ChildChannel } from '../workers/channel.js';
import type { Opened, Order } from '../workers/messages.js';
import type { ServedProxy } from './served-proxy.js';

/** Set for a process that is given doors before it begins. */
const HEIR_MARK = 'TANIST_PROXY_HEIR';
/** What the next proxy may take until it speaks. */
export const START_MS = 30_000;
/** What a crash has left is kept until there is more of it. */
const CRASH_LOG_MAX_BYTES = 64 * 1024;

interface AllGiven {
  readonly given: number;
}

/** Where a crash is written down: not a pipe, which would break when the agent dies. */
export function crashLog(directory: string): string {
  return join(directory, 'crash.log');
}

/** @returns a descriptor, which the caller closes @throws {Error} when the file cannot be opened */
export function openCrashLog(directory: string): number {
  const path = crashLog(directory);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return openSync(path, size > CRASH_LOG_MAX_BYTES ? 'w' : 'a', 0o600);
}

/**
 * Starts the next proxy with the doors of this one. It serves once it has been configured.
 * @returns its pid
 * @throws {Error} (rejects) when it does not come up; then this one serves on as before
 */
export function startSuccessor(
  order: Extract<Order, { kind: 'succeed' }>,
  directory: string,
  served: ServedProxy,
): Promise<number> {
  return served.lendDoors((doors) => startWith(doors, order, directory));
}

async function startWith(
  doors: ReadonlyMap<string, DoorHandle>,
  { program, execPath }: Extract<Order, { kind: 'succeed' }>,
  directory: string,
): Promise<number> {
  const output = openCrashLog(directory);
  const child = fork(program, [directory], {
    execPath,
    execArgv: [],
    env: { ...process.env, [HEIR_MARK]: '1' },
    stdio: ['ignore', 'ignore', output, 'ipc'],
    detached: true,
  });
  closeSync(output);
  try {
    await once(child, 'the next proxy to start');
    const channel = new ChildChannel(child);
    for (const [door, handle] of doors) await channel.give(door, handle);
    const took = once(child, 'the next proxy to take the doors');
    const all: AllGiven = { given: doors.size };
    child.send(all);
    await took;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
  child.disconnect();
  child.unref();
  return child.pid ?? 0;
}

/** Its next word. @throws {Error} (rejects) when it ends or is silent instead */
function once(child: ReturnType<typeof fork>, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => done(new Error(`waited ${START_MS} ms for ${what}`)), START_MS);
    const heard = (): void => done(null);
    const exited = (code: number | null, signal: string | null): void =>
      done(new Error(`the next proxy has ended: ${signal ?? `exit code ${code}`}`));
    const failed = (error: Error): void => done(error);
    const done = (error: Error | null): void => {
      clearTimeout(timer);
      child.off('message', heard).off('exit', exited).off('error', failed);
      if (error === null) resolve();
      else reject(error);
    };
    child.on('message', heard).on('exit', exited).on('error', failed);
  });
}

/** Takes the doors of the proxy before, if this process was started by it. Ends the process when that one ends first. */
export async function inheritDoors(inherited: InheritedDoors): Promise<void> {
  if (process.env[HEIR_MARK] === undefined) return;
  // Nothing that it starts is one.
  delete process.env[HEIR_MARK];
  const abandoned = (): void => process.exit(1);
  process.once('disconnect', abandoned);
  await new Promise<void>((resolve) => {
    process.on('message', (message: Opened | AllGiven, handle) => {
      if ('given' in message) resolve();
      else inherited.add(message.door, handle as unknown as DoorHandle);
    });
    process.send?.('ready');
  });
  process.off('disconnect', abandoned);
}

/** Says that it can be spoken to now. */
export function tookDoors(): void {
  if (process.connected) process.send?.('took');
}
