/** What the demo's keys do: cause a fault, wait until the cluster has dealt with it, and account for the writes. */
import { GROUP, type Node, type Servers } from './nodes.js';
import { DeadlineError, until } from './until.js';
import type { Writer } from './writer.js';

const RECOVERY_DEADLINE_MS = 30_000;
const READ_DEADLINE_MS = 5_000;
/** Writes flow again when the last acknowledged one is at most this old. */
const FLOWING_MS = 100;

export type FaultKey = 'k' | 'z' | 's' | 'r';

export const FAULTS: Readonly<Record<FaultKey, string>> = {
  k: 'kill -9 the master',
  z: 'freeze the master',
  s: 'planned switchover',
  r: 'revive what is down',
};

export function isFaultKey(text: string): text is FaultKey {
  return text in FAULTS;
}

/** How one fault ended. */
export interface Outcome {
  readonly key: FaultKey;
  readonly from: string;
  readonly to: string;
  readonly pause_ms: number;
  readonly errors: number;
  /** Acknowledged writes, since the start, that were looked up afterwards. */
  readonly read: number;
  /** Those of them that were not there, and were not known to be lost before. */
  readonly lost: number;
  /** Why it was refused, or was not dealt with in time; null when all went well. */
  readonly trouble: string | null;
}

/** Causes a fault and waits until it has been dealt with. Never throws for what the cluster does. */
export async function cause(key: FaultKey, servers: Servers, writer: Writer): Promise<Outcome> {
  writer.ledger.mark();
  const before = await servers.agreedMaster();
  let trouble: string | null = null;
  try {
    if (before === null) throw new DeadlineError('the Sentinels agree on no master yet');
    await act(key, servers, before);
    await recover(key, servers, writer, before);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    trouble = error.message;
  }
  const account = writer.ledger.sinceMark(performance.now());
  const after = await servers.agreedMaster();
  const found = after === null ? null : await readBack(writer, after);
  return {
    key,
    from: before?.place ?? 'nobody',
    to: after?.place ?? 'nobody',
    pause_ms: Math.round(account.longestPause_ms),
    errors: account.errors,
    read: found?.read ?? 0,
    lost: found?.lost ?? 0,
    trouble: trouble ?? (found === null ? 'the master could not be read' : null),
  };
}

/** A promotion disconnects everybody, so also us: the first try may find no connection. */
async function readBack(writer: Writer, master: Node): ReturnType<Writer['readBack']> {
  return until('the master to be read', READ_DEADLINE_MS, () => writer.readBack(master)).catch((error: unknown) => {
    if (error instanceof DeadlineError) return null;
    throw error;
  });
}

async function act(key: FaultKey, servers: Servers, master: Node): Promise<void> {
  if (key === 'r') {
    for (const node of servers.redis) {
      node.process.thaw();
      node.process.start();
    }
    return;
  }
  if (!servers.redis.some((node) => node !== master && node.process.state === 'up')) {
    throw new DeadlineError('no replica is up to take over: press r first');
  }
  if (key === 'k') master.process.kill();
  else if (key === 'z') master.process.freeze();
  else await switchOver(servers);
}

async function switchOver(servers: Servers): Promise<void> {
  for (const sentinel of servers.sentinels) {
    const reply = await sentinel.ask('SENTINEL', 'FAILOVER', GROUP);
    if (reply === 'OK') return;
  }
  throw new DeadlineError('no Sentinel accepted SENTINEL FAILOVER');
}

async function recover(key: FaultKey, servers: Servers, writer: Writer, before: Node): Promise<void> {
  const flowing = (): boolean => writer.ledger.pauseNow_ms(performance.now()) < FLOWING_MS;
  if (key === 'r') {
    await until('all Redis to be up and in sync', RECOVERY_DEADLINE_MS, async () => {
      const master = await servers.agreedMaster();
      if (master === null) return false;
      const roles = await Promise.all(servers.redis.map((node) => isInPlace(node, master)));
      return roles.every((inPlace) => inPlace) && flowing();
    });
    return;
  }
  await until('another master that takes writes', RECOVERY_DEADLINE_MS, async () => {
    const master = await servers.agreedMaster();
    return master !== null && master !== before && writer.reaches(master) && flowing();
  });
}

/** The master is a master, everybody else its replica and in sync. */
async function isInPlace(node: Node, master: Node): Promise<boolean> {
  const info = await node.info();
  if (info === null) return false;
  if (node === master) return info.role === 'master';
  return info.role === 'replica' && info.masterPort === master.port && info.masterLinkUp === true;
}
