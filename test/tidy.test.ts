/** Lint as a test: the floors, the purity of cores, and the house's other rules, on the whole tree. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as rules from './tidy/rules.js';
import { type SourceFile, sourceFile } from './tidy/source-file.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const notOurs = new Set(['.git', 'node_modules', 'dist', '.cache', 'coverage']);
const binary = /\.(png|ico|woff2|gz|zip|pcap)$/;

function walk(folder: string): string[] {
  return readdirSync(join(root, folder)).flatMap((name) => {
    if (notOurs.has(name)) return [];
    const path = folder === '' ? name : `${folder}/${name}`;
    const stats = statSync(join(root, path), { throwIfNoEntry: false });
    if (stats === undefined) return [];
    return stats.isDirectory() ? walk(path) : [path];
  });
}

const paths = walk('');
const texts = new Map(
  paths.filter((path) => !binary.test(path)).map((path) => [path, readFileSync(join(root, path), 'utf8')]),
);
const sources = [...texts].filter(([path]) => /\.(ts|mjs)$/.test(path)).map(([path, text]) => sourceFile(path, text));
const product = sources.filter((file) => rules.isProduct(file.path));

/** The lines that a hunk of a patch expects to find. */
function beforeOf(hunk: string): string {
  const lines = hunk.split('\n').filter((line) => /^[ -]/.test(line));
  return lines.map((line) => line.slice(1)).join('\n');
}

function expectTidy(rule: (file: SourceFile) => string[]): void {
  expect(sources.flatMap(rule)).toEqual([]);
}

describe('the tree', () => {
  it('is found', () => {
    expect(product.length).toBeGreaterThan(5);
    expect(product.filter((file) => rules.isCore(file.path)).length).toBeGreaterThan(3);
  });

  it('keeps clocks, chance, timers and I/O out of cores', () => expectTidy(rules.impurities));
  it('keeps them out of what cores load', () => expect(rules.impureReach(product)).toEqual([]));
  it('keeps to its floors', () => expectTidy(rules.floorFaults));
  it('has no import cycle', () => expect(rules.importCycles(product)).toEqual([]));
  it('has no barrels', () => expectTidy(rules.barrels));
  it('has no file of more than one subject', () => expectTidy(rules.oversized));
  it('has no dead file', () => expect(rules.deadFiles(sources)).toEqual([]));
  it('has kebab-case names', () => expect(sources.flatMap((file) => rules.misnamed(file.path))).toEqual([]));
  it('leaves no test out in silence', () => expectTidy(rules.silentSkips));
  it('has no work left over in comments', () => expectTidy(rules.leftovers));
  it('says what each core is for', () => expectTidy(rules.undocumentedCores));
});

describe('each planted fault', () => {
  const patches = [...texts].filter(([path]) => path.endsWith('.patch'));

  it('fits the code of today', () => {
    expect(patches.length).toBeGreaterThan(10);
    const stale = patches.flatMap(([path, patch]) => {
      const target = texts.get(/^\+\+\+ b\/(.*)$/m.exec(patch)?.[1] ?? '') ?? '';
      const hunks = patch.split(/^@@.*$/m).slice(1);
      return hunks.every((hunk) => target.includes(beforeOf(hunk))) ? [] : [path];
    });
    expect(stale).toEqual([]);
  });
});

describe('the lockfile', () => {
  it('names no registry', () => {
    const lock = texts.get('package-lock.json') ?? '';
    expect(lock).toContain('"integrity"');
    expect(lock).not.toMatch(/"resolved"|\.tgz/);
  });
});

describe('every text', () => {
  const found = (pattern: RegExp) => [...texts].filter(([, text]) => pattern.test(text)).map(([path]) => path);

  it('is free of registry hosts', () => {
    expect(found(/\bregistry\.[a-z0-9-]+\.[a-z]{2,}\b/)).toEqual([]);
  });

  it("is free of this machine's paths", () => {
    const here = [root, homedir()].filter((path) => path.split('/').filter(Boolean).length >= 1 && path !== '/');
    const escaped = here.map((path) => path.replace(/\/$/, '').replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    expect(found(new RegExp(`(${escaped.join('|')})/`))).toEqual([]);
  });
});
