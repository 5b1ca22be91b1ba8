/** What the keeper reads of its Redis's INFO. */
import { countKeys, type InfoReplica, readServerInfo } from '../../redis/info.js';
import type { Place } from './io.js';

/** INFO of our Redis; `askedAt` is when the request left, so nothing told here is older. */
export interface OwnInfo {
  readonly askedAt: number;
  /** How many orders that change a role had been given by then. */
  readonly orders: number;
  readonly runId: string;
  readonly version: string;
  readonly role: 'master' | 'replica';
  readonly loading: boolean;
  /** Whom it follows; null for a master. */
  readonly follows: Place | null;
  readonly linkUp: boolean;
  readonly syncing: boolean;
  readonly replId: string;
  readonly replId2: string;
  readonly secondOffset: number;
  readonly offset: number;
  /** Of all databases. */
  readonly keys: number;
  readonly replicas: readonly InfoReplica[];
}

/** @returns null when it tells no role: not an INFO to decide by. */
export function readOwnInfo(text: string, askedAt: number, orders: number): OwnInfo | null {
  const info = readServerInfo(text);
  if (info.role === null) return null;
  const { masterHost, masterPort } = info;
  return {
    askedAt,
    orders,
    runId: info.runId ?? '',
    version: info.version ?? '',
    role: info.role,
    loading: info.loading,
    follows: masterHost === null || masterPort === null ? null : { host: masterHost, port: masterPort },
    linkUp: info.masterLinkUp === true,
    syncing: info.masterSyncInProgress === true,
    replId: info.masterReplId ?? '',
    replId2: info.masterReplId2 ?? '',
    secondOffset: info.secondReplOffset ?? -1,
    offset: info.masterReplOffset ?? 0,
    keys: countKeys(text),
    replicas: info.replicas,
  };
}
