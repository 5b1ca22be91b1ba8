/** The demo's picture: one frame of text from what is known, and how it gets onto a terminal. */
import type { ServerInfo } from '../redis/info.js';
import { FAULTS, type FaultKey, type Outcome } from './faults.js';
import type { Servers } from './nodes.js';
import type { Writer } from './writer.js';

/** What one frame shows. */
export interface Picture {
  readonly redis: readonly { readonly place: string; readonly state: string; readonly info: ServerInfo | null }[];
  readonly sentinels: readonly { readonly place: string; readonly state: string; readonly says: string }[];
  readonly writer: WriterView;
  readonly outcomes: readonly Outcome[];
  /** What is being waited for; empty when nothing is. */
  readonly busy: string;
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

/** Asks all servers for what the next frame shows. */
export async function takePicture(
  servers: Servers,
  writer: Writer,
  outcomes: readonly Outcome[],
  busy: string,
): Promise<Picture> {
  const [redis, sentinels] = await Promise.all([
    Promise.all(
      servers.redis.map(async (node) => ({
        place: node.place,
        state: node.process.state,
        info: await node.info(),
      })),
    ),
    Promise.all(
      servers.sentinels.map(async (node) => {
        const reply = await node.ask('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'demo');
        return {
          place: node.place,
          state: node.process.state,
          says: Array.isArray(reply) ? `${reply[0]}:${reply[1]}` : '',
        };
      }),
    ),
  ]);
  return { redis, sentinels, writer: viewOf(writer), outcomes, busy };
}

function viewOf(writer: Writer): WriterView {
  const { acknowledged, errors, lost, longestPause_ms } = writer.ledger.total;
  const pauseNow_ms = writer.ledger.pauseNow_ms(performance.now());
  return {
    target: writer.target,
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

const REDIS: Widths = [23, 9, 8, -15, 2, 4];
const SENTINEL: Widths = [23, 9, 21];
const WRITER: Widths = [23, -12, -8, -6, -13, -15];
const FAULT: Widths = [23, 17, -9, -8, 2, 19];

const KEYS: Readonly<Record<FaultKey, string>> = { k: 'kill', z: 'freeze', s: 'switch over', r: 'revive' };

/**
 * One frame, as lines of at most 80 columns (but for what went wrong, in words).
 * @param rows that the terminal has; the oldest faults make room
 */
export function draw(picture: Picture, colours: Paint, rows = 24): string[] {
  const { dim, bad, strong } = colours;
  const head = (widths: Widths, ...cells: string[]): string => `  ${dim(columns(widths, cells))}`;
  const above = [
    `  ${strong('Tanist demo')}   ${dim('three Redis, three Sentinels and a proxy: one plain address')}`,
    '',
    head(REDIS, 'REDIS', 'ROLE', 'STATE', 'OFFSET', '', 'LINK'),
    ...picture.redis.map((each) => redisRow(each, colours)),
    '',
    head(SENTINEL, 'SENTINEL', 'STATE', 'ITS MASTER'),
    ...picture.sentinels.map(({ place, state, says }) => `  ${columns(SENTINEL, [place, state, says])}`),
    '',
    head(WRITER, 'WRITES TO', 'ACKNOWLEDGED', 'FAILED', 'LOST', 'PAUSE NOW', 'LONGEST PAUSE'),
    writerRow(picture.writer, colours),
    '',
    head(FAULT, 'FAULT', 'MASTER', 'PAUSE', 'FAILED', '', 'LOST OF READ BACK'),
  ];
  const keys = [...Object.entries(KEYS), ['q', 'quit']].map(([key = '', what = '']) => `${strong(key)} ${what}`);
  const busy = picture.busy === '' ? '' : dim(`   … ${picture.busy}`);
  const below = ['', `  ${keys.join('   ')}${busy}`];
  const shown = picture.outcomes.slice(-Math.max(1, rows - above.length - below.length));
  const faults = shown.map((outcome) => {
    const row = `  ${faultRow(outcome)}`;
    return outcome.trouble !== null || outcome.lost > 0 ? bad(row) : row;
  });
  return [...above, ...faults, ...below];
}

function redisRow({ place, state, info }: Picture['redis'][number], { good, bad }: Paint): string {
  const role = info?.role ?? '';
  const isReplica = role === 'replica';
  const offset = isReplica ? info?.replicaOffset : info?.masterReplOffset;
  const link = isReplica ? (info?.masterLinkUp ? 'up' : 'down') : '';
  const row = `  ${columns(REDIS, [place, role, state, offset == null ? '' : count(offset), '', link])}`;
  if (state !== 'up') return bad(row);
  return role === 'master' ? good(row) : row;
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
  if (trouble !== null) return `${what.padEnd(23)}${trouble}`;
  const port = (place: string): string => place.slice(place.lastIndexOf(':') + 1);
  const route = from === to ? port(to) : `${port(from)} -> ${port(to)}`;
  return columns(FAULT, [what, route, ms(pause_ms), count(errors), '', `${count(lost)} of ${count(read)}`]);
}

/** One sentence on how a fault ended, for a log. */
export function summary(outcome: Outcome): string {
  const { key, from, to, trouble, pause_ms, errors, lost, read } = outcome;
  const what = `${key}  ${FAULTS[key].padEnd(19)}`;
  if (trouble !== null) return `${what}  ${trouble}`;
  const route = from === to ? `master ${to}` : `${from} -> ${to}`;
  return (
    `${what}  ${route.padEnd(34)}  pause ${ms(pause_ms).padStart(8)}, ${count(errors)} failed, ` +
    `${count(lost)} of ${count(read)} acknowledged writes lost`
  );
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
