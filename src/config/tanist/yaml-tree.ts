/**
 * YAML text as plain values that remember where they were written. Anchors, aliases and merge keys (`<<`) are followed
 * within bounds, so that no small file grows into a large one.
 */
import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  visit,
} from 'yaml';
import type { ProblemList } from '../config-error.js';
import { yamlFault } from './yaml-faults.js';

/** A configuration is small; more than this is a mistake, or an attempt. */
const TEXT_MAX = 1_000_000;
const NODES_MAX = 20_000;
const DEPTH_MAX = 32;

export type Path = readonly (string | number)[];

/** Where a piece of text stands: 1-based, in characters. */
export interface Spot {
  readonly line: number;
  readonly column: number;
  /** Offsets in the text. */
  readonly start: number;
  readonly end: number;
}

/** A value with its place. */
export interface Branch {
  readonly value: Spot;
  /** Of the key that it stands behind; null for list elements and the whole file. */
  readonly key: Spot | null;
  readonly scalar: boolean;
  readonly children: ReadonlyMap<string | number, Branch>;
}

export interface YamlTree {
  readonly text: string;
  /** Objects without a prototype, arrays, strings, numbers, booleans, null. */
  readonly plain: unknown;
  readonly root: Branch;
}

/** What stands at a path, or null. */
export function branchAt(tree: YamlTree, path: Path): Branch | null {
  let at: Branch | undefined = tree.root;
  for (const step of path) at = at?.children.get(step);
  return at ?? null;
}

/**
 * Reads one YAML document. What is wrong with it as YAML goes to `problems`, in words that never repeat the text: a
 * password may stand anywhere in a file that cannot be read.
 * @returns null when it cannot be used at all.
 */
export function readYamlTree(text: string, file: string, problems: ProblemList): YamlTree | null {
  const say = (line: number, column: number, message: string, fix: string): void =>
    problems.add({ file, line, column, word: '', message, fix, source: '' });
  if (text.length > TEXT_MAX) {
    say(0, 0, `the file has ${text.length} characters, more than ${TEXT_MAX}`, 'name the right file');
    return null;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent', merge: false });
  const faults = [...document.errors, ...document.warnings];
  for (const fault of faults) {
    const { line, col } = lines.linePos(fault.pos[0]);
    const { message, fix } = yamlFault(fault.code);
    say(line, col, message, fix);
  }
  if (faults.length > 0) return null;
  const walk = new Walk(document, lines, say);
  const found = walk.read(document.contents, null, 0);
  return { text, plain: found.plain, root: found.branch };
}

interface Found {
  readonly plain: unknown;
  readonly branch: Branch;
}

const NOWHERE: Spot = { line: 1, column: 1, start: 0, end: 0 };

class Walk {
  readonly #lines: LineCounter;
  readonly #say: (line: number, column: number, message: string, fix: string) => void;
  readonly #targets: ReadonlyMap<Alias, unknown>;
  #nodes = 0;
  #full = false;

  constructor(
    document: Document.Parsed<ParsedNode>,
    lines: LineCounter,
    say: (line: number, column: number, message: string, fix: string) => void,
  ) {
    this.#targets = aliasTargets(document);
    this.#lines = lines;
    this.#say = say;
  }

  read(node: unknown, key: Spot | null, depth: number): Found {
    const target = isAlias(node) ? this.#targets.get(node) : node;
    const spot = this.#spot(target ?? node, key);
    if (isAlias(node) && target === undefined) {
      const { message, fix } = yamlFault('BAD_ALIAS');
      this.#say(spot.line, spot.column, message, fix);
    }
    if (this.#tooMuch(spot, depth)) return leaf(null, spot, key);
    if (isMap(target)) return this.#map(target.items, spot, key, depth);
    if (isSeq(target)) {
      const children = new Map<number, Branch>();
      const plain = target.items.map((item, index) => {
        const found = this.read(item, null, depth + 1);
        children.set(index, found.branch);
        return found.plain;
      });
      return { plain, branch: { value: spot, key, scalar: false, children } };
    }
    const value = isScalar(target) ? target.value : null;
    return leaf(typeof value === 'bigint' ? Number(value) : value, spot, key);
  }

  #map(items: readonly { key: unknown; value: unknown }[], value: Spot, key: Spot | null, depth: number): Found {
    const plain: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    const children = new Map<string, Branch>();
    const take = (name: string, found: Found): void => {
      if (children.has(name)) return;
      plain[name] = found.plain;
      children.set(name, found.branch);
    };
    const merged: unknown[] = [];
    for (const item of items) {
      const spot = this.#spot(item.key, null);
      const name = isScalar(item.key) ? (item.key.source ?? String(item.key.value)) : null;
      if (name === null) this.#say(spot.line, spot.column, 'a key must be one word', 'write `key: value`');
      else if (name === '__proto__') this.#say(spot.line, spot.column, 'a key cannot be called __proto__', 'rename it');
      else if (name === '<<') merged.push(item.value);
      else take(name, this.read(item.value, spot, depth + 1));
    }
    // What stands in the map itself wins over what is merged into it, and the first merged map over the next.
    for (const source of merged) this.#merge(source, take, depth);
    return { plain, branch: { value, key, scalar: false, children } };
  }

  #merge(source: unknown, take: (name: string, found: Found) => void, depth: number): void {
    const found = this.read(source, null, depth + 1);
    const maps = Array.isArray(found.plain) ? [...found.branch.children.values()] : [found.branch];
    const plains: unknown[] = Array.isArray(found.plain) ? found.plain : [found.plain];
    for (const [index, branch] of maps.entries()) {
      const plain = plains[index];
      if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
        if (!this.#full)
          this.#say(branch.value.line, branch.value.column, '`<<` merges maps only', 'write `<<: *name`');
        continue;
      }
      for (const [name, child] of branch.children) {
        take(String(name), { plain: (plain as Record<string, unknown>)[String(name)], branch: child });
      }
    }
  }

  #tooMuch(spot: Spot, depth: number): boolean {
    this.#nodes += 1;
    if (this.#nodes <= NODES_MAX && depth <= DEPTH_MAX) return this.#full;
    if (!this.#full) {
      const what = depth > DEPTH_MAX ? `more than ${DEPTH_MAX} levels deep` : `more than ${NODES_MAX} values`;
      this.#say(
        spot.line,
        spot.column,
        `with its aliases followed, the file is ${what}`,
        'write it out, in fewer levels',
      );
    }
    this.#full = true;
    return true;
  }

  #spot(node: unknown, fallback: Spot | null): Spot {
    const range = (node as Node | null | undefined)?.range;
    if (range === null || range === undefined) return fallback ?? NOWHERE;
    const { line, col } = this.#lines.linePos(range[0]);
    return { line: Math.max(1, line), column: Math.max(1, col), start: range[0], end: range[1] };
  }
}

function leaf(plain: unknown, value: Spot, key: Spot | null): Found {
  return { plain, branch: { value, key, scalar: true, children: new Map() } };
}

/** What each alias stands for: the nearest anchor of its name before it. One pass; the library searches for each anew. */
function aliasTargets(document: Document.Parsed<ParsedNode>): ReadonlyMap<Alias, unknown> {
  const anchors = new Map<string, unknown>();
  const targets = new Map<Alias, unknown>();
  visit(document, {
    Value: (_key, node) => {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
    Alias: (_key, node) => {
      targets.set(node, anchors.get(node.source));
    },
  });
  return targets;
}
