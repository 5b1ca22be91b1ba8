/** `tanist proxy`: nutcracker's command line, and its signals. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { ProxyOptions } from '../proxy/run.js';

/** Where nutcracker looks when it is told nothing. */
const DEFAULT_FILE = 'conf/nutcracker.yml';

function whole(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It takes a whole number from ${low} to ${high}.`);
  };
}

interface Flags {
  readonly testConf: boolean;
  readonly daemonize: boolean;
  readonly describeStats: boolean;
  readonly watch: boolean;
  readonly workers: number;
  readonly verbose: number;
  readonly output?: string;
  readonly confFile?: string;
  readonly statsPort: number;
  readonly statsAddr: string;
  readonly statsInterval: number;
  readonly pidFile?: string;
  readonly mbufSize: number;
}

export function command(): Command {
  return new Command('proxy')
    .description(
      'A sharding proxy for Redis and memcached that reads a nutcracker.yml as it stands, puts keys where nutcracker puts\n' +
        'them, and follows Sentinel when a pool names its sentinels.\n' +
        'Signals: SIGTTIN and SIGTTOU turn the log up and down, SIGHUP opens the log file again and reads the\n' +
        'configuration again (as a change of the file does), SIGTERM ends it.',
    )
    .argument('[file]', `the configuration, like --conf-file (default: ${DEFAULT_FILE})`)
    .version('nutcracker-0.5.0 (tanist)', '-V, --version', 'show version and exit')
    .option('-t, --test-conf', 'test configuration for syntax errors and exit', false)
    .option('-d, --daemonize', 'run as a daemon', false)
    .option('-D, --describe-stats', 'print stats description and exit', false)
    .option('-v, --verbose <N>', 'set logging level (min: 0, max: 11)', whole(0, 11), 5)
    .option('-o, --output <S>', 'set logging file (default: stderr)')
    .option('-c, --conf-file <S>', `set configuration file (default: ${DEFAULT_FILE})`)
    .option('-s, --stats-port <N>', 'set stats monitoring port', whole(0, 65535), 22222)
    .option('-a, --stats-addr <S>', 'set stats monitoring ip', '0.0.0.0')
    .addOption(
      new Option('-i, --stats-interval <N>', 'accepted, without effect: statistics are always current')
        .default(30_000)
        .argParser(whole(1, 2_147_483_647)),
    )
    .option('-w, --workers <N>', 'share the work among so many processes', whole(1, 64), 1)
    .option('--no-watch', 'leave a changed configuration file alone until SIGHUP')
    .option('-p, --pid-file <S>', 'set pid file (default: off)')
    .addOption(
      new Option('-m, --mbuf-size <N>', 'accepted, without effect: buffers size themselves')
        .default(16384)
        .argParser(whole(512, 16_777_216)),
    )
    .action(async (file: string | undefined, flags: Flags) => {
      const { runProxy, describeStats } = await import('../proxy/run.js');
      if (flags.describeStats) {
        process.stdout.write(describeStats());
        return;
      }
      const options: ProxyOptions = {
        file: flags.confFile ?? file ?? DEFAULT_FILE,
        testOnly: flags.testConf,
        daemonize: flags.daemonize,
        watch: flags.watch,
        workers: flags.workers,
        logLevel: flags.verbose,
        logFile: flags.output ?? null,
        statsPort: flags.statsPort,
        statsAddress: flags.statsAddr,
        pidFile: flags.pidFile ?? null,
      };
      process.exitCode = await runProxy(options);
    });
}
