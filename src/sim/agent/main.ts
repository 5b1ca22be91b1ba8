/** `npm run sim:agent`: whole agents, with everything on their hosts. */
import { fileURLToPath } from 'node:url';
import { OPTIONS_USAGE, runSimProgram } from '../command.js';
import { runAgentSeed } from './run.js';

await runSimProgram({
  script: 'sim:agent',
  usage: `usage: npm run sim:agent -- [--seed N] [--runs M] [--jobs K] [--until-failure] [--transcript]

${OPTIONS_USAGE}`,
  file: fileURLToPath(import.meta.url),
  run: runAgentSeed,
  play: (name) => {
    throw new Error(`--scenario: there is no story called '${name}' of whole agents`);
  },
});
