import { type PeerName, requirePeer } from '../test/support/peers.js';
import type { Program } from './trio/servers.js';

/** A peer as the benchmarks start servers. @throws {Error} when it is not here: `node scripts/setup.mjs --peers` */
export function peerProgram(name: PeerName): Program {
  const { path, args } = requirePeer(name);
  return { command: path, after: args };
}
