/** The program of the router process. Descriptor 3 brings the supervisor's words, 4 takes ours. */
import { errorText } from '../../base/error-text.js';
import { ControlPipe } from './control-pipe.js';
import { RouterLoop } from './router-loop.js';

// Signals meant for the whole process group must not end this process before its addresses are released: it ends when
// told to, or when the supervisor is gone. The handlers never run, since the loop keeps the thread; having them is enough.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE'] as const) {
  process.on(signal, () => undefined);
}

const control = new ControlPipe(3, 4);
try {
  new RouterLoop(control).run();
} catch (error) {
  const message = `the router process ends: ${errorText(error)}`;
  control.send({ say: 'report', report: { do: 'log', level: 'error', instance: null, message } });
  control.flush();
  process.exit(1);
}
process.exit(0);
