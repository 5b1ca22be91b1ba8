import { spawnSync } from 'node:child_process';
import type { TestContext } from 'vitest';
import { findPeer, type Peer, type PeerName } from './peers.js';

/** Leaves the test out. The run says so at its end, with this reason. */
export function leaveOut(context: TestContext, reason: string): never {
  return context.skip(reason);
}

/** The peer; without it, the test is left out. Use it in the test or in a `beforeEach`. */
export function needs(context: TestContext, name: PeerName): Peer {
  const found = findPeer(name);
  return found.path === null ? leaveOut(context, found.reason) : found;
}

/** Network namespaces, raw sockets, addresses: without the right to them, the test is left out. */
export function needsNetworkNamespaces(context: TestContext): void {
  const { status, stderr, error } = spawnSync('unshare', ['--net', 'true'], { encoding: 'utf8' });
  if (status === 0) return;
  leaveOut(context, `network namespaces need root: ${(error?.message ?? stderr).trim()}`);
}
