/** `tanist vrrp`: keepalived's VRRP part, with keepalived's flags. */
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { exitCodeOf, formatDiagnostic } from '../config/keepalived/read.js';
import { runVrrpDaemon } from '../vrrp/daemon.js';
import { type LoadOptions, loadVrrpPlan } from '../vrrp/load.js';
import { lineLogger } from '../vrrp/run/logger.js';

const DEFAULT_FILE = '/etc/keepalived/keepalived.conf';

interface Flags {
  readonly useFile?: string;
  readonly configTest?: boolean;
  readonly configId?: string;
  readonly pid?: string;
  readonly logFile?: string;
  readonly logDetail?: boolean;
  readonly vipLifetime?: number;
  readonly honourNopreempt?: boolean;
  readonly dumpDir: string;
  readonly notifyTimeout: number;
  readonly notifyGrace: number;
}

export function command(): Command {
  return new Command('vrrp')
    .description("run keepalived's VRRP part from an unchanged keepalived.conf, in the foreground")
    .argument('[file]', `the configuration (default: ${DEFAULT_FILE})`)
    .option('-f, --use-file <file>', 'the configuration, as keepalived has it')
    .option(
      '-t, --config-test',
      'check the configuration and exit: 0 fine, 3 cannot run, 4 has errors, 5 scripts without script security',
    )
    .option('-i, --config-id <id>', "what @id conditions are compared with (default: this host's name)")
    .option('-p, --pid <file>', 'write the process id there')
    .option('-g, --log-file <file>', 'log there instead of to the standard error')
    .option('-D, --log-detail', 'log more')
    .option(
      '--vip-lifetime <seconds>',
      'let the kernel drop the addresses this long after the last refresh',
      wholeSeconds,
    )
    .option('--honour-nopreempt', 'keep nopreempt in force beside state MASTER, where keepalived ignores it')
    .option('--dump-dir <directory>', 'where SIGUSR1 and SIGUSR2 write', tmpdir())
    .option('--notify-timeout <seconds>', 'end notify scripts that run longer', wholeSeconds, 300)
    .option(
      '--notify-grace <seconds>',
      'end a notify script of a past state this long after a newer one waits',
      wholeSeconds,
      10,
    )
    .option('-n, --dont-fork', 'accepted: it never forks')
    .option('-l, --log-console', 'accepted: it always logs to the standard error')
    .option('-P, --vrrp', 'accepted: it has no other part')
    .option('-G, --no-syslog', 'accepted: it does not use syslog')
    .action(async (file: string | undefined, flags: Flags) => {
      process.exitCode = await run(flags.useFile ?? file ?? DEFAULT_FILE, flags);
    });
}

async function run(path: string, flags: Flags): Promise<number> {
  const options: LoadOptions = {
    honourNopreempt: flags.honourNopreempt === true,
    ...(flags.configId === undefined ? {} : { configId: flags.configId }),
    ...(flags.vipLifetime === undefined ? {} : { vipLifetime_s: flags.vipLifetime }),
  };
  if (flags.configTest === true) return test(path, options);
  const log = lineLogger(logWriter(flags.logFile), flags.logDetail === true);
  const code = await runVrrpDaemon(
    {
      ...options,
      path,
      pidFile: flags.pid ?? null,
      dumpDirectory: flags.dumpDir,
      notify: { timeout_ms: flags.notifyTimeout * 1000, grace_ms: flags.notifyGrace * 1000 },
    },
    log,
  );
  return code;
}

/** Prints every fault to the standard error. */
function test(path: string, options: LoadOptions): number {
  const { diagnostics } = loadVrrpPlan(path, options);
  process.stderr.write(diagnostics.map((d) => `${formatDiagnostic(d)}\n`).join(''));
  return exitCodeOf(diagnostics);
}

function logWriter(file: string | undefined): (line: string) => void {
  if (file === undefined) return (line) => process.stderr.write(line);
  const stream = createWriteStream(file, { flags: 'a' });
  return (line) => stream.write(line);
}

function wholeSeconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 86_400)
    throw new InvalidArgumentError('expected whole seconds, 1 to 86400');
  return value;
}
