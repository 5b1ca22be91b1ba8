/** `tanist demo`: a failover to look at. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { DemoOptions } from '../demo/demo.js';
import { DemoError } from '../demo/demo-error.js';
import { FAULTS, type FaultKey, isFaultKey } from '../demo/faults.js';
import { exitCodes } from './program.js';
import { statusText } from './status-text.js';
import { colours } from './terminal.js';

const KEYS = Object.entries({ ...FAULTS, q: 'quit' })
  .map(([key, what]) => `  ${key}  ${what}`)
  .join('\n');

type Options = Pick<DemoOptions, 'script' | 'exit' | 'durability' | 'redisServer'> & { readonly lease: number };

export function command(): Command {
  return new Command('demo')
    .description(
      'Starts a cluster on loopback: three agents (`tanist run`) by one tanist.yml, each with a Redis, and a proxy as ' +
        'their one plain address, with a writer that knows only that address and counts. It shows the status, and ' +
        'lets you break things. redis-cli works at the address, too. It needs no root, and leaves nothing behind.',
    )
    .option('--script <keys>', 'cause these faults unattended, e.g. k,s,a; one summary line each', parseScript, [])
    .option(
      '--exit',
      'end after the script; the exit code is 1 if a fault was not dealt with, or a write was lost by s (or by any ' +
        'fault, with --durability replicated)',
      false,
    )
    .addOption(
      new Option('--durability <kind>', 'replicated: a write is acknowledged once a replica has it')
        .choices(['async', 'replicated'])
        .default('async'),
    )
    .option('--lease <ms>', 'how long a silent master is waited for', parseLease, 1_000)
    .option('--redis-server <program>', 'the Redis to run', 'redis-server')
    .addHelpText('after', `\nKeys:\n${KEYS}`)
    .action(async ({ lease, ...options }: Options) => {
      const { runDemo } = await import('../demo/demo.js');
      try {
        process.exitCode = await runDemo({
          ...options,
          lease_ms: lease,
          statusLines: (view, width, colour) =>
            statusText(view, 'table', { width, colours: colours(colour) })
              .trimEnd()
              .split('\n'),
        });
      } catch (error) {
        if (!(error instanceof DemoError)) throw error;
        process.stderr.write(`tanist demo: ${error.message}\n`);
        process.exitCode = exitCodes.failure;
      }
    });
}

function parseScript(text: string): FaultKey[] {
  return text.split(',').map((key) => {
    if (isFaultKey(key)) return key;
    const known = Object.keys(FAULTS).join(', ');
    throw new InvalidArgumentError(`"${key}" is none of ${known} (separate them by commas).`);
  });
}

/** In the bounds of tanist.yml. */
function parseLease(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 200 && value <= 60_000) return value;
  throw new InvalidArgumentError('It takes a whole number of milliseconds, from 200 to 60000.');
}
