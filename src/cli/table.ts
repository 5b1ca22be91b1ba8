/** Aligned columns for a terminal, and sentences folded to its width. */

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A cell's text, and how it is painted once its width is settled. */
export interface Cell {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

export interface Row {
  readonly cells: readonly Cell[];
  /** A sentence behind the columns, or, when there is no room, on lines of its own below. */
  readonly note: string;
}

export interface TableOptions {
  /** Null: no limit. */
  readonly width: number | null;
  /** The title of the notes' column. */
  readonly noteTitle: string;
  readonly paintTitle: (text: string) => string;
  readonly paintNote: (text: string) => string;
}

const GAP = '  ';
/** A narrower column of notes reads like a ladder. */
const NOTE_MIN_columns = 32;
const INDENT = '    ';

/** The table's lines. */
export function tableLines(columns: readonly Column[], rows: readonly Row[], options: TableOptions): string[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map(({ cells }) => cells[index]?.text.length ?? 0)),
  );
  const left = widths.reduce((sum, each) => sum + each + GAP.length, 0);
  const room = options.width === null ? Number.POSITIVE_INFINITY : options.width - left;
  const isBeside = room >= Math.min(NOTE_MIN_columns, longestNote(rows));
  const line = (cells: readonly Cell[]): string =>
    columns.map(({ align }, index) => paintCell(cells[index], widths[index] ?? 0, align ?? 'left')).join(GAP);
  const titles = columns.map(({ title }) => ({ text: title, paint: options.paintTitle }));
  const hasNotes = rows.some(({ note }) => note !== '');
  const head = `${line(titles)}${isBeside && hasNotes ? GAP + options.paintTitle(options.noteTitle) : ''}`;
  return [
    head,
    ...rows.flatMap((row) => rowLines(row, line(row.cells), isBeside ? { left, room } : null, options)),
  ].map((each) => each.trimEnd());
}

function rowLines(
  { note }: Row,
  cells: string,
  beside: { readonly left: number; readonly room: number } | null,
  { width, paintNote }: TableOptions,
): string[] {
  if (note === '') return [cells];
  if (beside === null) {
    const folded = fold(note, width === null ? null : width - INDENT.length);
    return [cells, ...folded.map((part) => INDENT + paintNote(part))];
  }
  const [first = '', ...more] = fold(note, Number.isFinite(beside.room) ? beside.room : null);
  return [`${cells}${GAP}${paintNote(first)}`, ...more.map((part) => ' '.repeat(beside.left) + paintNote(part))];
}

function longestNote(rows: readonly Row[]): number {
  return Math.max(0, ...rows.map(({ note }) => note.length));
}

function paintCell(cell: Cell | undefined, width: number, align: 'left' | 'right'): string {
  const { text = '', paint = (each: string) => each } = cell ?? {};
  const space = ' '.repeat(Math.max(0, width - text.length));
  return align === 'right' ? space + paint(text) : paint(text) + space;
}

/** Breaks a sentence at spaces; a word that is too long stays whole. @param width null: no limit */
export function fold(text: string, width: number | null): string[] {
  if (width === null || text.length <= width) return [text];
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines;
}
