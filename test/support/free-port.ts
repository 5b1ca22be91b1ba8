import { freePorts } from '../../src/demo/free-ports.js';

export { freePorts };

/** A TCP port that was free a moment ago on the given loopback address. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const [port] = await freePorts(1, host);
  if (port === undefined) throw new Error('no free port');
  return port;
}
