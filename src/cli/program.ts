/** The program that all commands hang on: its help, its version, its exit codes. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';

/** What the file of a command exports. */
export interface CommandModule {
  /** The command with its arguments, options and action; its name is the entry's. */
  command(): Command;
}

/** A line of the table of commands. */
export interface CommandEntry {
  readonly name: string;
  /** One line, no full stop. */
  readonly summary: string;
  load(): Promise<CommandModule>;
}

/** Where the program writes. */
export interface Output {
  out(text: string): void;
  err(text: string): void;
}

/** Exit codes that are the same for every command; `configuration`: a file was refused, and nothing was done. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, configuration: 3 } as const;

const standardOutput: Output = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
};

/**
 * Runs one command line. Only the command that it names is loaded.
 * @param args without the program's own name
 * @returns the exit code: what the command left in `process.exitCode`, or {@link exitCodes}
 */
export async function runProgram(
  args: readonly string[],
  commands: readonly CommandEntry[],
  output: Output = standardOutput,
): Promise<number> {
  const program = createProgram(output);
  const wanted = args[0] === 'help' ? args[1] : args[0];
  for (const entry of commands) {
    program.addCommand(entry.name === wanted ? await loadCommand(entry, program) : placeholder(entry));
  }
  if (args.length === 0) {
    program.outputHelp({ error: true });
    return exitCodes.usage;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return Number(process.exitCode ?? exitCodes.ok);
  } catch (error) {
    // Help and version end the parse, too, with nothing wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    throw error;
  }
}

function createProgram(output: Output): Command {
  return (
    new Command('tanist')
      .description('Keeps Redis and Valkey answering at one address, whatever dies.')
      .version(packageVersion(), '-V, --version', 'print the version')
      .helpOption('-h, --help', 'print this help')
      .helpCommand('help [command]', 'print the help of a command')
      // What follows a command is the command's own affair: some take the options of the program that they stand for.
      .enablePositionalOptions()
      .showSuggestionAfterError()
      .configureOutput({ writeOut: output.out, writeErr: output.err })
      .exitOverride()
      .addHelpText('after', '\n`tanist help <command>` says more about one.')
  );
}

async function loadCommand(entry: CommandEntry, program: Command): Promise<Command> {
  const { command } = await entry.load();
  return command().summary(entry.summary).configureOutput(program.configureOutput()).exitOverride();
}

/** Stands in the help, and among the suggestions, for a command that is not loaded. */
function placeholder(entry: CommandEntry): Command {
  return new Command(entry.name).summary(entry.summary);
}

/** The version of this package. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
