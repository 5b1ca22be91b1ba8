/** `tanist pause [GROUP]`: no automatic failover until `tanist resume`. */
import { Command } from 'commander';
import { type ClusterOptions, clusterClient, conclude, EXIT_CODES, withClusterOptions } from './cluster-options.js';
import { giveOrder } from './order.js';

export function command(): Command {
  const pause = new Command('pause')
    .description('Stops automatic failover, for maintenance: leases go on, nothing is promoted until `tanist resume`.')
    .argument('[group]', 'default: all of them')
    .addHelpText('after', EXIT_CODES)
    .action((group: string | undefined, options: ClusterOptions) =>
      conclude(async (terminal) => {
        const order = { do: 'pause', group: group ?? null } as const;
        return giveOrder(await clusterClient(options), { order, question: null }, terminal);
      }),
    );
  return withClusterOptions(pause);
}
