/** `npm run sim`: the Sentinels, with small keepers in half of the seeds. */
import { fileURLToPath } from 'node:url';
import { OPTIONS_USAGE, runSimProgram } from './command.js';
import { runSeed } from './run.js';
import { playScenario, SCENARIOS } from './scenarios.js';

await runSimProgram({
  script: 'sim',
  usage: `usage: npm run sim -- [--seed N] [--runs M] [--jobs K] [--until-failure] [--transcript] [--scenario NAME]

${OPTIONS_USAGE}  --scenario NAME  play one of the golden stories instead: ${SCENARIOS.map(({ name }) => name).join(', ')}
`,
  file: fileURLToPath(import.meta.url),
  run: runSeed,
  play: (name) => {
    const scenario = SCENARIOS.find((one) => one.name === name);
    if (scenario === undefined) throw new Error(`--scenario: there is no story called '${name}'`);
    return playScenario(scenario);
  },
});
