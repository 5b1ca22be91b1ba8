/** How much a client may leave unread before it is closed: `client-output-buffer-limit`, with Redis's values. */

interface OutputLimit {
  readonly hard_bytes: number;
  readonly soft_bytes: number;
  /** How long the soft limit may be exceeded. */
  readonly soft_ms: number;
}

const MIB = 1024 * 1024;

/** Redis sets none for normal clients; here nobody may take all the memory. */
export const OUTPUT_LIMITS: Readonly<Record<'normal' | 'pubsub', OutputLimit>> = {
  normal: { hard_bytes: 64 * MIB, soft_bytes: 16 * MIB, soft_ms: 60_000 },
  pubsub: { hard_bytes: 32 * MIB, soft_bytes: 8 * MIB, soft_ms: 60_000 },
};

/** Why a client with this much unread must go, or null. */
export function outputFault(kind: 'normal' | 'pubsub', unread_bytes: number, softFor_ms: number): string | null {
  const limit = OUTPUT_LIMITS[kind];
  if (unread_bytes > limit.hard_bytes) return `it left ${unread_bytes} bytes unread (limit ${limit.hard_bytes})`;
  if (softFor_ms >= limit.soft_ms) {
    return `it left more than ${limit.soft_bytes} bytes unread for ${Math.round(softFor_ms / 1000)} s`;
  }
  return null;
}
