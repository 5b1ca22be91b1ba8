/**
 * The house rules that a compiler does not know. Each is a function from sources to complaints; an empty list is a tidy
 * tree. Exceptions are not listed here: the design is changed instead.
 */
import type { SourceFile } from './source-file.js';
import { lineAt } from './source-text.js';

/** `path:line: what is wrong, and what to do`. */
export type Complaint = string;

const lines_max = 500;

/** Cores decide without I/O. Their runners, which stand beside them, are not cores. */
const corePaths = [
  /^src\/base\//,
  /^src\/(.+\/)?core\//,
  /^src\/(.+\/)?core\.ts$/,
  /^src\/proxy\/ring\//,
  /^src\/vrrp\/packet\//,
  /^src\/sentinel\/commands\//,
  /^src\/redis\/info\.ts$/,
  /^src\/demo\/ledger\.ts$/,
  /^src\/.+\.pure\.ts$/,
];

/** The simulator repeats a run to the letter: a clock or a random number of the machine's would spoil it. */
const repeatablePaths = [/^src\/sim\/(?!(?:main|command)\.ts$)/];

/** The floors: what each folder of src may import besides itself. */
export const floors: Readonly<Record<string, readonly string[]>> = {
  base: [],
  redis: ['base'],
  net: ['base'],
  config: ['base'],
  observe: ['base'],
  sentinel: ['redis', 'net', 'config', 'observe', 'base'],
  keeper: ['redis', 'net', 'config', 'observe', 'base'],
  vrrp: ['redis', 'net', 'config', 'observe', 'base'],
  proxy: ['redis', 'net', 'config', 'observe', 'base'],
  agent: ['sentinel', 'keeper', 'vrrp', 'proxy', 'redis', 'net', 'config', 'observe', 'base'],
  // Runs the commands as a user would, from outside.
  demo: ['agent', 'redis', 'base'],
  sim: ['agent', 'sentinel', 'keeper', 'vrrp', 'proxy', 'redis', 'config', 'base'],
  cli: ['demo', 'agent', 'sentinel', 'keeper', 'vrrp', 'proxy', 'redis', 'net', 'config', 'observe', 'base'],
};

/** Started by something other than an import. */
const entryPoints = [
  'src/cli/main.ts',
  'src/sim/main.ts',
  'src/sim/agent/main.ts',
  'src/sim/vrrp/main.ts',
  'src/vrrp/run/router-process.ts',
  'src/demo/guardian.ts',
  'src/proxy/agent/proxy-process.ts',
];

/** A file of the product, not a test of it. */
export function isProduct(path: string): boolean {
  return path.startsWith('src/') && !path.endsWith('.test.ts');
}

/** A file that must decide without I/O. */
export function isCore(path: string): boolean {
  return isProduct(path) && corePaths.some((pattern) => pattern.test(path));
}

