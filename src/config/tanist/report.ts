/** Problems of a tanist.yml, put to the place of the key or value that they are about. */
import type { ProblemList } from '../config-error.js';
import { type Branch, branchAt, type Path, type Spot, type YamlTree } from './yaml-tree.js';

/** Keys whose value, or anything below it, may be or hold a secret: nothing of it is ever shown. */
const SECRET_KEYS: ReadonlySet<string | number> = new Set(['password', 'token', 'users', 'post', 'run']);

export class Reporter {
  /** Paths that something was said about: what rests on them is not checked further. */
  readonly #said: Path[] = [];

  readonly #problems: ProblemList;

  constructor(
    readonly tree: YamlTree,
    readonly file: string,
    problems: ProblemList,
  ) {
    this.#problems = problems;
  }

  get count(): number {
    return this.#problems.count;
  }

  /** Says what is wrong with the value at `path`; of a map or list, its key is marked. */
  value(path: Path, message: string, fix: string): void {
    const { branch, exact } = this.#nearest(path);
    const spot = exact && branch.scalar ? branch.value : (branch.key ?? branch.value);
    this.#add(path, spot, message, fix, exact && branch.scalar ? branch : null);
  }

  /** Says what is wrong with the key that `path` ends with. */
  key(path: Path, message: string, fix: string): void {
    const { branch } = this.#nearest(path);
    this.#add(path, branch.key ?? branch.value, message, fix, null);
  }

  /** Whether anything was said about `path`, what is above it, or what is below it. */
  touched(...path: Path): boolean {
    return this.#said.some((said) => path.every((step, i) => said[i] === step || i >= said.length));
  }

  /** Whether something is written at `path`. */
  has(path: Path): boolean {
    return branchAt(this.tree, path) !== null;
  }

  /** The entries of a map as they stand in the file: JavaScript puts keys that are numbers first. */
  entries<T>(path: Path, map: Readonly<Record<string, T>>): [string, T][] {
    const order = [...(branchAt(this.tree, path)?.children.keys() ?? [])];
    return Object.entries(map).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));
  }

  #nearest(path: Path): { branch: Branch; exact: boolean } {
    for (let length = path.length; length >= 0; length -= 1) {
      const branch = branchAt(this.tree, path.slice(0, length));
      if (branch !== null) return { branch, exact: length === path.length };
    }
    return { branch: this.tree.root, exact: false };
  }

  #add(path: Path, spot: Spot, message: string, fix: string, shown: Branch | null): void {
    this.#said.push(path);
    const source = shown === null || isSecret(path) ? '' : this.#loneLine(shown);
    const word = source === '' ? '' : this.tree.text.slice(spot.start, spot.end);
    this.#problems.add({ file: this.file, line: spot.line, column: spot.column, word, message, fix, source });
  }

  /** The line up to the end of the value, if nothing else stands on it: another value there might be a secret. */
  #loneLine({ key, value }: Branch): string {
    const { text } = this.tree;
    const start = text.lastIndexOf('\n', value.start - 1) + 1;
    if (key === null || key.line !== value.line) return '';
    const before = text.slice(start, key.start);
    const line = text.slice(start, value.end);
    return /^[\s-]*$/.test(before) && !line.includes('\n') ? line : '';
  }
}

export function isSecret(path: Path): boolean {
  return path.some((step) => SECRET_KEYS.has(step));
}

/** A value as a message shows it: in quotes, never long; nothing of a secret. */
export function shown(value: unknown, path: Path): string {
  if (isSecret(path)) return '';
  if (value === null || value === undefined) return '; it has no value';
  if (Array.isArray(value)) return '; it is a list';
  if (typeof value === 'object') return '; it is a map';
  const text = String(value).replace(/[^\x20-\x7e]/g, '?');
  return `; it is '${text.length > 60 ? `${text.slice(0, 57)}...` : text}'`;
}
