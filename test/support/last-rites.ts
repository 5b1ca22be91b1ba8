/** What must happen when this process ends early: children killed, folders removed. All steps are synchronous. */
const steps = new Set<() => void>();
let armed = false;

/** Runs `step` when the process exits or is told to by a signal. @returns takes the step back. */
export function atExit(step: () => void): () => void {
  if (!armed) arm();
  steps.add(step);
  return () => steps.delete(step);
}

function arm(): void {
  armed = true;
  process.on('exit', runAll);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      runAll();
      // Die of the signal itself, so that the parent sees why; a handler of somebody else may still have a say.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  }
}

/** Newest first, since a folder must outlive the child that writes into it. */
function runAll(): void {
  for (const step of [...steps].reverse()) {
    try {
      step();
    } catch {
      // Nobody is left to tell.
    }
  }
  steps.clear();
}
