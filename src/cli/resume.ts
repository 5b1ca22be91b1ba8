/** `tanist resume [GROUP]`: failover is automatic again. */
import { Command } from 'commander';
import { type ClusterOptions, clusterClient, conclude, EXIT_CODES, withClusterOptions } from './cluster-options.js';
import { giveOrder } from './order.js';

export function command(): Command {
  const resume = new Command('resume')
    .description('Ends a pause: failover is automatic again.')
    .argument('[group]', 'default: all of them')
    .addHelpText('after', EXIT_CODES)
    .action((group: string | undefined, options: ClusterOptions) =>
      conclude(async (terminal) => {
        const order = { do: 'resume', group: group ?? null } as const;
        return giveOrder(await clusterClient(options), { order, question: null }, terminal);
      }),
    );
  return withClusterOptions(resume);
}
