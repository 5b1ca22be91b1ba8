#!/usr/bin/env node
/** `npm start`: set-up, then the demo in this same process, so that keys and signals reach it directly. */
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cache } from './peers.mjs';
import { SetupError } from './say.mjs';
import { setUp } from './setup.mjs';

try {
  setUp([]);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`set-up: ${error.message}`);
  process.exit(1);
}
const program = new URL('../bin/tanist', import.meta.url);
process.argv = [process.execPath, fileURLToPath(program), 'demo', ...process.argv.slice(2)];
const folders = [process.env['PATH'] ?? '', cache.bin];
process.env['PATH'] = (process.env['TANIST_PEERS'] === 'cache' ? folders.reverse() : folders).join(delimiter);
await import(program.href);
