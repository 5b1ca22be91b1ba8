import { posix } from 'node:path';
import { type Code, lineAt, readCode } from './source-text.js';

/** One mention of another module. */
export interface Import {
  /** As written, e.g. `../base/prng.js`. */
  readonly specifier: string;
  /** The file within the tree that it names, with its .ts name; null for packages and Node's own modules. */
  readonly target: string | null;
  /** Gone after compilation: it cannot make a cycle at run time. */
  readonly typeOnly: boolean;
  /** `export … from`. */
  readonly reExport: boolean;
  /** Loaded while the program runs: `import('…')`, or a worker's `new URL('…', import.meta.url)`. */
  readonly late: boolean;
  readonly line: number;
}

/** A source file as the rules see it. */
export interface SourceFile extends Code {
  /** From the root of the checkout, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Reads a source. */
export function sourceFile(path: string, text: string): SourceFile {
  const code = readCode(text);
  return { path, text, ...code, imports: importsOf(path, text, code.bare) };
}

const forms: readonly { readonly pattern: RegExp; readonly late: boolean }[] = [
  { pattern: /\b(import|export)\s(?:[^'";()=]*?\s)?from\s*(?=['"])/g, late: false },
  { pattern: /\b(import)\s*(?=['"])/g, late: false },
  { pattern: /\b(import)\s*\(\s*(?=['"])/g, late: true },
  { pattern: /\bnew\s+(URL)\(\s*(?=['"][^'"]*['"],\s*import\.meta\.url)/g, late: true },
];

/** Keywords are looked for in bare code, so that a string that looks like an import is none. */
function importsOf(path: string, text: string, bare: string): Import[] {
  const found: Import[] = [];
  for (const { pattern, late } of forms) {
    for (const match of bare.matchAll(pattern)) {
      const quoteAt = match.index + match[0].length;
      const end = text.indexOf(text[quoteAt] ?? '', quoteAt + 1);
      const specifier = text.slice(quoteAt + 1, end);
      found.push({
        specifier,
        target: resolve(path, specifier),
        typeOnly: /^(import|export)\s+type\b/.test(match[0]),
        reExport: match[1] === 'export',
        late,
        line: lineAt(text, match.index),
      });
    }
  }
  return found.sort((a, b) => a.line - b.line);
}

function resolve(from: string, specifier: string): string | null {
  if (!specifier.startsWith('.')) return null;
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
}
