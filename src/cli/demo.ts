/** `tanist demo`: a failover to look at. */
import { Command, InvalidArgumentError } from 'commander';
import { DemoError } from '../demo/demo-error.js';
import { type FaultKey, isFaultKey } from '../demo/faults.js';
import { exitCodes } from './program.js';

export function command(): Command {
  return new Command('demo')
    .description(
      'Starts three Redis, three Tanist Sentinels and a proxy on loopback, with a writer that knows only the\n' +
        "proxy's address and counts, and lets you break them. redis-cli works at that address, too.\n" +
        'Keys: k kill -9 the master, z freeze it, s planned switchover, r revive, q quit.',
    )
    .option('--script <keys>', 'cause these faults unattended, e.g. k,r,s; one summary line each', parseScript, [])
    .option('--exit', 'end after the script; the exit code is 1 if a fault was not dealt with or s lost a write', false)
    .option('--down-after <ms>', 'how long a silent master is waited for', parseMilliseconds, 1_000)
    .option('--redis-server <program>', 'the Redis to run', 'redis-server')
    .action(async (options: { script: FaultKey[]; exit: boolean; downAfter: number; redisServer: string }) => {
      const { runDemo } = await import('../demo/demo.js');
      const { script, exit, downAfter, redisServer } = options;
      try {
        process.exitCode = await runDemo({ script, exit, downAfter_ms: downAfter, redisServer });
      } catch (error) {
        if (!(error instanceof DemoError)) throw error;
        process.stderr.write(`tanist demo: ${error.message}\n`);
        process.exitCode = exitCodes.failure;
      }
    });
}

function parseScript(text: string): FaultKey[] {
  return text.split(',').map((key) => {
    if (!isFaultKey(key)) throw new InvalidArgumentError(`"${key}" is none of k, z, s, r (separate them by commas).`);
    return key;
  });
}

function parseMilliseconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It takes a whole number of milliseconds.');
  return value;
}
