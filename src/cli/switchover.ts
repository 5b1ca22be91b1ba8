/** `tanist switchover [GROUP] [--to HOST]`: the master's office to another, planned. */
import { Command } from 'commander';
import type { ClusterClient } from './cluster-client.js';
import { type ClusterOptions, clusterClient, conclude, EXIT_CODES, withClusterOptions } from './cluster-options.js';
import { checkTarget, giveOrder, groupOf, leaderText } from './order.js';
import { plain, type Terminal } from './terminal.js';

export interface SwitchoverOptions {
  readonly to?: string;
  readonly yes?: boolean;
}

export function command(): Command {
  const switchover = new Command('switchover')
    .description('Hands the mastership to another host, with no acknowledged write lost.')
    .argument('[group]', 'needed when there are several')
    .option('--to <host>', 'to whom (default: whoever is best)')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', EXIT_CODES)
    .action((group: string | undefined, options: ClusterOptions & SwitchoverOptions) =>
      conclude(async (terminal) => runSwitchover(await clusterClient(options), group ?? null, options, terminal)),
    );
  return withClusterOptions(switchover);
}

/** @returns the exit code */
export async function runSwitchover(
  client: ClusterClient,
  name: string | null,
  options: SwitchoverOptions,
  terminal: Terminal,
): Promise<number> {
  const group = groupOf(await client.cluster(), name);
  const to = options.to ?? null;
  checkTarget(group, to);
  const whom = to === null ? 'the best replica' : plain(to);
  const question = `Switch ${plain(group.name)} from ${leaderText(group)} to ${whom}?`;
  const order = { do: 'switchover', group: group.name, to } as const;
  return giveOrder(client, { order, question: options.yes === true ? null : question }, terminal);
}
