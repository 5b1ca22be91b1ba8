/** `tanist sentinel FILE`: a drop-in for redis-sentinel. */
import { Command } from 'commander';
import { isBackground, startInBackground, tellStarter } from '../sentinel/daemon/background.js';
import { startSentinel } from '../sentinel/daemon/daemon.js';
import { loadConfiguration, StartError } from '../sentinel/daemon/load.js';
import { exitCodes } from './program.js';

const EXAMPLE = `
The file is a sentinel.conf as redis-sentinel has it; it is rewritten in place to keep the state.
Directives after it override those in the file: tanist sentinel sentinel.conf --port 26380 --loglevel verbose

Exit codes: 0 ended by a signal or by SHUTDOWN, or started in the background (daemonize yes);
1 not started: configuration, address or file; 70 a fault of tanist; 99 SENTINEL SIMULATE-FAILURE.`;

export function command(): Command {
  return new Command('sentinel')
    .description('Watches Redis or Valkey masters and fails over, in one quorum with redis-sentinel.')
    .argument('[file]', 'sentinel.conf')
    .argument('[directives...]', 'e.g. --port 26380')
    .allowUnknownOption()
    .passThroughOptions()
    .addHelpText('after', EXAMPLE)
    .action(run);
}

async function run(file: string | undefined, directives: readonly string[]): Promise<void> {
  try {
    if (file === undefined) throw new StartError('a Sentinel keeps its state in its configuration file: name one');
    const cwd = process.cwd();
    const loaded = loadConfiguration(file, directives);
    if (loaded.conf.server.daemonize && !isBackground()) {
      if (loaded.stdin) throw new StartError('`-` (directives from standard input) does not go with `daemonize yes`');
      const failure = await startInBackground(cwd);
      if (failure !== null) throw new StartError(failure);
      process.exit(exitCodes.ok);
    }
    await startSentinel(loaded);
    await tellStarter(null);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    await tellStarter(error.message);
    process.stderr.write(`tanist: ${error.message}\n`);
    process.exit(exitCodes.failure);
  }
}
