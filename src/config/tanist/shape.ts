/**
 * Holds a file to the schema, and says what does not fit in words of its own. What does not fit is then left out, so that
 * the rest can be checked in the same run.
 */
import type { z } from 'zod';
import { nearestWord } from '../keepalived/diagnostics.js';
import { type Reporter, shown } from './report.js';
import { type FileShape, fileSchema } from './schema.js';
import { keysAt } from './schema-keys.js';
import type { Path } from './yaml-tree.js';

type Issue = z.core.$ZodIssue;

/** More rounds of leaving out than a file has levels are never needed. */
const ROUNDS_MAX = 64;

/** Keys that begin like this are the user's own, to hang anchors on. */
const OWN_KEY = /^x-/;

/** @returns what is usable of the file; null when nothing is. All that is not has been reported. */
export function readShape(reporter: Reporter): FileShape | null {
  const plain = copy(reporter.tree.plain);
  if (isRecord(plain)) for (const key of Object.keys(plain)) if (OWN_KEY.test(key)) delete plain[key];
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const result = fileSchema.safeParse(plain);
    if (result.success) return result.data;
    const issues = result.error.issues.flatMap((issue) => flatten(issue, []));
    // What is left out may leave a hole that is a fault of its own making.
    if (round === 0) for (const issue of issues) report(issue, plain, reporter);
    const paths = issues.flatMap(({ issue, path }) =>
      issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...path, key]) : [path],
    );
    // All are looked up before the first is removed: the second fault of a part must not remove what that stands in.
    const removable = paths.map((path) => nearestRemovable(plain, path));
    for (const removal of removable) {
      if (removal === null) return null;
      delete removal.parent[removal.key];
    }
  }
  return null;
}

interface Placed {
  readonly issue: Issue;
  readonly path: Path;
}

/** Of a union, the faults of the form that was meant: the one whose outermost type fits. */
function flatten(issue: Issue, prefix: Path): Placed[] {
  const path = [...prefix, ...(issue.path as (string | number)[])];
  if (issue.code !== 'invalid_union') return [{ issue, path }];
  const meant = issue.errors.find((branch) => !branch.some((each) => each.path.length === 0 && isTypeFault(each)));
  return meant === undefined ? [{ issue, path }] : meant.flatMap((each) => flatten(each, path));
}

function isTypeFault({ code }: Issue): boolean {
  return code === 'invalid_type' || code === 'invalid_value' || code === 'invalid_union';
}

function report({ issue, path }: Placed, plain: unknown, reporter: Reporter): void {
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) unknownKey([...path, key], key, reporter);
    return;
  }
  const given = valueAt(plain, path);
  const label = labelOf(path);
  if (issue.code === 'invalid_key') {
    const [what = '', write = ''] = (issue.issues[0]?.message ?? '').split('\n');
    reporter.key(path, `${label} ${what}`, write);
    return;
  }
  const [what = '', write = ''] = issue.message.split('\n');
  if (given === undefined && path.length > 0) {
    reporter.value(path, `${label} is missing`, write === '' ? `add \`${String(path.at(-1))}:\`` : write);
    return;
  }
  const said = write === '' ? 'cannot be this' : what;
  if (path.length === 0) reporter.value(path, `the file ${said}`, write);
  // `password:hunter2`, its space forgotten, is no map but a text.
  else if (mayHoldSecret(given, path)) reporter.key(path, `${label} ${said}`, write);
  else reporter.value(path, `${label} ${said}${shown(given, path)}`, write);
}

function mayHoldSecret(given: unknown, path: Path): boolean {
  const known = keysAt(path);
  return (
    known.includes('password') ||
    known.includes('token') ||
    (typeof given === 'string' && /pass|token|secret/i.test(given))
  );
}

function unknownKey(path: Path, key: string, reporter: Reporter): void {
  const known = keysAt(path.slice(0, -1));
  // No more than a word: behind it may stand a value, its space forgotten.
  const word = /^[\w.-]{0,40}/.exec(key)?.[0] ?? '';
  const near = known.find((each) => letters(each) === letters(word)) ?? nearestWord(word, known);
  const where = path.length === 1 ? '' : ` in ${labelOf(path.slice(0, -1))}`;
  const fix = near === null ? `the keys here are ${known.join(', ')}` : `did you mean \`${near}\`?`;
  reporter.key(path, `unknown key '${word}'${where}`, fix);
}

/** `prot` has the letters of `port`. */
function letters(word: string): string {
  return [...word.toLowerCase().replaceAll('-', '_')].sort().join('');
}

/** `hosts.a.address`, `hooks[0].run`. */
export function labelOf(path: Path): string {
  let label = '';
  for (const step of path) label += typeof step === 'number' ? `[${step}]` : label === '' ? step : `.${step}`;
  return label.replace(/[^\x20-\x7e]/g, '?');
}

function valueAt(plain: unknown, path: Path): unknown {
  let at = plain;
  for (const step of path) at = isContainer(at) && Object.hasOwn(at, step) ? at[step] : undefined;
  return at;
}

interface Removal {
  readonly parent: Record<string | number, unknown>;
  readonly key: string | number;
}

/** The value itself, or, of a list or when there is none, what it stands in; null when that is the file. */
function nearestRemovable(plain: unknown, path: Path): Removal | null {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = valueAt(plain, path.slice(0, length - 1));
    const key = path[length - 1];
    if (key !== undefined && isRecord(parent) && Object.hasOwn(parent, key)) return { parent, key };
  }
  return null;
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (!isRecord(value)) return value;
  const twin = Object.create(null) as Record<string, unknown>;
  for (const key of Object.keys(value)) twin[key] = copy(value[key]);
  return twin;
}

function isRecord(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isContainer(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null;
}
