/**
 * The command line of a simulator: runs seeds on one or more processes, shows progress, prints the first failing seed's
 * transcript. The only file of the simulator that knows of real time.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { add, describeRun, describeSummary, NO_RUNS, type RunOne, runBatch, type Summary } from './batch.js';

/** Which simulator it is. */
export interface SimProgram {
  /** The script of package.json: `sim`, … */
  readonly script: string;
  readonly usage: string;
  /** The file to be run again in a process of its own. */
  readonly file: string;
  readonly run: RunOne;
  /** Plays a story instead. @throws {Error} when there is none of that name */
  readonly play: (scenario: string) => string;
}

/** Options that all simulators have. */
export const OPTIONS_USAGE = `  --seed N         the first seed (default 1)
  --runs M         how many seeds, one after the other (default 1000)
  --jobs K         how many processes (default 1)
  --until-failure  go on beyond M until a seed fails, and stop there
  --transcript     print every line of the transcript, also of a seed that passes (one run unless --runs says more)
`;

const CHUNK_RUNS = 25;
const PROGRESS_AFTER_MS = 2_000;
const PROGRESS_PERIOD_MS = 500;

interface Options {
  readonly seed: number;
  readonly runs: number;
  readonly jobs: number;
  readonly untilFailure: boolean;
  readonly transcript: boolean;
  readonly scenario: string | null;
}

interface Chunk {
  readonly from: number;
  readonly count: number;
  readonly stopAtFailure: boolean;
}

function readOptions(program: SimProgram, argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seed: { type: 'string', default: '1' },
      runs: { type: 'string' },
      jobs: { type: 'string', default: '1' },
      'until-failure': { type: 'boolean', default: false },
      transcript: { type: 'boolean', default: false },
      scenario: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(program.usage);
    process.exit(0);
  }
  return {
    seed: wholeNumber('--seed', values.seed, 0),
    runs: wholeNumber('--runs', values.runs ?? (values.transcript ? '1' : '1000'), 1),
    jobs: wholeNumber('--jobs', values.jobs, 1),
    untilFailure: values['until-failure'],
    transcript: values.transcript,
    scenario: values.scenario ?? null,
  };
}

function wholeNumber(name: string, text: string, least: number): number {
  const value = Number(text);
  if (!/^\d{1,15}$/.test(text) || value < least) {
    throw new Error(`${name} wants a whole number of at least ${least}, not '${text}'`);
  }
  return value;
}

/** Hands out the seeds in order, until there are no more or one has failed. */
class Work {
  total: Summary = NO_RUNS;
  #next: number;

  constructor(private readonly options: Options) {
    this.#next = options.seed;
  }

  next(): Chunk | null {
    const { seed, runs, untilFailure } = this.options;
    if (untilFailure ? this.total.failures.length > 0 : this.#next >= seed + runs) return null;
    const count = untilFailure ? CHUNK_RUNS : Math.min(CHUNK_RUNS, seed + runs - this.#next);
    const chunk = { from: this.#next, count, stopAtFailure: untilFailure };
    this.#next += count;
    return chunk;
  }

  add(summary: Summary): void {
    this.total = add(this.total, summary);
  }
}

function progressReporter(work: Work, options: Options): () => void {
  const startedAt = performance.now();
  let shownAt = startedAt;
  return () => {
    const now = performance.now();
    if (!process.stderr.isTTY || now - startedAt < PROGRESS_AFTER_MS || now - shownAt < PROGRESS_PERIOD_MS) return;
    shownAt = now;
    const { runs, failures } = work.total;
    const of = options.untilFailure ? '' : ` of ${options.runs}`;
    const rate = Math.round((runs * 1_000) / (now - startedAt));
    process.stderr.write(`\r${runs}${of} runs, ${failures.length} failed, ${rate} a second \x1b[K`);
  };
}

function runHere(run: RunOne, work: Work, progress: () => void): void {
  for (let chunk = work.next(); chunk !== null; chunk = work.next()) {
    for (let offset = 0; offset < chunk.count; offset++) {
      work.add(runBatch(chunk.from + offset, 1, false, run));
      progress();
      if (chunk.stopAtFailure && work.total.failures.length > 0) break;
    }
  }
}

async function runInChildren(file: string, work: Work, jobs: number, progress: () => void): Promise<void> {
  const children: ChildProcess[] = [];
  const worker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(file, ['--worker'], { execArgv: process.execArgv });
      children.push(child);
      const give = (): void => {
        const chunk = work.next();
        if (chunk === null) child.disconnect();
        else child.send(chunk);
      };
      child.on('message', (summary: Summary) => {
        work.add(summary);
        progress();
        give();
      });
      child.on('error', reject);
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a worker ended with code ${code}`))));
      give();
    });
  try {
    await Promise.all(Array.from({ length: jobs }, worker));
  } finally {
    for (const child of children) child.kill();
  }
}

function workForParent(run: RunOne): void {
  process.on('message', (chunk: Chunk) => {
    process.send?.(runBatch(chunk.from, chunk.count, chunk.stopAtFailure, run));
  });
}

async function main(program: SimProgram): Promise<void> {
  const options = readOptions(program, process.argv.slice(2));
  if (options.scenario !== null) {
    console.log(program.play(options.scenario));
    return;
  }
  if (options.transcript) {
    let failed = false;
    for (let seed = options.seed; seed < options.seed + options.runs; seed++) {
      const result = program.run(seed, true);
      failed ||= result.violation !== null;
      console.log(describeRun(result, true));
    }
    process.exitCode = failed ? 1 : 0;
    return;
  }
  const work = new Work(options);
  const progress = progressReporter(work, options);
  if (options.jobs === 1) runHere(program.run, work, progress);
  else await runInChildren(program.file, work, options.jobs, progress);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  const first = [...work.total.failures].sort((a, b) => a.seed - b.seed)[0];
  if (first !== undefined) {
    console.log(describeRun(program.run(first.seed, true), false));
    console.log(`\nAgain, with every line: npm run ${program.script} -- --seed ${first.seed} --transcript\n`);
    process.exitCode = 1;
  }
  console.log(describeSummary(work.total));
}

/** Runs a simulator's command line to its end; sets the exit code. */
export async function runSimProgram(program: SimProgram): Promise<void> {
  if (process.argv[2] === '--worker') return workForParent(program.run);
  try {
    await main(program);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    console.error(program.usage);
    process.exitCode = 2;
  }
}
