/** What the commands that speak to an agent share: their options, whom they ask, and how they end. */
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { ClusterClient, RefusedError, UnreachableError } from './cluster-client.js';
import { exitCodes } from './program.js';
import { SettingsError } from './settings-error.js';
import { processTerminal, type Terminal } from './terminal.js';

/** Exit codes of the commands that speak to an agent. */
export const clusterExitCodes = {
  ...exitCodes,
  /** No agent answers. */
  unreachable: 4,
  /** A group has no leased master. */
  unhealthy: 5,
} as const;

export const EXIT_CODES = `
Exit codes: 0 done; 1 refused or failed; 2 usage; 3 configuration; 4 no agent answers.`;

export const DEFAULT_URL = 'http://127.0.0.1:8008';

export interface ClusterOptions {
  readonly url?: string;
  readonly file?: string;
  readonly tokenFile?: string;
}

/** Adds the options that say which agent is asked. */
export function withClusterOptions(command: Command): Command {
  return command
    .option('-u, --url <url>', `the agent's HTTP API (default: ${DEFAULT_URL})`, parseUrl)
    .option('-f, --file <tanist.yml>', 'take its hosts, their API and its token from there')
    .option('--token-file <file>', 'a file with the API token (default: $TANIST_TOKEN, else the one of -f)');
}

/** What was asked for cannot be asked for like this. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'ERR_USAGE';

  constructor(
    message: string,
    readonly fix: string,
  ) {
    super(message);
  }
}

/** @throws {SettingsError} when a file cannot be read */
export async function clusterClient(options: ClusterOptions): Promise<ClusterClient> {
  // Reading a tanist.yml needs a good deal of code, which the others need not wait for.
  const fromFile = options.file === undefined ? null : (await import('./cluster-file.js')).readTarget(options.file);
  const urls = options.url === undefined ? (fromFile?.urls ?? [DEFAULT_URL]) : [options.url];
  return new ClusterClient({ urls, token: tokenOf(options) ?? fromFile?.token ?? null });
}

/** Runs a command's action, and turns what goes wrong into a message and `process.exitCode`. */
export async function conclude(act: (terminal: Terminal) => Promise<number>): Promise<void> {
  const terminal = processTerminal();
  process.exitCode = await settle(act, terminal);
}

/** @returns the exit code. Faults of the program itself are thrown on. */
export async function settle(act: (terminal: Terminal) => Promise<number>, terminal: Terminal): Promise<number> {
  try {
    return await act(terminal);
  } catch (error) {
    const code = codeOf(error);
    if (code === null || !(error instanceof Error)) throw error;
    const fix = 'fix' in error && error.fix !== '' ? `  fix: ${error.fix}\n` : '';
    terminal.err(`tanist: ${error.message}\n${fix}`);
    return code;
  }
}

function codeOf(error: unknown): number | null {
  if (error instanceof UnreachableError) return clusterExitCodes.unreachable;
  if (error instanceof RefusedError) return clusterExitCodes.failure;
  if (error instanceof SettingsError) return clusterExitCodes.configuration;
  if (error instanceof UsageError) return clusterExitCodes.usage;
  return null;
}

/** From the file, else from the environment; null for none. */
function tokenOf({ tokenFile }: ClusterOptions): string | null {
  if (tokenFile === undefined) return process.env['TANIST_TOKEN'] || null;
  let token: string;
  try {
    token = readFileSync(tokenFile, 'utf8').trim();
  } catch (error) {
    throw new SettingsError(`the token cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new SettingsError(`${tokenFile} must hold one token: printable characters without spaces`);
  }
  return token;
}

export function parseUrl(text: string): string {
  const withScheme = /^[a-z]+:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError(`Give it as ${DEFAULT_URL}.`);
  }
  return url.href.replace(/\/+$/, '');
}

/** A whole number from 1 on. */
export function parseCount(text: string): number {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > 1_000) throw new InvalidArgumentError('It takes a whole number from 1 to 1000.');
  return value;
}
