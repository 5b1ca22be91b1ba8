/** Takes the lock of a state directory, says so, and waits to be killed: run by tests as a process of its own. */
import { StateLock } from '../../src/keeper/run/state-lock.js';

const [, , directory = ''] = process.argv;
const lock = new StateLock(directory);
console.log('locked');
setInterval(() => {
  if (lock === null) process.exit();
}, 60_000);
