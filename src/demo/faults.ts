/** What the demo's keys do: cause a fault, wait until the cluster has dealt with it, and account for the writes. */
import { type Cluster, isSettled } from './cluster.js';
import { DemoError } from './demo-error.js';
import type { Host } from './host.js';
import { type ReadBack, readBack } from './read-back.js';
import { DeadlineError, until } from './until.js';
import type { Writer } from './writer.js';

const RECOVERY_DEADLINE_MS = 30_000;
const READ_DEADLINE_MS = 5_000;
/** Writes flow again when the last acknowledged one is at most this old. */
const FLOWING_MS = 100;

export type FaultKey = 'k' | 'z' | 'e' | 'a' | 'f' | 'h' | 's' | 'r';

/** In the order of the help. */
export const FAULTS: Readonly<Record<FaultKey, string>> = {
  k: "kill -9 the master's Redis",
  z: "freeze the master's Redis",
  e: "empty the master's Redis",
  a: "kill -9 the master's agent",
  f: "freeze the master's agent",
  h: "kill the master's host",
  s: 'planned switchover',
  r: 'revive what is down',
};

const TAKES_AGENT: ReadonlySet<FaultKey> = new Set(['a', 'f', 'h']);

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
export async function cause(key: FaultKey, cluster: Cluster, writer: Writer): Promise<Outcome> {
  writer.ledger.mark();
  const before = await cluster.agreedMaster();
  let trouble: string | null = null;
  try {
    if (before === null && key !== 'r') throw new DemoError('the agents agree on no master yet');
    if (before !== null && key !== 'r') await strike(key, cluster, before);
    if (key === 'r') revive(cluster);
    await recover(key, cluster, writer, before);
  } catch (error) {
    if (!(error instanceof DemoError)) throw error;
    trouble = error.message;
  }
  const account = writer.ledger.sinceMark(performance.now());
  const after = await cluster.agreedMaster();
  const found = after === null ? null : await readAll(writer, after);
  return {
    key,
    from: before?.name ?? 'nobody',
    to: after?.name ?? 'nobody',
    pause_ms: Math.round(account.longestPause_ms),
    errors: account.errors,
    read: found?.read ?? 0,
    lost: found?.lost ?? 0,
    trouble: trouble ?? (found === null ? 'the master could not be read' : null),
  };
}

/** A promotion disconnects everybody, so also us: the first try may find no connection. */
function readAll({ ledger }: Writer, { link }: Host): Promise<ReadBack | null> {
  return until('the master to be read', READ_DEADLINE_MS, () => readBack(ledger, link)).catch((error: unknown) => {
    if (error instanceof DeadlineError) return null;
    throw error;
  });
}

function revive(cluster: Cluster): void {
  for (const { agent, redis } of cluster.hosts) {
    redis.thaw();
    agent.thaw();
    agent.start();
  }
}

/** @throws {DemoError} when the fault cannot be caused, or nobody could take over */
async function strike(key: Exclude<FaultKey, 'r'>, cluster: Cluster, master: Host): Promise<void> {
  const why = await obstacle(key, cluster, master);
  if (why !== null) throw new DemoError(`${why}: press r first`);
  switch (key) {
    case 'k':
      return mustBe(master.redis.kill());
    case 'z':
      return mustBe(master.redis.freeze());
    case 'e':
      return mustBe(master.redis.empty());
    case 'a':
      return master.agent.kill();
    case 'f':
      return master.agent.freeze();
    case 'h':
      master.agent.kill();
      return mustBe(master.redis.kill());
    case 's': {
      const refusal = await master.switchOver();
      if (refusal !== null) throw new DemoError(refusal);
    }
  }
}

function mustBe(there: boolean): void {
  if (!there) throw new DemoError('the Redis of the master is not there');
}

/** Why nobody could take over after such a fault; null when somebody could. */
export async function obstacle(key: FaultKey, cluster: Cluster, struck?: Host): Promise<string | null> {
  const master = struck ?? (await cluster.agreedMaster());
  if (master === null) return 'the agents agree on no master';
  const { hosts } = cluster;
  const others = hosts.filter((host) => host !== master && host.agent.state === 'up');
  const members = (await cluster.view())?.groups[0]?.members ?? [];
  const isReady = members.some(
    ({ host, state, role }) => state === 'replica' && role === 'replica' && others.some(({ name }) => name === host),
  );
  if (!isReady) return 'no replica is ready to take over';
  const left = others.length + (TAKES_AGENT.has(key) ? 0 : 1);
  return left > hosts.length / 2 ? null : `only ${left} of ${hosts.length} agents would be left, no majority`;
}

async function recover(key: FaultKey, cluster: Cluster, writer: Writer, before: Host | null): Promise<void> {
  const flowing = (): boolean => writer.ledger.pauseNow_ms(performance.now()) < FLOWING_MS;
  if (key === 'r') {
    await until('all agents and Redis to be up and in sync', RECOVERY_DEADLINE_MS, async () => {
      const view = await cluster.view();
      return view?.voters.every(({ answers }) => answers) === true && isSettled(view) && flowing();
    });
    return;
  }
  await until('another master that takes writes', RECOVERY_DEADLINE_MS, async () => {
    const master = await cluster.agreedMaster();
    return master !== null && master !== before && flowing();
  });
}
