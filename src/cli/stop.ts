/** `tanist stop`: ends what outlives an agent on this host. */
import { Command } from 'commander';
import { HostUnknownError } from '../agent/identity.js';
import { proxyDirectory } from '../agent/proxy-directory.js';
import { errorText } from '../base/error-text.js';
import { ConfigError } from '../config/config-error.js';
import { DEFAULT_FILE, loadTanistConfig } from '../config/tanist/load.js';
import type { TanistConfig } from '../config/tanist/model.js';
import { endRedis } from '../keeper/run/end-redis.js';
import { StateLock, StateLockedError } from '../keeper/run/state-lock.js';
import { endProxies } from '../proxy/agent/end-proxies.js';
import { ownHost } from './own-host.js';
import { exitCodes } from './program.js';

/** Redis may have much to save. */
const REDIS_MS = 120_000;

const HELP = `
Redis and the proxy outlive their agent, so that a restart or an upgrade of it drops nobody. End the agent first
(systemctl stop tanist): while it runs, it would start them again, and this is refused.

Exit codes: 0 nothing of that is left; 1 refused or failed; 2 usage; 3 configuration.`;

interface Flags {
  readonly host?: string;
  readonly all: boolean;
}

export function command(): Command {
  return new Command('stop')
    .description('Ends the proxy that an agent has left running on this host; with --all, its Redis as well.')
    .argument('[file]', 'tanist.yml', DEFAULT_FILE)
    .option('--host <name>', 'which host of the file this one is (default: by its addresses)')
    .option('--all', 'end Redis, too; it saves its data if its redis.conf says so', false)
    .addHelpText('after', HELP)
    .action(async (file: string, flags: Flags, self: Command) => {
      const { writeOut = () => {}, writeErr = () => {} } = self.configureOutput();
      try {
        const { config } = ownHost(loadTanistConfig(file), flags.host);
        process.exitCode = await stop(config, flags.all, (line) => writeOut(`${line}\n`));
      } catch (error) {
        const isSettings = error instanceof ConfigError || error instanceof HostUnknownError;
        writeErr(`tanist: ${describe(error)}\n`);
        process.exitCode = isSettings ? exitCodes.configuration : exitCodes.failure;
      }
    });
}

function describe(error: unknown): string {
  if (error instanceof ConfigError) return error.format();
  if (error instanceof StateLockedError)
    return `the agent runs: end it first (systemctl stop tanist). ${error.message}`;
  return errorText(error);
}

/** @throws {StateLockedError} while the agent runs */
async function stop(config: TanistConfig, all: boolean, say: (line: string) => void): Promise<number> {
  const lock = new StateLock(config.stateDirectory);
  try {
    const ended = await endProxies(proxyDirectory(config));
    say(ended.length === 0 ? 'proxy: none is left' : `proxy: ended (pid ${ended.join(', ')})`);
    let code: number = exitCodes.ok;
    for (const { name, redis } of all ? config.groups : []) {
      if (redis.attach) continue;
      const end = await endRedis(config.stateDirectory, name, REDIS_MS);
      if (end.is === 'late') code = exitCodes.failure;
      say(`redis ${name}: ${wordsOf(end)}`);
    }
    return code;
  } finally {
    lock.release();
  }
}

function wordsOf(end: Awaited<ReturnType<typeof endRedis>>): string {
  switch (end.is) {
    case 'none':
      return 'none is left';
    case 'ended':
      return `ended (pid ${end.pid})`;
    case 'late':
      return `has been asked to end, and has not within ${REDIS_MS / 1000} s (pid ${end.pid}): look at its redis.log`;
  }
}
