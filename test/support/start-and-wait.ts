/** Starts a Redis, prints where, and waits to be killed: run by support.test.ts as a process of its own. */
import { Cleanup } from './cleanup.js';
import { startRedis } from './redis-server.js';

const redis = await startRedis(new Cleanup());
console.log(JSON.stringify({ port: redis.port, dir: redis.dir }));
setInterval(() => {}, 60_000);
