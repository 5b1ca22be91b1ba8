/** `daemonize yes`: the program starts itself once more, without a terminal, and ends when that copy is ready. */
import { spawn } from 'node:child_process';

/** Set in the environment of the copy. */
const MARK = 'TANIST_BACKGROUND';
/** A copy that does not say how its start went is taken for failed after this. */
const START_TIMEOUT_MS = 60_000;

const inBackground = process.env[MARK] === '1';
// Scripts must not take themselves for the copy when they start a Sentinel of their own.
delete process.env[MARK];

/** What the copy tells: null when it is ready, else why it is not. */
interface Outcome {
  readonly failure: string | null;
}

/** Whether this process is the copy. */
export function isBackground(): boolean {
  return inBackground;
}

/** Starts the copy, in the same place with the same arguments. @returns why it did not come up, or null when it did */
export function startInBackground(cwd: string): Promise<string | null> {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    cwd,
    detached: true,
    env: { ...process.env, [MARK]: '1' },
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  return new Promise((resolve) => {
    const timer = setTimeout(() => settle('the process in the background did not come up in time'), START_TIMEOUT_MS);
    const settle = (failure: string | null): void => {
      clearTimeout(timer);
      if (child.connected) child.disconnect();
      child.unref();
      resolve(failure);
    };
    child.once('message', (outcome) => settle((outcome as Outcome).failure));
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) => settle(`the process in the background ended at once (${signal ?? code})`));
  });
}

/** In the copy: tells the waiting process how the start went. Nothing happens in the foreground. */
export function tellStarter(failure: string | null): Promise<void> {
  if (process.send === undefined || !isBackground()) return Promise.resolve();
  return new Promise((resolve) => {
    process.send?.({ failure } satisfies Outcome, () => {
      if (process.connected) process.disconnect();
      resolve();
    });
  });
}
