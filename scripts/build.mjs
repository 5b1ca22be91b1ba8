#!/usr/bin/env node
/** Builds dist/ from src/, unless it is built already: `npm run build`, and a step of set-up. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { run } from './run.mjs';
import { SetupError, step } from './say.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const stamp = join(dist, '.built-from');

/** Builds when the sources are not those of the last build. @throws {SetupError} with the compiler's messages. */
export function buildIfStale() {
  const sources = hashSources();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;
  step('building', () => {
    rmSync(dist, { recursive: true, force: true });
    const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
    const built = run(process.execPath, [compiler, '-p', 'tsconfig.build.json'], { cwd: root });
    if (!built.ok) throw new SetupError(`the build failed:\n${built.trouble}`);
    writeFileSync(stamp, sources);
  });
}

/** By content, since a copied or switched checkout has times that say nothing. */
function hashSources() {
  const hash = createHash('sha256');
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .sort();
  const configs = ['tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  for (const path of [...configs, ...sources.map((each) => join('src', each))]) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  }
  return hash.digest('hex');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    buildIfStale();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
