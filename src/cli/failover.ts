/** `tanist failover [GROUP] [--to HOST] --force`: another master, without the help of the present one. */
import { Command } from 'commander';
import type { ClusterClient } from './cluster-client.js';
import {
  type ClusterOptions,
  clusterClient,
  conclude,
  EXIT_CODES,
  UsageError,
  withClusterOptions,
} from './cluster-options.js';
import { checkTarget, giveOrder, groupOf, leaderText } from './order.js';
import { plain, type Terminal } from './terminal.js';

export interface FailoverOptions {
  readonly to?: string;
  readonly force?: boolean;
  readonly yes?: boolean;
}

export function command(): Command {
  const failover = new Command('failover')
    .description(
      "Promotes another host without the present master's help: writes it has acknowledged may be lost.\n" +
        'While the master answers, use switchover.',
    )
    .argument('[group]', 'needed when there are several')
    .option('--to <host>', 'whom (default: whoever is best)')
    .option('--force', 'needed: writes may be lost')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', EXIT_CODES)
    .action((group: string | undefined, options: ClusterOptions & FailoverOptions) =>
      conclude(async (terminal) => runFailover(await clusterClient(options), group ?? null, options, terminal)),
    );
  return withClusterOptions(failover);
}

/** @returns the exit code */
export async function runFailover(
  client: ClusterClient,
  name: string | null,
  options: FailoverOptions,
  terminal: Terminal,
): Promise<number> {
  if (options.force !== true) {
    throw new UsageError(
      'a failover may lose writes that the master has acknowledged',
      'use `tanist switchover`, or, when the master does not answer, add --force',
    );
  }
  const group = groupOf(await client.cluster(), name);
  const to = options.to ?? null;
  checkTarget(group, to);
  const whom = to === null ? 'the best replica' : plain(to);
  const question = `Promote ${whom} in ${plain(group.name)} without the help of ${leaderText(group)}? Writes may be lost.`;
  const order = { do: 'failover', group: group.name, to, force: true } as const;
  return giveOrder(client, { order, question: options.yes === true ? null : question }, terminal);
}
