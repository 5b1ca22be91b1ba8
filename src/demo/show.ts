/** What a demo that has started does: faults by script or by key, drawn on a terminal or told by the line. */
import type { ClusterView } from '../agent/view.js';
import type { Cluster } from './cluster.js';
import { cause, type FaultKey, isFaultKey, type Outcome, obstacle } from './faults.js';
import { draw, type Picture, paint, summary, Terminal, viewOf } from './screen.js';
import { DeadlineError, until } from './until.js';
import type { Writer } from './writer.js';

export interface ShowOptions {
  readonly cluster: Cluster;
  readonly writer: Writer;
  readonly stop: AbortSignal;
  /** Whether no fault may lose a write; else only what is planned may not. */
  readonly losesNothing: boolean;
  /** Whether the terminal is drawn on; else there is a line an outcome. */
  readonly drawn: boolean;
  /** What is to be typed, and looked at, beside the demo. */
  readonly beside: readonly string[];
  /** The lines of `tanist status`. */
  readonly statusLines: (view: ClusterView, width: number, colour: boolean) => string[];
}

const FRAME_MS = 200;
const STATUS_MS = 500;
/** The frame's margin, and the last column: a terminal that is told there to clear the rest of the line clears that, too. */
const MARGIN_columns = 3;
const STATUS_WIDTH_MAX = 160;
/** Acknowledged writes before each fault of a script. */
const SCRIPT_WRITES = 500;
/** For them, and for a replica that can take over. */
const SCRIPT_READY_MS = 30_000;

export class Show {
  readonly #options: ShowOptions;
  readonly #outcomes: Outcome[] = [];
  readonly #terminal = new Terminal(process.stdout);
  readonly #colour = (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  readonly #ended: Promise<void>;
  #end: () => void = () => {};
  #over = false;
  #status: ClusterView | null = null;
  #busy: FaultKey | null = null;
  /** Faults run one after the other, however fast the keys come; only one more is kept waiting. */
  #waiting: FaultKey | null = null;

  constructor(options: ShowOptions) {
    this.#options = options;
    const { stop } = options;
    this.#ended = new Promise((resolve) => {
      this.#end = () => {
        this.#over = true;
        resolve();
      };
      stop.addEventListener('abort', () => this.#end(), { once: true });
      if (stop.aborted) this.#end();
    });
  }

  /** @returns the exit code */
  async run(script: readonly FaultKey[], exit: boolean): Promise<number> {
    const { drawn } = this.#options;
    const frames = drawn ? Promise.all([this.#animate(), this.#look()]) : Promise.resolve();
    const keys = drawn && process.stdin.isTTY ? this.#listenToKeys() : () => {};
    try {
      for (const key of script) {
        await this.#ready(key);
        if (this.#over) break;
        await this.#cause(key);
      }
      if (!exit) await this.#ended;
    } finally {
      this.#end();
      keys();
      await frames;
      this.#terminal.close();
    }
    return this.#report();
  }

  /**
   * Lets enough writes through before the next fault of a script that "none lost" says something, and lets those who were
   * struck before come back as far as they do by themselves. What does not come is the next fault's to tell.
   */
  async #ready(key: FaultKey): Promise<void> {
    const { writer, cluster } = this.#options;
    const from = writer.ledger.total.acknowledged;
    const ready = until('the cluster to be ready', SCRIPT_READY_MS, async () => {
      if (this.#over) return true;
      if (writer.ledger.total.acknowledged - from < SCRIPT_WRITES) return false;
      return key === 'r' || (await obstacle(key, cluster)) === null;
    });
    await ready.catch((error: unknown) => {
      if (!(error instanceof DeadlineError)) throw error;
    });
  }

  /** What is left on the terminal at the end, and the exit code. */
  #report(): number {
    const { drawn, writer, losesNothing } = this.#options;
    if (drawn) for (const outcome of this.#outcomes) process.stdout.write(`${summary(outcome)}\n`);
    const { acknowledged, lost } = writer.ledger.total;
    process.stdout.write(
      `${acknowledged.toLocaleString('en-US')} writes acknowledged, ${lost.toLocaleString('en-US')} lost\n`,
    );
    const failed = this.#outcomes.some(
      ({ key, lost: gone, trouble }) => trouble !== null || (gone > 0 && (key === 's' || losesNothing)),
    );
    return failed ? 1 : 0;
  }

  async #cause(key: FaultKey): Promise<void> {
    const { cluster, writer, drawn } = this.#options;
    this.#busy = key;
    const outcome = await cause(key, cluster, writer);
    this.#busy = null;
    this.#outcomes.push(outcome);
    if (!drawn) process.stdout.write(`${summary(outcome)}\n`);
  }

  /** The status comes when it comes; frames do not wait for it. */
  async #look(): Promise<void> {
    while (!this.#over) {
      const status = await this.#options.cluster.view();
      if (status !== null) this.#status = status;
      await this.#pause(STATUS_MS);
    }
  }

  async #animate(): Promise<void> {
    const colours = paint(this.#colour);
    while (!this.#over) {
      this.#terminal.show(draw(this.#picture(), colours, this.#terminal.rows));
      await this.#pause(FRAME_MS);
    }
  }

  #picture(): Picture {
    const { writer, cluster, beside, statusLines } = this.#options;
    const width = Math.min(STATUS_WIDTH_MAX, this.#terminal.columns - MARGIN_columns);
    const { host, port } = cluster.address;
    return {
      beside,
      status: this.#status === null ? [] : statusLines(this.#status, width, this.#colour),
      writer: viewOf(writer, `${host}:${port}`),
      outcomes: this.#outcomes,
      busy: this.#busy,
    };
  }

  async #pause(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | null = null;
    const later = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.#ended, later]);
    if (timer !== null) clearTimeout(timer);
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
    if (this.#busy !== null) {
      this.#waiting = key;
      return;
    }
    await this.#cause(key);
    const next = this.#waiting;
    this.#waiting = null;
    if (next !== null && !this.#over) await this.#queue(next);
  }
}
