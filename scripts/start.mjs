#!/usr/bin/env node
/** `npm start`: set-up, then the demo in this same process, so that keys and signals reach it directly. */
import { fileURLToPath } from 'node:url';
import { findPeer } from './peers.mjs';
import { SetupError } from './say.mjs';
import { setUp } from './setup.mjs';

try {
  setUp([]);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`set-up: ${error.message}`);
  process.exit(1);
}
const redis = findPeer('redis-server');
if (redis.path === null) throw new Error(`set-up has found a Redis that is there no more: ${redis.reason}`);
const program = new URL('../bin/tanist', import.meta.url);
// Perhaps Valkey, perhaps the one in the cache; who names another one after it, gets that.
const args = ['demo', '--redis-server', redis.path, ...process.argv.slice(2)];
process.argv = [process.execPath, fileURLToPath(program), ...args];
await import(program.href);
