/**
 * What a master may lose whose agent has died: writes that it acknowledges after its lease. min-replicas-to-write, which its
 * keeper has set, ends that as soon as its replicas have left it (docs/agent.md).
 */

/** What Redis knows of a replica's lag has a grain of a second. */
const GRAIN_MS = 1_000;
/** As `limits.ts` has them. */
const LAG_MIN_MS = 2_000;

export interface Unleased {
  readonly name: string;
  readonly ttl_ms: number;
  /** How long none of its replicas has been heard. */
  readonly silent_ms: number;
}

/** Looked at when it has acknowledged a write without a lease. @returns what is wrong, or null */
export function whyUnbounded({ name, ttl_ms, silent_ms }: Unleased): string | null {
  const lagMax_ms = Math.max(LAG_MIN_MS, Math.ceil(ttl_ms / 1_000) * 1_000) + GRAIN_MS;
  return silent_ms <= lagMax_ms
    ? null
    : `${name} takes writes ${Math.round(silent_ms)} ms after a replica was heard last`;
}
