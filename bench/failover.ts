/**
 * Failover, ours and redis-sentinel's side by side: `npm run bench:failover`. Three Redis and three Sentinels of one
 * kind on loopback, a client that writes 500 numbered keys a second to the master and asks the Sentinels for it whenever
 * its connection breaks, a write is refused, or an answer does not come within --deadline ms; afterwards every acknowledged
 * key is looked up. Systems alternate within each round.
 */
import { until } from '../src/demo/until.js';
import { median, readOptions, table } from './options.js';
import { peerProgram } from './peer-program.js';
import { cause, type Fault, type Outcome } from './trio/faults.js';
import { GROUP, type Program, type ServerOptions, Servers, TANIST_SENTINEL } from './trio/servers.js';
import { Writer } from './trio/writer.js';

const FAULTS: readonly Fault[] = ['kill', 'freeze', 'planned'];

interface System {
  readonly name: string;
  readonly sentinel: Program;
  readonly lines: readonly string[];
}

const options = readOptions({ rounds: '5', 'down-after': '1000,200', faults: 'kill,freeze,planned', deadline: '200' });
const systems: System[] = [
  { name: 'redis-sentinel', sentinel: peerProgram('redis-sentinel'), lines: [] },
  { name: 'tanist sentinel', sentinel: TANIST_SENTINEL, lines: [] },
  { name: 'tanist, fast-down', sentinel: TANIST_SENTINEL, lines: [`sentinel fast-down ${GROUP} yes`] },
];

const outcomes = new Map<string, Outcome[]>();

async function measure(system: System, fault: Fault, downAfter_ms: number): Promise<Outcome> {
  const wanted: ServerOptions = {
    redis: peerProgram('redis-server'),
    sentinel: system.sentinel,
    downAfter_ms,
    failoverTimeout_ms: 10_000,
    sentinelLines: system.lines,
  };
  const servers = await Servers.start(wanted, new AbortController().signal);
  const writer = new Writer(servers, Number(options.deadline));
  try {
    await until('writes to flow', 10_000, () => writer.ledger.total.acknowledged > 500);
    return await cause(fault, servers, writer);
  } finally {
    writer.stop();
    await servers.end();
  }
}

for (let round = 1; round <= Number(options.rounds); round++) {
  for (const downAfter of options['down-after'].split(',').map(Number)) {
    for (const name of options.faults.split(',')) {
      const fault = FAULTS.find((each) => each === name);
      if (fault === undefined) throw new Error(`no such fault: ${name} (there are ${FAULTS.join(', ')})`);
      for (const system of systems) {
        // A refused connection plays a part only where a process has died.
        if (system.lines.length > 0 && fault !== 'kill') continue;
        const outcome = await measure(system, fault, downAfter);
        const row = `${downAfter}|${fault}|${system.name}`;
        outcomes.set(row, [...(outcomes.get(row) ?? []), outcome]);
        const { pause_ms, lost, trouble } = outcome;
        console.error(`round ${round}  ${row}  ${trouble ?? `pause ${pause_ms} ms, ${lost} lost`}`);
      }
    }
  }
}

const rows = [...outcomes].sort().map(([row, all]) => {
  const [downAfter = '', fault = '', system = ''] = row.split('|');
  const good = all.filter(({ trouble }) => trouble === null);
  const pauses = good.map(({ pause_ms }) => pause_ms);
  const lost = all.map((each) => each.lost);
  return [
    fault,
    downAfter,
    system,
    pauses.length === 0 ? '-' : String(median(pauses)),
    pauses.length === 0 ? '-' : String(Math.max(...pauses)),
    String(median(lost)),
    String(Math.max(...lost)),
    String(median(all.map(({ errors }) => errors))),
    `${good.length} of ${all.length}`,
  ];
});
console.log(
  table(
    [
      'fault',
      'down-after ms',
      'system',
      'pause ms, median',
      'worst',
      'writes lost, median',
      'worst',
      'errors, median',
      'recovered',
    ],
    rows,
  ),
);
