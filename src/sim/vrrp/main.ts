/** `npm run sim:vrrp -- [--seed N] [--runs M]`: runs seeds until one fails, and prints that life. */
import { parseArgs } from 'node:util';
import { runVrrp } from './run.js';

const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, runs: { type: 'string', default: '1000' } },
});
const first = Number(values.seed);
const runs = Number(values.runs);
let elections = 0;
for (let seed = first; seed < first + runs; seed++) {
  const verdict = runVrrp(seed);
  elections += verdict.elections;
  if (verdict.failure === null) continue;
  process.stdout.write(`${verdict.log.join('\n')}\nseed ${seed}: ${verdict.failure}\n`);
  process.exit(1);
}
process.stdout.write(`${runs} lives from seed ${first}: all well, ${elections} elections\n`);
