/** `tanist check FILE`: what a tanist.yml means, and what in it is dangerous. */
import { Command, Option } from 'commander';
import { ConfigError } from '../config/config-error.js';
import { OUTSIDE } from '../config/outside.js';
import { describeCluster, describeFindings, describeHost, quorumOf } from '../config/tanist/describe.js';
import { fileDigests, fingerprint } from '../config/tanist/digest.js';
import { type Finding, findings } from '../config/tanist/findings.js';
import { configForHost } from '../config/tanist/for-host.js';
import { DEFAULT_FILE, loadTanistConfig } from '../config/tanist/load.js';
import type { TanistConfig } from '../config/tanist/model.js';
import { publicConfig } from '../config/tanist/public.js';
import { COLOURED, PLAIN } from '../config/tanist/table.js';
import { exitCodes } from './program.js';

const EXIT_CODES = `
Exit codes: 0 the file is good, perhaps with warnings; 1 warnings, with --strict; 2 wrong use;
3 the file is refused: every fault is listed with its line, its column and its fix.`;

interface Flags {
  readonly output: 'table' | 'json';
  readonly host?: string;
  readonly strict: boolean;
}

export function command(): Command {
  return new Command('check')
    .description(
      'Checks a tanist.yml, prints what it means, and warns of what is dangerous. Nothing is started or changed.',
    )
    .argument('[file]', 'the configuration; - for standard input', DEFAULT_FILE)
    .addOption(new Option('-o, --output <format>', 'how it is printed').choices(['table', 'json']).default('table'))
    .option('--host <name>', 'what this host would do')
    .option('--strict', 'exit with 1 when there are warnings', false)
    .addHelpText('after', EXIT_CODES)
    .action((file: string, flags: Flags, self: Command) => {
      process.exitCode = check(file, flags, self);
    });
}

function check(file: string, flags: Flags, self: Command): number {
  const { writeOut = () => {}, writeErr = () => {} } = self.configureOutput();
  let config: TanistConfig;
  try {
    config = loadTanistConfig(file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Faults go where the caller looks: as text to the standard error, as JSON to the standard output.
    if (flags.output === 'json') writeOut(refusalAsJson(error));
    else writeErr(`${error.format()}\n`);
    return exitCodes.configuration;
  }
  if (flags.host !== undefined && !config.hosts.some((host) => host.name === flags.host)) {
    self.error(
      `error: there is no host '${flags.host}' in ${file}; there are ${config.hosts.map((host) => host.name).join(', ')}`,
    );
  }
  const found = findings(config, OUTSIDE);
  writeOut(flags.output === 'json' ? asJson(config, found, flags.host) : asText(config, found, flags.host));
  const warned = found.some((each) => each.level === 'warning');
  return flags.strict && warned ? exitCodes.failure : exitCodes.ok;
}

function refusalAsJson(error: ConfigError): string {
  const problems = error.problems.map(({ file, line, column, message, fix }) => ({ file, line, column, message, fix }));
  return `${JSON.stringify({ ok: false, problems, omitted: error.omitted }, null, 2)}\n`;
}

function asJson(config: TanistConfig, found: readonly Finding[], host: string | undefined): string {
  const seen = host === undefined ? config : configForHost(config, host);
  const quorum = config.mode === 'pair' ? null : { voters: config.hosts.length, majority: quorumOf(config) };
  return `${JSON.stringify({ ok: true, host: host ?? null, fingerprint: fingerprint(fileDigests(config)), quorum, config: publicConfig(seen), findings: found }, null, 2)}\n`;
}

function asText(config: TanistConfig, found: readonly Finding[], host: string | undefined): string {
  const coloured = process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  const style = coloured ? COLOURED : PLAIN;
  const what = host === undefined ? describeCluster(config, style) : describeHost(config, host, style);
  const rest = describeFindings(found, style);
  return rest === '' ? what : `${what}\n${rest}`;
}
