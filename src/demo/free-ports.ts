/** TCP ports for servers that are about to be started. */
import { createServer, type Server } from 'node:net';
import { DemoError } from './demo-error.js';

const HOST = '127.0.0.1';

/**
 * Below the range that Linux takes ports for outgoing connections from: a port there, free now, could be taken by one of
 * the many connections between the servers before the last of them has started.
 */
const PORT_RANGE = { from: 20_000, to: 32_000 } as const;
const PORT_TRIES_MAX = 100;

/** Ports that are free now on each of the hosts: all are held until the last is found, so that none is given twice. */
export async function freePorts(count: number, ...hosts: readonly string[]): Promise<number[]> {
  const held: { port: number; holders: Server[] }[] = [];
  const wanted = hosts.length === 0 ? [HOST] : hosts;
  for (let tries = 0; held.length < count; tries++) {
    if (tries === 2 * count + PORT_TRIES_MAX)
      throw new DemoError(`${count} free ports could not be found on ${wanted.join(', ')}`);
    const port = PORT_RANGE.from + Math.floor(Math.random() * (PORT_RANGE.to - PORT_RANGE.from));
    const holders = await Promise.all(wanted.map((host) => hold(port, host)));
    const found = holders.filter((holder) => holder !== null);
    if (found.length === wanted.length && held.every((each) => each.port !== port)) held.push({ port, holders: found });
    else await release(found);
  }
  await release(held.flatMap(({ holders }) => holders));
  return held.map(({ port }) => port);
}

function hold(port: number, host: string): Promise<Server | null> {
  const holder = createServer();
  return new Promise((resolve) => {
    holder.once('error', () => resolve(null));
    holder.listen(port, host, () => resolve(holder));
  });
}

async function release(holders: readonly Server[]): Promise<void> {
  await Promise.all(holders.map((holder) => new Promise((resolve) => holder.close(resolve))));
}
