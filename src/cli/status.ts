/** `tanist status`: the cluster as an agent sees it. */
import { setTimeout as pause } from 'node:timers/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { type ClusterClient, RefusedError, UnreachableError } from './cluster-client.js';
import {
  type ClusterOptions,
  clusterClient,
  clusterExitCodes,
  conclude,
  EXIT_CODES,
  withClusterOptions,
} from './cluster-options.js';
import { isHealthy, type StatusFormat, statusFormats, statusText } from './status-text.js';
import type { Terminal } from './terminal.js';

const WATCH_s = 2;

export interface StatusOptions {
  readonly output: StatusFormat;
  /** Seconds between two looks; true for the usual. */
  readonly watch?: number | true;
}

export function command(): Command {
  const status = new Command('status')
    .description('Shows each Redis of the cluster: its role, its lease, its address, and why it is so.')
    .addOption(new Option('-o, --output <format>', 'how').choices([...statusFormats]).default('table'))
    .option('-w, --watch [seconds]', `look again and again (every ${WATCH_s} s)`, parseSeconds)
    .addHelpText('after', `${EXIT_CODES.trimEnd().replace(/\.$/, ';')}\n5 a group has no leased master.`)
    .action((options: ClusterOptions & StatusOptions) =>
      conclude(async (terminal) => runStatus(await clusterClient(options), options, terminal)),
    );
  return withClusterOptions(status);
}

/** @returns the exit code; with `watch` it does not end before `ending` says so */
export async function runStatus(
  client: ClusterClient,
  options: StatusOptions,
  terminal: Terminal,
  ending: AbortSignal = new AbortController().signal,
): Promise<number> {
  if (options.watch !== undefined) {
    await watch(client, options, terminal, ending);
    return clusterExitCodes.ok;
  }
  const view = await client.cluster();
  terminal.out(statusText(view, options.output, { width: terminal.width(), colours: terminal.colours }));
  return isHealthy(view) ? clusterExitCodes.ok : clusterExitCodes.unhealthy;
}

async function watch(
  client: ClusterClient,
  options: StatusOptions,
  terminal: Terminal,
  ending: AbortSignal,
): Promise<void> {
  const period_ms = (typeof options.watch === 'number' ? options.watch : WATCH_s) * 1_000;
  for (let isFirst = true; !ending.aborted; isFirst = false) {
    const text = await look(client, options, terminal);
    terminal.out(terminal.canRedraw ? redraw(text, isFirst) : isFirst ? text : `\n${text}`);
    await pause(period_ms, undefined, { signal: ending }).catch(() => undefined);
  }
}

/** An agent that does not answer for a while is part of what is watched. */
async function look(client: ClusterClient, { output }: StatusOptions, terminal: Terminal): Promise<string> {
  try {
    return statusText(await client.cluster(), output, { width: terminal.width(), colours: terminal.colours });
  } catch (error) {
    if (!(error instanceof UnreachableError || error instanceof RefusedError)) throw error;
    return `tanist: ${error.message}\n  fix: ${error.fix}\n`;
  }
}

/** Over what was there before, so that nothing flickers. */
function redraw(text: string, isFirst: boolean): string {
  const lines = text.replaceAll('\n', '\u001b[K\n');
  return `${isFirst ? '\u001b[2J' : ''}\u001b[H${lines}\u001b[J`;
}

function parseSeconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0.2 && value <= 3_600)) throw new InvalidArgumentError('It takes seconds, from 0.2 to 3600.');
  return value;
}
