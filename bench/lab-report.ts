/** The lab's stories as tables in Markdown. Pure. */
import type { DoorOutcome, Outcome } from '../test/lab/stories/story.js';
import { median, table } from './options.js';

/** One story, told or failed. */
export interface Told {
  readonly system: string;
  readonly fault: string;
  readonly round: number;
  readonly outcome: Outcome | null;
  /** Why it could not be told. */
  readonly trouble: string | null;
}

interface Named {
  readonly name: string;
  readonly title: string;
}

export interface Catalogue {
  readonly systems: readonly Named[];
  readonly faults: readonly Named[];
}

export const BEGIN = '<!-- lab: tables begin -->';
export const END = '<!-- lab: tables end -->';

const HEAD = [
  'system',
  'door',
  'pause ms',
  'error replies',
  'connections lost',
  'acknowledged writes lost',
  'two with VIP and writable',
  'well at the end',
];

/** A table a fault, in the catalogue's order; a row a system and door. */
export function comparison(told: readonly Told[], { systems, faults }: Catalogue): string {
  const parts = faults.flatMap(({ name, title }) => {
    const ofFault = told.filter(({ fault }) => fault === name);
    const rows = systems.flatMap((system) =>
      rowsOf(
        system.name,
        ofFault.filter((each) => each.system === system.name),
      ),
    );
    return rows.length === 0 ? [] : [`### ${name}: ${title}\n\n${table(HEAD, rows)}`];
  });
  return parts.join('\n\n');
}

/** @throws {Error} when the text has no markers */
export function withComparison(text: string, tables: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from === -1 || to < from)
    throw new Error(`the file has no place for the tables: put ${BEGIN} and ${END} into it`);
  return `${text.slice(0, from + BEGIN.length)}\n\n${tables}\n\n${text.slice(to)}`;
}

function rowsOf(system: string, told: readonly Told[]): string[][] {
  const outcomes = told.flatMap(({ outcome }) => outcome ?? []);
  const [first] = outcomes;
  if (first === undefined) {
    return told.length === 0 ? [] : [[system, '-', '-', '-', '-', '-', '-', `could not be told, ${told.length} times`]];
  }
  const well = outcomes.filter(({ flaw }) => flaw === null).length;
  const two = outcomes.map(({ twoWithVip }) => twoWithVip);
  return first.doors.map(({ door }, i) => {
    const doors = outcomes.flatMap(({ doors: all }) => all[i] ?? []);
    return [
      i === 0 ? system : '',
      door,
      pauses(doors),
      spread(doors.map(({ errors }) => sum(Object.values(errors)))),
      spread(doors.map(({ connectionsLost }) => connectionsLost)),
      losses(doors),
      i > 0 ? '' : two.some((each) => each === null) ? 'no VIP' : spread(two.map((each) => each ?? 0)),
      i > 0 ? '' : `${well} of ${told.length}`,
    ];
  });
}

/** Median and range; a door that accepted nothing at the end has a pause without one. */
function pauses(doors: readonly DoorOutcome[]): string {
  const open = doors.filter(({ answers }) => answers).map(({ pause_ms }) => pause_ms);
  const shut = doors.length - open.length;
  const never = shut === 0 ? '' : `no end, ${shut} of ${doors.length}`;
  return [open.length === 0 ? '' : spread(open), never].filter((part) => part !== '').join('; ');
}

function losses(doors: readonly DoorOutcome[]): string {
  const unread = sum(doors.map((each) => each.unread));
  const lost = spread(doors.map((each) => each.lost));
  const of = Math.round(median(doors.map(({ acknowledged }) => acknowledged)));
  return `${lost} of ${of}${unread === 0 ? '' : `; ${unread} could not be read`}`;
}

/** `median (least-most)`, or the one value that all have. */
function spread(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? String(least) : `${Math.round(median(values))} (${least}-${most})`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
