import type { Program } from '../src/demo/nodes.js';
import { type PeerName, requirePeer } from '../test/support/peers.js';

/** A peer as the demo's servers are started. @throws {Error} when it is not here: `node scripts/setup.mjs --peers` */
export function peerProgram(name: PeerName): Program {
  const { path, args } = requirePeer(name);
  return { command: path, after: args };
}
