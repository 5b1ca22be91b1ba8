/** `tanist run tanist.yml`: the node agent. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { Agent } from '../agent/agent.js';
import { fileWordOf } from '../agent/file-word.js';
import { HostUnknownError } from '../agent/identity.js';
import { stepFromLastRun, VoterChangeError } from '../agent/last-run.js';
import { serve } from '../agent/process.js';
import { errorText } from '../base/error-text.js';
import { ConfigError } from '../config/config-error.js';
import { fingerprint } from '../config/tanist/digest.js';
import { readTanistConfig } from '../config/tanist/read.js';
import { StateLock } from '../keeper/run/state-lock.js';
import { Log } from '../observe/log.js';
import { ownHost } from './own-host.js';
import { exitCodes, packageVersion } from './program.js';

const HELP = `
The same file stands on every host. Which of its hosts this one is, is found by its addresses, or said by --host or
TANIST_HOST. The file is checked whole before anything is done; it is never written to.

SIGTERM and SIGINT hand a master that is kept here over to another host, and then end the agent; Redis and the proxy go
on, and the next agent finds them again (tanist stop ends them).

Exit codes: 0 ended by a signal; 1 not started, or given up; 3 the configuration is refused; 70 a fault of tanist.`;

interface Options {
  readonly host?: string;
}

export function command(): Command {
  return new Command('run')
    .description('Keeps one host of a cluster: its Redis, its Sentinel, its VIP and its proxy, by one file.')
    .argument('[file]', 'tanist.yml', '/etc/tanist/tanist.yml')
    .option('--host <name>', 'which host of the file this one is (default: by its addresses)')
    .addHelpText('after', HELP)
    .action(run);
}

async function run(path: string, options: Options): Promise<void> {
  try {
    const whole = readTanistConfig(readFileSync(path, 'utf8'), path);
    const { self, config } = ownHost(whole, options.host);
    const lock = new StateLock(config.stateDirectory);
    const log = new Log({ level: config.logLevel, file: '' });
    const version = packageVersion();
    const lastRun = stepFromLastRun(config, self);
    const file = fileWordOf(whole, version);
    log.write('notice', `${whole.file} is read: fingerprint ${fingerprint(file.digests)}`);
    const agent = { config, self, file, lastRun, version, log };
    process.exitCode = await serve(log, () => Agent.start(agent));
    lock.release();
  } catch (error) {
    if (error instanceof ConfigError) return refuse(error.format(), exitCodes.configuration);
    if (error instanceof HostUnknownError || error instanceof VoterChangeError) {
      return refuse(error.message, exitCodes.configuration);
    }
    refuse(errorText(error), exitCodes.failure);
  }
}

function refuse(message: string, code: number): void {
  process.stderr.write(`tanist: ${message}\n`);
  process.exitCode = code;
}
