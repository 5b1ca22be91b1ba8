/** `tanist explain [GROUP]`: who would take over now, why, and what would be lost. */
import { Command, Option } from 'commander';
import type { Explanation } from '../agent/view.js';
import type { ClusterClient } from './cluster-client.js';
import {
  type ClusterOptions,
  clusterClient,
  clusterExitCodes,
  conclude,
  EXIT_CODES,
  withClusterOptions,
} from './cluster-options.js';
import { sizeText } from './cluster-words.js';
import { fold, tableLines } from './table.js';
import { plain, type Terminal } from './terminal.js';

export interface ExplainOptions {
  readonly output: 'table' | 'json';
}

export function command(): Command {
  const explain = new Command('explain')
    .description('Says who would take over if the master failed now, why, and what would be lost.')
    .argument('[group]', 'needed when there are several')
    .addOption(new Option('-o, --output <format>', 'how').choices(['table', 'json']).default('table'))
    .addHelpText('after', EXIT_CODES)
    .action((group: string | undefined, options: ClusterOptions & ExplainOptions) =>
      conclude(async (terminal) => runExplain(await clusterClient(options), group ?? null, options, terminal)),
    );
  return withClusterOptions(explain);
}

/** @returns the exit code */
export async function runExplain(
  client: ClusterClient,
  group: string | null,
  options: ExplainOptions,
  terminal: Terminal,
): Promise<number> {
  const explanation = await client.explain(group);
  if (options.output === 'json') terminal.out(`${JSON.stringify(explanation, null, 2)}\n`);
  else terminal.out(explainText(explanation, terminal));
  return clusterExitCodes.ok;
}

function explainText(explanation: Explanation, terminal: Terminal): string {
  const { group, wouldWin, candidates, blockers } = explanation;
  const columns = terminal.width();
  const { colours } = terminal;
  const rows = candidates.map(({ host, fit, reason }) => ({
    cells: [{ text: plain(host) }, fit ? { text: 'yes' } : { text: 'no', paint: colours.warn }],
    note: plain(reason),
  }));
  const options = { width: columns, noteTitle: 'Reason', paintTitle: colours.dim, paintNote: (text: string) => text };
  const table = tableLines([{ title: 'Candidate' }, { title: 'Fit' }], rows, options);
  const head =
    wouldWin === null
      ? `${group}: nobody could take over now.`
      : `${group}: ${wouldWin} would take over now; ${lossText(explanation)}.`;
  const lines = [
    ...fold(plain(head), columns),
    ...(rows.length === 0 ? [] : ['', ...table]),
    ...(blockers.length === 0 ? [] : ['', ...blockers.flatMap((each) => fold(`In the way: ${plain(each)}`, columns))]),
  ];
  return `${lines.join('\n')}\n`;
}

function lossText({ wouldLose_bytes }: Explanation): string {
  if (wouldLose_bytes === null) return 'what would be lost is not known';
  return wouldLose_bytes === 0 ? 'nothing would be lost' : `${sizeText(wouldLose_bytes)} of writes would be lost`;
}
