/** The demo's picture: one frame of text from what is known, and how it gets onto a terminal. */
import { FAULTS, type FaultKey, type Outcome } from './faults.js';
import type { Writer } from './writer.js';

/** What one frame shows. */
export interface Picture {
  /** What is to be typed, and looked at, beside the demo. */
  readonly beside: readonly string[];
  /** What `tanist status` prints. */
  readonly status: readonly string[];
  readonly writer: WriterView;
  readonly outcomes: readonly Outcome[];
  /** The fault that is being dealt with; null when none is. */
  readonly busy: FaultKey | null;
}

interface WriterView {
  /** Where it writes: the plain address. */
  readonly target: string;
  readonly acknowledged: number;
  readonly failed: number;
  readonly lost: number;
  /** Since the last acknowledged write. */
  readonly pauseNow_ms: number;
  readonly longestPause_ms: number;
}

/** Colours by meaning; each gives its text back unchanged when colour is off. */
export interface Paint {
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly strong: (text: string) => string;
}

export function paint(colour: boolean): Paint {
  const code =
    (on: number, off: number) =>
    (text: string): string =>
      colour ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  return { dim: code(2, 22), good: code(32, 39), bad: code(31, 39), strong: code(1, 22) };
}

/** What a frame shows of the writer. */
export function viewOf({ ledger }: Writer, target: string): WriterView {
  const { acknowledged, errors, lost, longestPause_ms } = ledger.total;
  const pauseNow_ms = ledger.pauseNow_ms(performance.now());
  return {
    target,
    acknowledged,
    failed: errors,
    lost,
    pauseNow_ms,
    longestPause_ms: Math.max(longestPause_ms, pauseNow_ms),
  };
}

/** A shorter wait between two writes is not called a pause. */
const PAUSE_SHOWN_MS = 100;

/** The widths of a table's columns; a negative one is aligned to the right. */
type Widths = readonly number[];

const WRITER: Widths = [23, -12, -8, -6, -13, -15];
const FAULT: Widths = [30, 9, -9, -8, 2, 20];

const KEYS: readonly (readonly [FaultKey | 'q', string])[][] = [
  [
    ['k', 'kill Redis'],
    ['z', 'freeze Redis'],
    ['e', 'empty Redis'],
    ['s', 'switch over'],
    ['q', 'quit'],
  ],
  [
    ['a', 'kill agent'],
    ['f', 'freeze agent'],
    ['h', 'kill host'],
    ['r', 'revive'],
  ],
];
const KEY_WIDTH = 16;

/** With fewer rows the heading of the status makes room. */
const ROWS_FOR_ALL = 30;

/**
 * One frame, as lines of at most 80 columns (but for what went wrong, in words, and long paths).
 * @param rows that the terminal has; the oldest faults make room
 */
export function draw(picture: Picture, colours: Paint, rows = 24): string[] {
  const { dim, bad, strong } = colours;
  const head = (widths: Widths, ...cells: string[]): string => `  ${dim(columns(widths, cells))}`;
  const [first = '', ...more] = picture.beside;
  const isRoomy = rows >= ROWS_FOR_ALL;
  const above = [
    `  ${strong('Tanist demo')}   ${first}`,
    ...more.map((line) => `  ${line}`),
    '',
    ...(isRoomy ? picture.status : withoutHeading(picture.status)).map((line) => `  ${line}`),
    '',
    head(WRITER, 'WRITES TO', 'ACKNOWLEDGED', 'FAILED', 'LOST', 'PAUSE NOW', 'LONGEST PAUSE'),
    writerRow(picture.writer, colours),
    '',
    head(FAULT, 'FAULT', 'MASTER', 'PAUSE', 'FAILED', '', 'LOST OF READ BACK'),
  ];
  const keys = KEYS.map((row) => `  ${row.map((key) => keyText(key, strong)).join('')}`.trimEnd());
  const busy = picture.busy === null ? [] : [dim(`  ${picture.busy}  ${FAULTS[picture.busy]} ...`)];
  const room = Math.max(1, rows - above.length - busy.length - keys.length);
  const faults = picture.outcomes.slice(-room).map((outcome) => {
    const row = `  ${faultRow(outcome)}`;
    return outcome.trouble !== null || outcome.lost > 0 ? bad(row) : row;
  });
  return [...above, ...faults, ...busy, ...(faults.length < room ? [''] : []), ...keys];
}

/** The status begins with a line about itself and an empty one. */
function withoutHeading(status: readonly string[]): readonly string[] {
  return status[1] === '' ? status.slice(2) : status;
}

function keyText([key, what]: (typeof KEYS)[number][number], strong: Paint['strong']): string {
  return `${strong(key)} ${what.padEnd(KEY_WIDTH - 2)}`;
}

function writerRow(view: WriterView, { bad }: Paint): string {
  const { target, acknowledged, failed, lost, pauseNow_ms, longestPause_ms } = view;
  const paused = pauseNow_ms > PAUSE_SHOWN_MS;
  const row = `  ${columns(WRITER, [
    target,
    count(acknowledged),
    count(failed),
    count(lost),
    paused ? ms(pauseNow_ms) : 'none',
    ms(longestPause_ms),
  ])}`;
  return paused || lost > 0 ? bad(row) : row;
}

function faultRow({ key, from, to, pause_ms, errors, lost, read, trouble }: Outcome): string {
  const what = `${key}  ${FAULTS[key]}`;
  if (trouble !== null) return `${what.padEnd(30)}${trouble}`;
  const route = from === to ? to : `${from} -> ${to}`;
  return columns(FAULT, [what, route, ms(pause_ms), count(errors), '', `${count(lost)} of ${count(read)}`]);
}

/** One sentence on how a fault ended, for a log. */
export function summary(outcome: Outcome): string {
  const { key, from, to, trouble, pause_ms, errors, lost, read } = outcome;
  const what = `${key}  ${FAULTS[key].padEnd(26)}`;
  if (trouble !== null) return `${what} ${trouble}`;
  const route = from === to ? to : `${from} -> ${to}`;
  const figures = `pause ${ms(pause_ms).padStart(8)}, ${count(errors)} failed, lost ${count(lost)} of ${count(read)}`;
  return `${what} ${route.padEnd(6)}  ${figures}`;
}

function columns(widths: Widths, cells: readonly string[]): string {
  return cells
    .map((cell, index) => {
      const width = widths[index] ?? 0;
      return width < 0 ? cell.padStart(-width) : cell.padEnd(width);
    })
    .join('')
    .trimEnd();
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}

function ms(value: number): string {
  return value < 10_000 ? `${count(Math.round(value))} ms` : `${(value / 1_000).toFixed(1)} s`;
}

/** A terminal that is drawn over in place, without flicker, and given back as it was found. */
export class Terminal {
  readonly #out: NodeJS.WriteStream;
  #open = false;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  get rows(): number {
    return this.#out.rows ?? 24;
  }

  get columns(): number {
    return this.#out.columns ?? 80;
  }

  show(lines: readonly string[]): void {
    // A screen of its own, no cursor, and long lines cut instead of wrapped.
    if (!this.#open) this.#out.write('\u001b[?1049h\u001b[?25l\u001b[?7l');
    this.#open = true;
    const shown = lines.slice(0, this.rows).map((line) => `${line}\u001b[K`);
    this.#out.write(`\u001b[H${shown.join('\r\n')}\u001b[J`);
  }

  close(): void {
    if (this.#open) this.#out.write('\u001b[?7h\u001b[?25h\u001b[?1049l');
    this.#open = false;
  }
}
