/** Starts a kept Redis, gives it a key, prints where it is, and waits to be killed: run by tests as a process of its own. */
import { Cleanup } from './cleanup.js';
import { keep } from './keeper.js';

const [, , stateDirectory = '', directory = ''] = process.argv;
const kept = await keep(new Cleanup(), { stateDirectory, directory });
const pid = await kept.start();
await kept.ask('REPLICAOF', 'NO', 'ONE');
await kept.cli('SET', 'key', 'kept');
console.log(JSON.stringify({ port: kept.port, pid }));
setInterval(() => {}, 60_000);
