/** What is wrong in a configuration file, with its place. */

export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1; characters, not bytes. */
  readonly column: number;
}

/**
 * `fatal`: nothing can run. `error`: something written was dropped or replaced, the rest runs. `unsafe`: scripts run
 * though the file does not ask for script security. `warning`: has no effect here, and does no harm.
 */
export type Severity = 'fatal' | 'error' | 'unsafe' | 'warning';

export interface Diagnostic {
  readonly severity: Severity;
  readonly place: Place;
  readonly message: string;
}

export class Diagnostics {
  readonly #list: Diagnostic[] = [];

  get list(): readonly Diagnostic[] {
    return this.#list;
  }

  add(severity: Severity, place: Place, message: string): void {
    this.#list.push({ severity, place, message });
  }

  fatal(place: Place, message: string): void {
    this.add('fatal', place, message);
  }

  error(place: Place, message: string): void {
    this.add('error', place, message);
  }

  warning(place: Place, message: string): void {
    this.add('warning', place, message);
  }
}

/**
 * The exit code of a configuration test, as keepalived(8) documents it: 3 cannot be run, 4 has errors but will run
 * without what is wrong, 5 runs scripts without script security, 0 for none of these.
 */
export function exitCodeOf(diagnostics: readonly Diagnostic[]): 0 | 3 | 4 | 5 {
  if (diagnostics.some((d) => d.severity === 'fatal')) return 3;
  if (diagnostics.some((d) => d.severity === 'error')) return 4;
  if (diagnostics.some((d) => d.severity === 'unsafe')) return 5;
  return 0;
}

/** `file:line:column: severity: message`, as editors and compilers write it. */
export function formatDiagnostic({ place, severity, message }: Diagnostic): string {
  return `${place.file}:${place.line}:${place.column}: ${severity}: ${message}`;
}

/** The word of `known` that was probably meant, or null when none is near. */
export function nearestWord(word: string, known: Iterable<string>): string | null {
  let best: { word: string; distance: number } | null = null;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (
      distance <= Math.max(1, Math.floor((candidate.length + 1) / 3)) &&
      (best === null || distance < best.distance)
    ) {
      best = { word: candidate, distance };
    }
  }
  return best?.word ?? null;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
