/** `SENTINEL KEEPER <group>`: what an agent tells another one of its keeper, as JSON. */
import { z } from 'zod';
import type { Reply } from '../redis/reply.js';
import type { KeeperWord } from './cluster-view.js';

/** Longer is not a keeper's word. */
const WORD_MAX_chars = 64 * 1024;

const WORD = z.object({
  state: z.enum(['starting', 'quarantined', 'replica', 'fenced', 'master', 'failed', 'stopped']),
  reason: z.string().max(4_096),
  lease_ms: z.number().nullable(),
  vips: z.array(z.string().max(64)).max(64),
  pid: z.int().nullable(),
  keys: z.int(),
  offset: z.number(),
  version: z.string().max(64),
  agent: z.string().max(64),
});

/** The text that is sent. */
export function printWord(word: KeeperWord): string {
  return JSON.stringify(word);
}

/** @returns null for anything that is not a keeper's word: another version's, or nonsense */
export function readWord(reply: Reply): KeeperWord | null {
  if (typeof reply !== 'string' || reply.length > WORD_MAX_chars) return null;
  try {
    return WORD.parse(JSON.parse(reply));
  } catch {
    return null;
  }
}
