/** The demo: a cluster on loopback, a writer, and faults by key or by script. */
import { cause, FAULTS, type FaultKey, isFaultKey, type Outcome } from './faults.js';
import { GROUP, type ServerOptions, Servers, TANIST_PROXY, TANIST_SENTINEL } from './nodes.js';
import { draw, paint, summary, Terminal, takePicture } from './screen.js';
import { DeadlineError, until } from './until.js';
import { Writer } from './writer.js';

export interface DemoOptions {
  /** Faults to cause one after the other, unattended. */
  readonly script: readonly FaultKey[];
  /** End after the script. */
  readonly exit: boolean;
  readonly downAfter_ms: number;
  /** The program, by name or path. */
  readonly redisServer: string;
}

const FRAME_MS = 200;
/** Longer than the proxy holds a write for a master that is being replaced. */
const WRITE_DEADLINE_MS = 6_000;
/** Acknowledged writes before each fault of a script. */
const SCRIPT_WRITES = 500;
const SCRIPT_WRITES_DEADLINE_MS = 10_000;
/** 128 + SIGINT, as shells have it. */
const INTERRUPTED = 130;

/** Runs until the script is over (with `exit`), a key or a signal ends it. @returns the exit code */
export async function runDemo(options: DemoOptions): Promise<number> {
  const stop = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => stop.abort(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  const drawn = process.stdout.isTTY === true && options.script.length === 0;
  if (process.stdout.isTTY || !drawn)
    process.stderr.write('tanist demo: starting three Redis, three Sentinels and a proxy\n');
  const wanted: ServerOptions = {
    redis: { command: options.redisServer },
    sentinel: TANIST_SENTINEL,
    proxy: TANIST_PROXY,
    downAfter_ms: options.downAfter_ms,
    failoverTimeout_ms: 10_000,
    sentinelLines: [`sentinel fast-down ${GROUP} yes`],
  };
  const servers = await Servers.start(wanted, stop.signal).catch((error: unknown) => {
    if (stop.signal.aborted) return null;
    throw error;
  });
  if (servers === null) return INTERRUPTED;
  const orphaned = (): void => servers.abandon();
  process.on('exit', orphaned);
  const address = servers.proxy?.port ?? null;
  const writer = new Writer(servers, { address, subscribes: false, deadline_ms: WRITE_DEADLINE_MS });
  try {
    const show = new Show(servers, writer, stop.signal, drawn);
    return await show.run(options);
  } finally {
    writer.stop();
    await servers.end();
    process.off('exit', orphaned);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, onSignal);
  }
}

class Show {
  readonly #outcomes: Outcome[] = [];
  readonly #terminal = new Terminal(process.stdout);
  readonly #ended: Promise<void>;
  #end: () => void = () => {};
  #busy = '';
  /** Faults run one after the other, however fast the keys come; only one more is kept waiting. */
  #waiting: FaultKey | null = null;

  constructor(
    readonly servers: Servers,
    readonly writer: Writer,
    readonly stop: AbortSignal,
    /** Whether the terminal is drawn on; else there is a line an outcome. */
    readonly drawn: boolean,
  ) {
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
      stop.addEventListener('abort', () => resolve(), { once: true });
      if (stop.aborted) resolve();
    });
  }

  async run(options: DemoOptions): Promise<number> {
    const frames = this.drawn ? this.#animate() : Promise.resolve();
    const keys = this.drawn && process.stdin.isTTY ? this.#listenToKeys() : () => {};
    try {
      for (const key of options.script) {
        if (this.stop.aborted) break;
        await this.#writeOn();
        await this.#cause(key);
      }
      if (!options.exit) await this.#ended;
    } finally {
      this.#end();
      keys();
      await frames;
      this.#terminal.close();
    }
    return this.#report();
  }

  /** Lets enough writes through before the next fault of a script that "none lost" says something. */
  async #writeOn(): Promise<void> {
    const from = this.writer.ledger.total.acknowledged;
    const written = until('writes to flow', SCRIPT_WRITES_DEADLINE_MS, () => {
      return this.stop.aborted || this.writer.ledger.total.acknowledged - from >= SCRIPT_WRITES;
    });
    // Writes that do not flow are the next fault's to tell: it finds no master.
    await written.catch((error: unknown) => {
      if (!(error instanceof DeadlineError)) throw error;
    });
  }

  /** What is left on the terminal at the end, and the exit code. */
  #report(): number {
    if (this.drawn) for (const outcome of this.#outcomes) process.stdout.write(`${summary(outcome)}\n`);
    const { acknowledged, lost } = this.writer.ledger.total;
    process.stdout.write(
      `${acknowledged.toLocaleString('en-US')} writes acknowledged, ${lost.toLocaleString('en-US')} lost\n`,
    );
    const failed = this.#outcomes.some(({ key, lost: gone, trouble }) => trouble !== null || (key === 's' && gone > 0));
    return failed ? 1 : 0;
  }

  async #cause(key: FaultKey): Promise<void> {
    this.#busy = FAULTS[key];
    const outcome = await cause(key, this.servers, this.writer);
    this.#busy = '';
    this.#outcomes.push(outcome);
    if (!this.drawn) process.stdout.write(`${summary(outcome)}\n`);
  }

  async #animate(): Promise<void> {
    const colours = paint(process.env['NO_COLOR'] === undefined || process.env['NO_COLOR'] === '');
    let over = false;
    void this.#ended.then(() => {
      over = true;
    });
    while (!over) {
      const picture = await takePicture(this.servers, this.writer, this.#outcomes, this.#busy);
      if (!over) this.#terminal.show(draw(picture, colours, this.#terminal.rows));
      await Promise.race([this.#ended, new Promise((resolve) => setTimeout(resolve, FRAME_MS))]);
    }
  }

  #listenToKeys(): () => void {
    const { stdin } = process;
    const onKey = (data: Buffer): void => {
      for (const key of data.toString()) this.#onKey(key);
    };
    stdin.setRawMode(true);
    stdin.on('data', onKey);
    return () => {
      stdin.off('data', onKey);
      stdin.setRawMode(false);
      stdin.pause();
    };
  }

  #onKey(key: string): void {
    // Raw mode gives Ctrl-C as a key.
    if (key === 'q' || key === '\u0003') this.#end();
    else if (isFaultKey(key)) void this.#queue(key);
  }

  async #queue(key: FaultKey): Promise<void> {
    if (this.#busy !== '') {
      this.#waiting = key;
      return;
    }
    await this.#cause(key);
    const next = this.#waiting;
    this.#waiting = null;
    if (next !== null) await this.#queue(next);
  }
}
