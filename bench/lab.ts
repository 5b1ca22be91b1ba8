/**
 * Faults, and what a plain client sees of them, ours and our peers' side by side: `npm run lab`. Hosts are network
 * namespaces on a bridge, with real redis-server, keepalived, redis-sentinel and nutcracker; systems alternate within each
 * round. Needs root and Linux; `npm run lab -- --list` shows what there is.
 */
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { errorText } from '../src/base/error-text.js';
import { FAULTS, type Fault } from '../test/lab/stories/faults.js';
import { type Outcome, tell } from '../test/lab/stories/story.js';
import type { SystemKind } from '../test/lab/stories/system.js';
import { SYSTEMS } from '../test/lab/stories/systems/catalogue.js';
import { comparison, type Told, withComparison } from './lab-report.js';
import { table } from './options.js';

const USAGE = `npm run lab -- [options]
  --systems a,b      which systems (all)
  --faults a,b       which faults (all)
  --rounds N         how often each (1)
  --peer-rounds N    how often each of the peers, when less often
  --rate N           writes a second of each client (500)
  --deadline MS      of a write, after which the client connects anew (1000)
  --quiet MS         how long writes flow before the fault (1000)
  --stays MS         how long a fault stays at least, before it is mended (5000)
  --patience MS      for writes to flow after a fault, and for all to be well after it is mended (40000)
  --json FILE        adds every story told to FILE, one line each
  --from A,B         tells nothing: makes the tables from such files
  --write FILE       puts the tables into a Markdown file, between its markers
  --logs DIR         keeps every process's log
  --list             shows systems and faults`;

const { values: options } = parseArgs({
  options: {
    systems: { type: 'string' },
    faults: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    'peer-rounds': { type: 'string' },
    rate: { type: 'string', default: '500' },
    deadline: { type: 'string', default: '1000' },
    quiet: { type: 'string', default: '1000' },
    stays: { type: 'string', default: '5000' },
    patience: { type: 'string', default: '40000' },
    json: { type: 'string' },
    from: { type: 'string' },
    write: { type: 'string' },
    logs: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** The wanted ones of a catalogue, in its order. @throws {Error} naming one that is not in it */
function chosen<T extends { readonly name: string }>(all: readonly T[], names: string | undefined): readonly T[] {
  if (names === undefined) return all;
  const wanted = names.split(',');
  const stranger = wanted.find((name) => !all.some((each) => each.name === name));
  if (stranger !== undefined) throw new Error(`no ${stranger}; there are: ${all.map(({ name }) => name).join(', ')}`);
  return all.filter(({ name }) => wanted.includes(name));
}

function list(): void {
  const rows = (all: readonly { readonly name: string; readonly title: string }[]): string[][] =>
    all.map(({ name, title }) => [name, title]);
  console.log(`${table(['system', 'is'], rows(SYSTEMS))}\n\n${table(['fault', 'is'], rows(FAULTS))}`);
}

/** Our own system, by any of its names. */
function isOwn(name: string): boolean {
  return name.startsWith('tanist');
}

function line(outcome: Outcome): string {
  const doors = outcome.doors.map(({ door, pause_ms, errors, connectionsLost, lost, acknowledged, answers }) => {
    const refusals = Object.values(errors).reduce((total, count) => total + count, 0);
    const end = answers ? '' : ', accepts nothing at the end';
    return `${door}: pause ${pause_ms} ms, ${refusals} errors, ${connectionsLost} cut, lost ${lost} of ${acknowledged}${end}`;
  });
  const two = outcome.twoWithVip === null ? [] : [`two with VIP ${outcome.twoWithVip}`];
  const flaw = outcome.flaw === null ? [] : [`not well: ${outcome.flaw}`];
  return [...doors, ...two, `two writable ${outcome.twoWritable}`, ...flaw, `${outcome.told_ms} ms`].join('; ');
}

function keepLogs(name: string): ((part: string, log: string) => void) | undefined {
  const { logs } = options;
  if (logs === undefined) return undefined;
  const folder = join(logs, name);
  mkdirSync(folder, { recursive: true });
  return (part, log) => writeFileSync(join(folder, `${part}.log`), log);
}

async function story(kind: SystemKind, fault: Fault, round: number): Promise<Told> {
  const onLogs = keepLogs(`${kind.name}-${fault.name}-${round}`);
  const began = { system: kind.name, fault: fault.name, round };
  try {
    const outcome = await tell(kind, fault, {
      period_ms: 1000 / Number(options.rate),
      deadline_ms: Number(options.deadline),
      quiet_ms: Number(options.quiet),
      stays_ms: Number(options.stays),
      patience_ms: Number(options.patience),
      ...(onLogs === undefined ? {} : { onLogs }),
    });
    console.error(`round ${round}  ${fault.name}  ${kind.name}  ${line(outcome)}`);
    return { ...began, outcome, trouble: null };
  } catch (error) {
    const trouble = errorText(error);
    console.error(`round ${round}  ${fault.name}  ${kind.name}  failed: ${trouble}`);
    return { ...began, outcome: null, trouble };
  }
}

async function tellAll(): Promise<Told[]> {
  if (process.getuid?.() !== 0) throw new Error('a lab of network namespaces needs root');
  const told: Told[] = [];
  const rounds = Number(options.rounds);
  const peerRounds = Math.min(rounds, Number(options['peer-rounds'] ?? rounds));
  for (let round = 1; round <= rounds; round++) {
    for (const fault of chosen(FAULTS, options.faults)) {
      const limit = fault.limit?.() ?? null;
      if (limit !== null && round === 1) console.error(`${fault.name} is left out: ${limit}`);
      for (const kind of chosen(SYSTEMS, options.systems)) {
        const leftOut = limit !== null || (fault.suits?.(kind) ?? true) === false;
        if (leftOut || round > (isOwn(kind.name) ? rounds : peerRounds)) continue;
        const one = await story(kind, fault, round);
        told.push(one);
        if (options.json !== undefined) appendFileSync(options.json, `${JSON.stringify(one)}\n`);
      }
    }
  }
  return told;
}

function read(files: string): Told[] {
  return files
    .split(',')
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Told);
}

async function main(): Promise<void> {
  if (options.help) return console.log(USAGE);
  if (options.list) return list();
  const told = options.from === undefined ? await tellAll() : read(options.from);
  const text = comparison(told, { systems: SYSTEMS, faults: FAULTS });
  console.log(text);
  if (options.write !== undefined) {
    writeFileSync(options.write, withComparison(readFileSync(options.write, 'utf8'), text));
  }
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
