/** The demo's picture: one frame of text from what is known, and how it gets onto a terminal. */
import type { ServerInfo } from '../redis/info.js';
import { FAULTS, type Outcome } from './faults.js';
import type { Servers } from './nodes.js';
import type { Writer } from './writer.js';

/** What one frame shows. */
export interface Picture {
  readonly redis: readonly { readonly place: string; readonly state: string; readonly info: ServerInfo | null }[];
  readonly sentinels: readonly { readonly place: string; readonly state: string; readonly says: string }[];
  readonly writes: string;
  readonly target: string;
  readonly outcomes: readonly Outcome[];
  /** What is being waited for; empty when nothing is. */
  readonly busy: string;
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
  const { acknowledged, errors, lost, longestPause_ms } = writer.ledger.total;
  const now_ms = writer.ledger.pauseNow_ms(performance.now());
  const writes = [
    `${count(acknowledged)} acknowledged`,
    `${count(errors)} failed`,
    `${count(lost)} lost`,
    `longest pause ${ms(Math.max(longestPause_ms, now_ms))}`,
    now_ms > 100 ? `paused for ${ms(now_ms)}` : 'flowing',
  ].join('   ');
  return { redis, sentinels, writes, target: writer.target, outcomes, busy };
}

/** One frame, as lines. */
export function draw(picture: Picture, colours: Paint): string[] {
  const { dim, good, bad, strong } = colours;
  const head = (...cells: string[]): string => `  ${dim(columns(cells))}`;
  const lines = [
    strong('  Tanist demo'),
    dim('  Three Redis and three Tanist Sentinels on loopback; fast-down is on.'),
    '',
  ];
  lines.push(head('REDIS', 'ROLE', 'STATE', 'OFFSET', 'LINK'));
  for (const { place, state, info } of picture.redis) {
    const role = info?.role ?? '';
    const offset = role === 'replica' ? info?.replicaOffset : info?.masterReplOffset;
    const link = role === 'replica' ? (info?.masterLinkUp ? 'up' : 'down') : '';
    const row = columns([place, role, state, offset == null ? '' : count(offset), link]);
    lines.push(`  ${state !== 'up' ? bad(row) : role === 'master' ? good(row) : row}`);
  }
  lines.push('', head('SENTINEL', 'SAYS THE MASTER IS'));
  for (const { place, state, says } of picture.sentinels) {
    lines.push(`  ${columns([place, state === 'up' ? says : state])}`);
  }
  lines.push('', head('WRITER', picture.target), `  ${picture.writes}`, '');
  if (picture.outcomes.length > 0) lines.push(dim('  FAULTS'));
  for (const outcome of picture.outcomes.slice(-8)) {
    const line = `  ${summary(outcome)}`;
    lines.push(outcome.trouble !== null || outcome.lost > 0 ? bad(line) : line);
  }
  const keys = Object.entries(FAULTS).map(([key, what]) => `${strong(key)} ${what}`);
  lines.push('', `  ${keys.join('   ')}   ${strong('q')} quit`, picture.busy === '' ? '' : dim(`  … ${picture.busy}`));
  return lines;
}

/** One line on how a fault ended. */
export function summary(outcome: Outcome): string {
  const { key, from, to, trouble } = outcome;
  const what = `${key}  ${FAULTS[key].padEnd(20)}`;
  if (trouble !== null) return `${what}  ${trouble}`;
  const route = from === to ? `master ${to}` : `${from} -> ${to}`;
  const errors = outcome.errors === 1 ? '1 failed' : `${count(outcome.errors)} failed`;
  return [
    what,
    route.padEnd(34),
    `pause ${ms(outcome.pause_ms).padStart(8)}`,
    `${count(outcome.acknowledged).padStart(6)} acknowledged, ${errors}, ${count(outcome.lost)} lost`,
  ].join('  ');
}

function columns(cells: readonly string[]): string {
  const widths = [24, 10, 10, 14, 6];
  return cells
    .map((cell, index) => cell.padEnd(widths[index] ?? 0))
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

  show(lines: readonly string[]): void {
    if (!this.#open) this.#out.write('\u001b[?1049h\u001b[?25l');
    this.#open = true;
    const rows = this.#out.rows ?? 24;
    const shown = lines.slice(0, rows).map((line) => `${line}\u001b[K`);
    this.#out.write(`\u001b[H${shown.join('\r\n')}\u001b[J`);
  }

  close(): void {
    if (this.#open) this.#out.write('\u001b[?25h\u001b[?1049l');
    this.#open = false;
  }
}
