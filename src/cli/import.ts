/** `tanist import FILE...`: a tanist.yml from the files of keepalived, Sentinel and twemproxy. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { errorText } from '../base/error-text.js';
import { ConfigError } from '../config/config-error.js';
import { OUTSIDE } from '../config/outside.js';
import type { GivenHost } from '../config/tanist/import/combine.js';
import { ImportError, type Imported, importFiles } from '../config/tanist/import/import.js';
import { readTanistConfig } from '../config/tanist/read.js';
import { isHostAddress, NAME } from '../config/tanist/schema-words.js';
import { exitCodes } from './program.js';

const MORE = `
Give one file of each kind and each host: tanist import host1/keepalived.conf host2/keepalived.conf sentinel.conf
Where no file tells an address, an example address is written; --host NAME=ADDRESS tells it.
What cannot be carried over is listed on the standard error, with its file and line.

Exit codes: 0 written; 1 it cannot be written, or needs work before \`tanist check\` takes it; 2 wrong use;
3 a file is refused, with its line and the fault.`;

interface Flags {
  readonly output?: string;
  readonly host: readonly GivenHost[];
}

export function command(): Command {
  return new Command('import')
    .description(
      'Writes a tanist.yml from any number of keepalived.conf, sentinel.conf and nutcracker.yml files, told apart by\n' +
        'what is in them, and says what it could not carry over.',
    )
    .argument('<files...>', 'keepalived.conf, sentinel.conf, nutcracker.yml')
    .option('-o, --output <file>', 'write there, to a new file, instead of to the standard output')
    .option('--host <[name=]address>', 'a host that no file tells of; may be repeated', collectHost, [])
    .addHelpText('after', MORE)
    .action((files: string[], flags: Flags, self: Command) => {
      process.exitCode = run(files, flags, self);
    });
}

function collectHost(text: string, before: readonly GivenHost[]): GivenHost[] {
  const equals = text.indexOf('=');
  const name = equals === -1 ? null : text.slice(0, equals);
  const address = text.slice(equals + 1);
  if (!isHostAddress(address)) throw new InvalidArgumentError('It takes an IP address, or a name and one: b=10.0.0.2.');
  if (name !== null && !NAME.test(name)) throw new InvalidArgumentError(`'${name}' is no name for a host.`);
  return [...before, { name, address }];
}

function run(files: readonly string[], flags: Flags, self: Command): number {
  const { writeOut = () => {}, writeErr = () => {} } = self.configureOutput();
  let imported: Imported;
  try {
    imported = importFiles(files.map(readInput), flags.host, OUTSIDE);
  } catch (error) {
    if (!(error instanceof ImportError)) throw error;
    writeErr(`${error.message}\n`);
    return exitCodes.configuration;
  }
  if (flags.output === undefined) writeOut(imported.text);
  else {
    try {
      // There may be passwords in it; and what is there is never overwritten.
      writeFileSync(flags.output, imported.text, { flag: 'wx', mode: 0o600 });
    } catch (error) {
      writeErr(`tanist import: ${errorText(error)}\n`);
      return exitCodes.failure;
    }
  }
  const faults = faultsOf(imported.text, flags.output ?? 'tanist.yml');
  writeErr(report(imported, faults));
  return faults === '' ? exitCodes.ok : exitCodes.failure;
}

function readInput(file: string): { text: string; file: string } {
  try {
    return { text: readFileSync(file, 'utf8'), file };
  } catch (error) {
    throw new ImportError(`${file}: cannot be read: ${errorText(error)}`);
  }
}

/** What `tanist check` would say of the text; empty when it takes it. */
function faultsOf(text: string, file: string): string {
  try {
    readTanistConfig(text, file);
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.format();
    throw error;
  }
}

function report({ kinds, losses, todo }: Imported, faults: string): string {
  const part = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`), ''];
  return `${[
    ...part(
      'Read',
      kinds.map(({ file, kind }) => `${file}: ${kind}`),
    ),
    ...part(
      'Not carried over',
      losses.map(({ source, text }) => `${source}: ${text}`),
    ),
    ...part('To do', todo),
    ...part('Not accepted yet', faults === '' ? [] : faults.split('\n')),
  ].join('\n')}`;
}