const clockOrChance: readonly [RegExp, string][] = [
  [/(?<![.\w#])Date\b/g, 'Date: take `now` (monotonic ms) as an argument'],
  [/(?<![.\w#])performance\s*\./g, 'performance: take `now` (monotonic ms) as an argument'],
  [/\bMath\s*\.\s*random\b/g, 'Math.random: take a Prng'],
  [/(?<![.\w#])crypto\s*\./g, 'crypto: take random bytes from the runner'],
  [/(?<![.\w#])set(Timeout|Interval|Immediate)\b/g, 'timers: say when with nextDeadline()'],
  [/(?<![.\w#])queueMicrotask\b/g, 'queueMicrotask: return an effect'],
];

const outsideWorld: readonly [RegExp, string][] = [
  [/(?<![.\w#])process\s*\./g, 'process: the runner passes in what is needed'],
  [/(?<![.\w#])globalThis\b/g, 'globalThis: the runner passes in what is needed'],
  [/(?<![.\w#])console\s*\./g, 'console: return an event as an effect'],
  [/(?<![.\w#])Buffer\b/g, 'Buffer: use Uint8Array'],
  [/(?<![.\w#])fetch\s*\(/g, 'fetch: return an effect'],
];

/** No clock, chance, timer or I/O in a core; no clock or chance in the simulator. */
export function impurities(file: SourceFile): Complaint[] {
  if (isCore(file.path)) return impuritiesOf(file, 'a core');
  const repeatable = isProduct(file.path) && repeatablePaths.some((pattern) => pattern.test(file.path));
  return repeatable ? banned(file, clockOrChance, 'the simulator') : [];
}

function impuritiesOf(file: SourceFile, who: string): Complaint[] {
  const modules = file.imports.filter(({ target }) => target === null);
  return [
    ...modules.map(({ specifier, line }) => `${file.path}:${line}: ${who} imports ${specifier}`),
    ...banned(file, [...clockOrChance, ...outsideWorld], who),
  ];
}

function banned(file: SourceFile, words: readonly [RegExp, string][], who: string): Complaint[] {
  return words.flatMap(([pattern, what]) =>
    [...file.bare.matchAll(pattern)].map(
      (match) => `${file.path}:${lineAt(file.text, match.index)}: ${who} uses ${what}`,
    ),
  );
}

/** What a core loads by way of its imports is as pure as itself. Types are erased and do not count. */
export function impureReach(files: readonly SourceFile[]): Complaint[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set(files.map((file) => file.path).filter(isCore));
  const complaints: Complaint[] = [];
  for (const path of reached) {
    const file = byPath.get(path);
    if (file === undefined) continue;
    for (const { target, typeOnly } of file.imports) if (target !== null && !typeOnly) reached.add(target);
    if (!isCore(path)) complaints.push(...impuritiesOf(file, 'this is loaded by a core and'));
  }
  return complaints;
}

/** Imports go down the floors, and nothing in the product imports what is none. */
export function floorFaults(file: SourceFile): Complaint[] {
  if (!isProduct(file.path)) return [];
  const own = folderOf(file.path);
  const allowed = floors[own];
  if (allowed === undefined) return [`${file.path}:1: src/${own} is on no floor: see test/tidy/rules.ts`];
  return file.imports.flatMap((each): Complaint[] => {
    // Packages, and files that are data: package.json, the command itself.
    if (each.target === null || !each.target.endsWith('.ts')) return [];
    const where = `${file.path}:${each.line}:`;
    if (!isProduct(each.target)) return [`${where} imports ${each.target}, which is no part of the product`];
    const other = folderOf(each.target);
    return other === own || allowed.includes(other) ? [] : [`${where} ${own} must not import ${other}`];
  });
}

function folderOf(path: string): string {
  return path.split('/')[1] ?? '';
}

/** Files that need each other to load. Types are erased and do not count; nor does what is loaded late. */
export function importCycles(files: readonly SourceFile[]): Complaint[] {
  const graph = new Map(files.map((file) => [file.path, file.imports.filter((each) => !each.typeOnly && !each.late)]));
  const done = new Set<string>();
  const complaints: Complaint[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    const seen = trail.indexOf(path);
    if (seen !== -1) {
      complaints.push(`${path}:1: an import cycle: ${[...trail.slice(seen), path].join(' -> ')}`);
      return;
    }
    if (done.has(path)) return;
    for (const { target } of graph.get(path) ?? []) if (target !== null) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of graph.keys()) visit(path, []);
  return complaints;
}

/** A file that only passes others on hides where things are. */
export function barrels(file: SourceFile): Complaint[] {
  if (!isProduct(file.path)) return [];
  const stars = [...file.bare.matchAll(/\bexport\s*\*/g)];
  if (stars.length > 0) return stars.map((star) => `${file.path}:${lineAt(file.text, star.index)}: export *: name it`);
  const rest = file.bare.replace(/\b(import|export)\s[^;]*?from\s*['"]\s*['"]\s*;?/g, '').trim();
  const passesOn = file.imports.some((each) => each.reExport);
  return passesOn && rest === '' ? [`${file.path}:1: only re-exports: import from where things are`] : [];
}

/** A file has one subject. */
export function oversized(file: SourceFile): Complaint[] {
  const lines = file.text.trimEnd().split('\n').length;
  const tooLong = isProduct(file.path) && lines > lines_max;
  return tooLong ? [`${file.path}:${lines_max}: ${lines} lines; at most ${lines_max}: split it by subject`] : [];
}

/** kebab-case, with `.test`, `.pure` and the like before the extension. */
export function misnamed(path: string): Complaint[] {
  const folders = path.split('/');
  const name = folders.pop() ?? '';
  const kebab = /^\.?[a-z0-9]+(-[a-z0-9]+)*$/;
  const file = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*\.(ts|mts|mjs|js)$/;
  return file.test(name) && folders.every((each) => kebab.test(each)) ? [] : [`${path}:1: not in kebab-case`];
}

/** Tests run, or say why not when they are left out. */
export function silentSkips(file: SourceFile): Complaint[] {
  const modifier = /\b(?:it|test|describe|suite|bench)\s*\.\s*(?:\w+\s*\.\s*)*(only|skip|todo|fails|skipIf|runIf)\b/g;
  const bareSkip = /\.\s*skip\s*\(\s*\)/g;
  const at = (match: RegExpMatchArray) => `${file.path}:${lineAt(file.text, match.index ?? 0)}:`;
  return [
    ...[...file.bare.matchAll(modifier)].map((match) => `${at(match)} .${match[1]}: use needs() or leaveOut(reason)`),
    ...[...file.bare.matchAll(bareSkip)].map((match) => `${at(match)} a skip without a reason`),
  ];
}

/** What is not done is not in the tree. */
export function leftovers(file: SourceFile): Complaint[] {
  return [...file.comments.matchAll(/\b(TODO|FIXME|XXX|HACK)\b/g)].map(
    (match) => `${file.path}:${lineAt(file.text, match.index)}: ${match[1]} in a comment: do it, or drop it`,
  );
}

/** Files that nothing in the product reaches; tests and their drivers alone do not keep one alive. */
export function deadFiles(files: readonly SourceFile[]): Complaint[] {
  const users = files.filter((file) => !file.path.startsWith('test/') && !file.path.endsWith('.test.ts'));
  const used = new Set(users.flatMap((file) => file.imports.map((each) => each.target)));
  return files
    .map((file) => file.path)
    .filter((path) => isProduct(path) && !used.has(path) && !entryPoints.includes(path))
    .map((path) => `${path}:1: nobody imports it`);
}

/** The first thing in a core, or the first after its imports, says what it is for. */
export function undocumentedCores(file: SourceFile): Complaint[] {
  if (!isCore(file.path)) return [];
  const imports = /^(?:import\s[^;]*?['"][^'"]*['"];?\s*)*/;
  const body = file.text.replace(imports, '');
  const documented = file.text.startsWith('/**') || body.startsWith('/**');
  return documented ? [] : [`${file.path}:1: a core without a docstring at its head`];
}
