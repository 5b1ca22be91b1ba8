/**
 * The scene of most stories: one Redis master with replicas, and Sentinels of either make that watch it. Everything is
 * on loopback and ends with the test.
 */
import type { Cleanup } from './cleanup.js';
import type { Peer } from './peers.js';
import { type SentinelProcess, startSentinel } from './redis-sentinel.js';
import { type RedisServer, startReplicated } from './redis-server.js';
import { tanistSentinel } from './tanist.js';
import { until } from './until.js';

export const MASTER_NAME = 'mymaster';

export interface SceneOptions {
  readonly replicas?: number;
  /** One a Sentinel, in order; ours by default. */
  readonly programs?: readonly Peer[];
  readonly quorum?: number;
  readonly downAfter_ms?: number;
  /** More lines of sentinel.conf, for all of them. */
  readonly config?: string;
}

export interface Scene {
  readonly master: RedisServer;
  readonly replicas: readonly RedisServer[];
  readonly sentinels: readonly SentinelProcess[];
}

/** Starts it all, and waits until every Sentinel knows every replica and every other Sentinel. */
export async function startScene(cleanup: Cleanup, options: SceneOptions = {}): Promise<Scene> {
  const { replicas = 2, programs = [tanistSentinel, tanistSentinel, tanistSentinel], quorum = 2 } = options;
  const { downAfter_ms = 500, config = '' } = options;
  const [master, ...others] = await startReplicated(cleanup, { replicas });
  const lines = [
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${master.port} ${quorum}`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${downAfter_ms}`,
    `sentinel failover-timeout ${MASTER_NAME} 10000`,
    config,
  ];
  const sentinels = await Promise.all(
    programs.map((program) => startSentinel(cleanup, { program, config: lines.join('\n') })),
  );
  await Promise.all(sentinels.map((each) => untilKnows(each, replicas, programs.length - 1)));
  return { master, replicas: others, sentinels };
}

/** Waits until a Sentinel knows so many replicas and other Sentinels, and finds none of them down. */
export async function untilKnows(sentinel: SentinelProcess, replicas: number, peers: number): Promise<void> {
  const look = async () => {
    const { flags, 'num-slaves': slaves, 'num-other-sentinels': others } = await masterFields(sentinel);
    const seen = `${flags}: ${slaves} replicas, ${others} other Sentinels`;
    if (seen !== `master: ${replicas} replicas, ${peers} other Sentinels`) throw new Error(seen);
    return true;
  };
  await until(look, { what: `the Sentinel at ${sentinel.port} to know its group` });
}

export function masterFields(sentinel: SentinelProcess): Promise<Record<string, string>> {
  return sentinel.fields('SENTINEL', 'MASTER', MASTER_NAME);
}

/** Waits until all of these Sentinels name the same master, another than the old one. @returns its port */
export async function untilSwitched(sentinels: readonly SentinelProcess[], oldPort: number): Promise<number> {
  const look = async () => {
    const ports = await Promise.all(sentinels.map((each) => each.masterPort(MASTER_NAME)));
    const [port = oldPort] = ports;
    if (port === oldPort || ports.some((each) => each !== port)) throw new Error(`masters: ${ports.join(', ')}`);
    return port;
  };
  return until(look, { what: 'all Sentinels to agree on a new master', deadline_ms: 30_000 });
}

/** The names of a Sentinel's events that are among those asked for, in their order. */
export function eventsIn(log: string, names: readonly string[]): string[] {
  const found = [...log.matchAll(/ [.\-*#] ([+-][a-z-]+) /g)].flatMap((match) => match[1] ?? []);
  return found.filter((name) => names.includes(name));
}
