/** `tanist history [GROUP]`: what happened, as an agent has noted it. */
import { addAbortSignal } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { Command, Option } from 'commander';
import type { HistoryEntry } from '../agent/view.js';
import { type ClusterClient, UnreachableError } from './cluster-client.js';
import {
  type ClusterOptions,
  clusterClient,
  clusterExitCodes,
  conclude,
  EXIT_CODES,
  parseCount,
  withClusterOptions,
} from './cluster-options.js';
import { timeText } from './cluster-words.js';
import { EventReader } from './event-reader.js';
import { fold } from './table.js';
import { plain, type Terminal } from './terminal.js';

const USUAL = 20;
/** The agent says something every 15 s. */
const SILENCE_MS = 45_000;
const RETRY_MS = 2_000;
const WHAT_columns = 10;
const INDENT = '    ';

export interface HistoryOptions {
  readonly number: number;
  readonly follow?: boolean;
  readonly output: 'table' | 'json';
}

export function command(): Command {
  const history = new Command('history')
    .description('Shows what happened on the host that is asked, oldest first.')
    .argument('[group]', 'default: all of them')
    .option('-n, --number <count>', 'how many', parseCount, USUAL)
    .option('--follow', 'go on as things happen')
    .addOption(
      new Option('-o, --output <format>', 'json: one object a line').choices(['table', 'json']).default('table'),
    )
    .addHelpText('after', EXIT_CODES)
    .action((group: string | undefined, options: ClusterOptions & HistoryOptions) =>
      conclude(async (terminal) => runHistory(await clusterClient(options), group ?? null, options, terminal)),
    );
  return withClusterOptions(history);
}

/** @returns the exit code; with `follow` it does not end before `ending` says so */
export async function runHistory(
  client: ClusterClient,
  group: string | null,
  options: HistoryOptions,
  terminal: Terminal,
  ending: AbortSignal = new AbortController().signal,
): Promise<number> {
  const host = options.follow === true ? await client.hostName() : '';
  const entries = await client.history(group, options.number);
  const print = printer(entries, options, terminal);
  for (const entry of entries) terminal.out(print(entry));
  if (options.follow === true) {
    await follow(client, { group, lastId: `${host}-${entries.at(-1)?.id ?? 0}` }, print, terminal, ending);
    return clusterExitCodes.ok;
  }
  if (entries.length === 0 && options.output === 'table') terminal.err('Nothing is noted yet.\n');
  return clusterExitCodes.ok;
}

/** An agent that restarts is waited for, and asked for what was missed. */
async function follow(
  client: ClusterClient,
  from: { readonly group: string | null; readonly lastId: string },
  print: (entry: HistoryEntry) => string,
  terminal: Terminal,
  ending: AbortSignal,
): Promise<void> {
  let { lastId } = from;
  let isLost = false;
  for (;;) {
    try {
      const reader = new EventReader();
      const stream = addAbortSignal(ending, await client.events(from.group, lastId, SILENCE_MS));
      if (isLost) terminal.err('The agent answers again.\n');
      isLost = false;
      for await (const piece of stream.setEncoding('utf8')) {
        for (const { id, event, data } of reader.feed(String(piece))) {
          if (id !== '') lastId = id;
          if (event !== 'gap') terminal.out(print(JSON.parse(data)));
        }
      }
    } catch (error) {
      if (!ending.aborted && !isTransport(error)) throw error;
    }
    if (ending.aborted) return;
    if (!isLost) terminal.err('The agent does not answer; waiting for it.\n');
    isLost = true;
    await pause(RETRY_MS, undefined, { signal: ending }).catch(() => undefined);
  }
}

/** The connection, and not the program or the order, is at fault. */
function isTransport(error: unknown): boolean {
  return (
    error instanceof UnreachableError || (error instanceof Error && 'code' in error && error.code === 'ECONNRESET')
  );
}

/** How an entry is written; the columns are as wide as the first entries need. */
function printer(
  entries: readonly HistoryEntry[],
  { output }: HistoryOptions,
  terminal: Terminal,
): (entry: HistoryEntry) => string {
  if (output === 'json') return (entry) => `${JSON.stringify(entry)}\n`;
  const where = ({ group, host }: HistoryEntry): string => plain(`${group || '*'}/${host}`);
  const where_columns = Math.max(0, ...entries.map((entry) => where(entry).length));
  return (entry) => {
    const time = timeText(entry.at);
    const head = `${entry.what.padEnd(WHAT_columns)}  ${where(entry).padEnd(where_columns)}  epoch ${entry.epoch}`;
    const text = plain(entry.text);
    const columns = terminal.width();
    const line = `${terminal.colours.dim(time)}  ${head}`;
    if (columns === null || time.length + head.length + text.length + 4 <= columns) return `${line}  ${text}\n`;
    const below = fold(text, columns - INDENT.length).map((part) => `${INDENT}${part}\n`);
    return `${line}\n${below.join('')}`;
  };
}
