/** Causes a fault, waits until the Sentinels have dealt with it, and accounts for the writes. */

import { DeadlineError, until } from '../../src/demo/until.js';
import { GROUP, type Node, type Servers } from './servers.js';
import type { Writer } from './writer.js';

const RECOVERY_DEADLINE_MS = 30_000;
const READ_DEADLINE_MS = 5_000;
/** Writes flow again when the last acknowledged one is at most this old. */
const FLOWING_MS = 100;

export type Fault = 'kill' | 'freeze' | 'planned';

/** How one fault ended. */
export interface Outcome {
  readonly pause_ms: number;
  readonly errors: number;
  /** Acknowledged writes that were not there afterwards. */
  readonly lost: number;
  /** Why it was refused, or was not dealt with in time; null when all went well. */
  readonly trouble: string | null;
}

/** Causes a fault and waits until it has been dealt with. Never throws for what the cluster does. */
export async function cause(fault: Fault, servers: Servers, writer: Writer): Promise<Outcome> {
  writer.ledger.mark();
  const before = await servers.agreedMaster();
  let trouble: string | null = null;
  try {
    if (before === null) throw new DeadlineError('the Sentinels agree on no master yet');
    await act(fault, servers, before);
    await recover(servers, writer, before);
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    trouble = error.message;
  }
  const account = writer.ledger.sinceMark(performance.now());
  const after = await servers.agreedMaster();
  const found = after === null ? null : await readBack(writer, after);
  return {
    pause_ms: Math.round(account.longestPause_ms),
    errors: account.errors,
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

async function act(fault: Fault, servers: Servers, master: Node): Promise<void> {
  if (fault === 'kill') master.process.kill();
  else if (fault === 'freeze') master.process.freeze();
  else await switchOver(servers);
}

async function switchOver(servers: Servers): Promise<void> {
  for (const sentinel of servers.sentinels) {
    const reply = await sentinel.ask('SENTINEL', 'FAILOVER', GROUP);
    if (reply === 'OK') return;
  }
  throw new DeadlineError('no Sentinel accepted SENTINEL FAILOVER');
}

async function recover(servers: Servers, writer: Writer, before: Node): Promise<void> {
  const flowing = (): boolean => writer.ledger.pauseNow_ms(performance.now()) < FLOWING_MS;
  await until('another master that takes writes', RECOVERY_DEADLINE_MS, async () => {
    const master = await servers.agreedMaster();
    return master !== null && master !== before && writer.reaches(master) && flowing();
  });
}
