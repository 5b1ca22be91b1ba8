/** Durations and sizes as an operator writes them: `500ms`, `1s`, `10m`, `1h`; `512kb`, `64mb`. */

export const DURATION = /^\d{1,12}(\.\d{1,3})?(ms|s|m|h|d)$/;
export const SIZE = /^\d{1,12}[kKmMgG]?[bB]$/;

const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SIZE_UNITS = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const;

/** Milliseconds of a text that matches {@link DURATION}, or null when it does not, or is no whole number of them. */
export function parseDuration(text: string): number | null {
  if (!DURATION.test(text)) return null;
  const unit = /[a-z]+$/.exec(text)?.[0] as keyof typeof DURATION_UNITS;
  const value = Number(text.slice(0, -unit.length)) * DURATION_UNITS[unit];
  const rounded = Math.round(value);
  return Math.abs(value - rounded) < 1e-6 && Number.isSafeInteger(rounded) ? rounded : null;
}

/** Bytes of a text that matches {@link SIZE}; units are those of redis.conf: 1kb is 1024 bytes. Null when it does not. */
export function parseSize(text: string): number | null {
  if (!SIZE.test(text)) return null;
  const unit = (/[a-z]+$/i.exec(text)?.[0] ?? '').toLowerCase() as keyof typeof SIZE_UNITS;
  const value = Number(text.slice(0, -unit.length)) * SIZE_UNITS[unit];
  return Number.isSafeInteger(value) ? value : null;
}

/** The shortest text that {@link parseDuration} reads as `ms` again. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms > 0 && ms % DURATION_UNITS[unit] === 0) return `${ms / DURATION_UNITS[unit]}${unit}`;
  }
  return `${ms}ms`;
}

/** The shortest text that {@link parseSize} reads as `bytes` again. */
export function formatSize(bytes: number): string {
  for (const unit of ['gb', 'mb', 'kb'] as const) {
    if (bytes > 0 && bytes % SIZE_UNITS[unit] === 0) return `${bytes / SIZE_UNITS[unit]}${unit}`;
  }
  return `${bytes}b`;
}
