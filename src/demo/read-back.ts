/** Whether what was acknowledged is there. */
import type { RedisLink } from '../redis/link.js';
import type { Ledger } from './ledger.js';

const BATCH = 1_000;
const DEADLINE_MS = 5_000;

export interface ReadBack {
  /** How many acknowledged writes were looked for. */
  readonly read: number;
  /** How many of them are not there, and were not known to be lost before. */
  readonly lost: number;
}

/** Looks up every acknowledged write, and notes in the ledger what is lost. @returns null when it cannot be read */
export async function readBack(ledger: Ledger, link: RedisLink): Promise<ReadBack | null> {
  const { end } = ledger;
  let read = 0;
  let lost = 0;
  for (let from = 0; from < end; from += BATCH) {
    const numbers = ledger.acknowledgedIn(from, Math.min(end, from + BATCH));
    if (numbers.length === 0) continue;
    const keys = numbers.map((number) => `demo:${number}`);
    const reply = await link.request(['MGET', ...keys], { deadline_ms: DEADLINE_MS }).catch(() => null);
    if (!Array.isArray(reply)) return null;
    read += numbers.length;
    for (const [index, number] of numbers.entries()) {
      if (reply[index] === String(number)) continue;
      ledger.lose(number);
      lost += 1;
    }
  }
  return { read, lost };
}
