import { findPeer as find } from '../../scripts/peers.mjs';

/** The programs of others that tests and benchmarks use; see the table in scripts/peers.mjs. */
export type PeerName =
  | 'redis-server'
  | 'redis-sentinel'
  | 'redis-cli'
  | 'redis-benchmark'
  | 'valkey-server'
  | 'valkey-sentinel'
  | 'keepalived'
  | 'nft'
  | 'ping'
  | 'tcpdump'
  | 'nutcracker'
  | 'memcached'
  | 'memcstat'
  | 'php8.2'
  | 'python3-redis';

/** How to start a peer. */
export interface Peer {
  readonly path: string;
  /** To be put before the caller's own arguments. */
  readonly before?: readonly string[];
  /** To be added after the caller's own arguments. */
  readonly args: readonly string[];
  /** To be added to the environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** A peer, or a sentence that says why it is not there. */
export type PeerSearch = Peer | { readonly path: null; readonly reason: string };

/** Looks on PATH, in the sbin folders and in the checkout's cache. `redis-sentinel` may be redis-server with a flag. */
export function findPeer(name: PeerName): PeerSearch {
  return find(name);
}

/** A peer that the caller cannot do without. @throws {Error} with the reason. */
export function requirePeer(name: PeerName): Peer {
  const found = findPeer(name);
  if (found.path === null) throw new Error(found.reason);
  return found;
}
