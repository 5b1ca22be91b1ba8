/** File name patterns of `include`: `*`, `?`, `[a-z]` and nested braces, as glob(7) has them. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A pattern may not expand to more than this, so that nested braces cannot exhaust memory. */
const MAX_BRANCHES = 1000;

/** The existing paths that `pattern` names, relative to `directory`, in order. Missing ones are left out. */
export function glob(pattern: string, directory: string): string[] {
  return expandBraces(pattern).flatMap((branch) => globOne(resolve(directory, branch)));
}

export function hasWildcard(pattern: string): boolean {
  return /[*?[{]/.test(pattern);
}

function expandBraces(pattern: string): string[] {
  const open = pattern.indexOf('{');
  if (open === -1) return [pattern];
  let depth = 0;
  const cuts = [open];
  for (let i = open; i < pattern.length; i++) {
    if (pattern[i] === '{') depth++;
    if (pattern[i] === ',' && depth === 1) cuts.push(i);
    if (pattern[i] !== '}' || --depth > 0) continue;
    cuts.push(i);
    const branches: string[] = [];
    for (let c = 0; c + 1 < cuts.length; c++) {
      const middle = pattern.slice((cuts[c] ?? 0) + 1, cuts[c + 1]);
      branches.push(...expandBraces(pattern.slice(0, open) + middle + pattern.slice(i + 1)));
    }
    return branches.slice(0, MAX_BRANCHES);
  }
  return [pattern];
}

function globOne(path: string): string[] {
  let found = ['/'];
  for (const part of path.split('/').filter((p) => p !== '')) {
    if (!/[*?[]/.test(part)) {
      found = found.map((dir) => join(dir, part));
      continue;
    }
    const matcher = partMatcher(part);
    found = found.flatMap((dir) =>
      entries(dir)
        .filter((name) => matcher.test(name) && (part.startsWith('.') || !name.startsWith('.')))
        .map((name) => join(dir, name)),
    );
  }
  return found.filter((file) => existsSync(file));
}

function partMatcher(part: string): RegExp {
  const source = part.replace(/\[!?[^\]]+\]|[\s\S]/g, (piece) => {
    if (piece === '*') return '.*';
    if (piece === '?') return '.';
    if (piece.length > 1) return piece.replace(/^\[!/, '[^').replaceAll('\\', '\\\\');
    return piece.replace(/[\\^$.|+(){}[\]]/, '\\$&');
  });
  return new RegExp(`^${source}$`);
}

function entries(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}
