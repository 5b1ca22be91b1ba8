/** One story: a system is started, clients write, a fault strikes and is mended, and everybody's books are closed. */
import { setTimeout as pause } from 'node:timers/promises';
import { Cleanup } from '../../support/cleanup.js';
import type { Gap } from './books.mjs';
import { type Fault, type Mend, startStoppedAgents } from './faults.js';
import { type ClientBooks, type ClientOptions, monotonicNow, PlainClient, untilFlowing } from './plain-client.js';
import { Stage } from './stage.js';
import { masterOf, redisOf, type System, type SystemKind } from './system.js';
import { VipWatcher, type Watched } from './vip-watcher.js';

/** What one client met with from the fault on. */
export interface DoorOutcome {
  readonly door: 'vip' | 'proxy' | 'sentinel';
  /** The longest time without an accepted write. */
  readonly pause_ms: number;
  /** All times without an accepted write that were longer than 100 ms, together. */
  readonly down_ms: number;
  /** Error replies, by their first word. */
  readonly errors: Readonly<Record<string, number>>;
  readonly late: number;
  readonly connectionsLost: number;
  readonly acknowledged: number;
  readonly lost: number;
  /** Could not be looked up at the end. */
  readonly unread: number;
  /** When the lost ones were acknowledged, in ms after the fault. */
  readonly lostAt: Gap | null;
  /** Writes were accepted at the end. */
  readonly answers: boolean;
}

export interface Outcome {
  readonly system: string;
  readonly fault: string;
  readonly doors: readonly DoorOutcome[];
  /** How often two hosts were seen with a VIP and a Redis that took writes; null for a system without a VIP. */
  readonly twoWithVip: number | null;
  /** How often two Redis of one group were seen to take writes, VIP or not. */
  readonly twoWritable: number;
  readonly samples: number;
  /** What was still wrong when time was up; null when all was well. */
  readonly flaw: string | null;
  /** How long the story took from the fault on. */
  readonly told_ms: number;
  /** When a host's VIP or its Redis's willingness changed, in ms after the fault. */
  readonly changes: Watched['changes'];
}

export interface StoryOptions extends ClientOptions {
  /** How long a system may take to accept writes again after a fault, and to be well after it is mended. */
  readonly patience_ms?: number;
  /** The fault stays at least this long. */
  readonly stays_ms?: number;
  /** Writes flow for so long before the fault. */
  readonly quiet_ms?: number;
  /** Gets every process's log at the end. */
  readonly onLogs?: (name: string, log: string) => void;
}

/** Gaps as long as this are time that the system is down. */
const DOWN_MS = 100;
/** After the last writes were found to flow. */
const AFTER_MS = 500;

/** @throws {Error} when the system cannot be started, or a process of the lab's own fails */
export async function tell(kind: SystemKind, fault: Fault, options: StoryOptions = {}): Promise<Outcome> {
  const cleanup = new Cleanup();
  const stage = new Stage(cleanup, { smallDisks: fault.smallDisks ?? false, wallClocks: fault.wallClocks ?? false });
  let system: System | null = null;
  try {
    system = kind.create(stage);
    await system.start();
    return await act(stage, system, fault, options);
  } finally {
    if (system !== null) tellLogs(system, options);
    // At once, and without a last word: nobody is to hand anything over any more.
    stage.powerOff();
    await cleanup.run();
  }
}

/** One fault on a system that runs and is well. */
export async function act(stage: Stage, system: System, fault: Fault, options: StoryOptions = {}): Promise<Outcome> {
  const { patience_ms = 40_000, stays_ms = 5_000, quiet_ms = 1_000 } = options;
  const watcher = await VipWatcher.start(system, stage.cleanup);
  const target = await masterOf(system);
  const clients = system.doors(target).map((door) => new PlainClient(stage.client, door, options));
  await untilFlowing(clients, { for_ms: quiet_ms });
  const redis = redisOf(target, system.group);
  if (redis === undefined) throw new Error(`${target.host.name} keeps no Redis of ${system.group}`);
  let at = monotonicNow();
  const mark = () => {
    at = monotonicNow();
  };
  const mend = await fault.strike({ stage, system, target, redis, mark });
  if (mend !== null) await mended(system, mend, clients, { at, patience_ms, stays_ms });
  const flaw = await untilCalm(system, clients, patience_ms);
  await pause(AFTER_MS);
  const [books, watched] = await closed(clients, watcher);
  return {
    system: system.name,
    fault: fault.name,
    doors: clients.map(({ door }, i) => judge(door.kind, books[i] as ClientBooks, at)),
    twoWithVip: system.vips.length === 0 ? null : sum(watched.withVip.map(({ samples }) => samples)),
    twoWritable: sum(watched.writable.map(({ samples }) => samples)),
    samples: watched.samples,
    flaw,
    told_ms: Math.round(monotonicNow() - at),
    changes: watched.changes.map((change) => ({ ...change, at: Math.round(change.at - at) })),
  };
}

async function closed(clients: readonly PlainClient[], watcher: VipWatcher): Promise<[ClientBooks[], Watched]> {
  // The watcher goes first: what the look-ups do is no part of the story.
  const watched = await watcher.end();
  return [await Promise.all(clients.map((client) => client.end())), watched];
}

/** Mends when writes flow again and the fault has had its time; or when patience ends. */
async function mended(
  system: System,
  mend: Mend,
  clients: readonly PlainClient[],
  { at, patience_ms, stays_ms }: { at: number; patience_ms: number; stays_ms: number },
): Promise<void> {
  await untilFlowing(clients, { deadline_ms: patience_ms }).catch(() => {
    // It shows in the books.
  });
  await pause(Math.max(0, at + stays_ms - monotonicNow()));
  await mend();
  await startStoppedAgents(system);
}

/** Waits until all is well and stays so while writes flow. @returns what is wrong when patience ends */
async function untilCalm(system: System, clients: readonly PlainClient[], patience_ms: number): Promise<string | null> {
  const deadline = monotonicNow() + patience_ms + system.calm_ms;
  let flaw: string | null = null;
  let since = monotonicNow();
  while (monotonicNow() < deadline) {
    flaw = await system.flaw();
    if (flaw !== null) since = monotonicNow();
    else if (monotonicNow() - since >= system.calm_ms) break;
    await pause(200);
  }
  if (flaw !== null) return flaw;
  const left_ms = Math.max(1_000, deadline - monotonicNow());
  return untilFlowing(clients, { for_ms: 500, deadline_ms: left_ms }).then(
    () => null,
    () => 'no writes are accepted',
  );
}

function judge(door: DoorOutcome['door'], books: ClientBooks, at: number): DoorOutcome {
  const gaps = books.gaps.filter(({ to }) => to > at).map(({ from, to }) => to - from);
  const last = books.gaps.at(-1);
  const { errors, late, connectionsLost, acknowledged, lost, unread, lostAt } = books;
  return {
    door,
    pause_ms: Math.round(Math.max(0, ...gaps)),
    down_ms: Math.round(sum(gaps.filter((length) => length >= DOWN_MS))),
    errors,
    late,
    connectionsLost,
    acknowledged,
    lost,
    unread,
    lostAt: lostAt === null ? null : { from: Math.round(lostAt.from - at), to: Math.round(lostAt.to - at) },
    answers: !(last !== undefined && last.to === books.endedAt && last.to - last.from >= DOWN_MS),
  };
}

function tellLogs(system: System, { onLogs }: StoryOptions): void {
  if (onLogs === undefined) return;
  for (const member of system.members) {
    onLogs(`${member.host.name}-agent`, member.log);
    for (const redis of member.redis) onLogs(`${member.host.name}-redis-${redis.port}`, redis.log ?? '');
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
