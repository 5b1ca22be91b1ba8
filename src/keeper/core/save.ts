/** Data that is about to be discarded is saved aside first; while that fails it is not discarded. */
import type { OwnInfo } from './own-info.js';
import type { Keeper } from './state.js';
import { doubled_ms, SAVE_DEADLINE_MS, SAVE_RETRY_MAX_MS, SAVE_RETRY_MIN_MS, SAVE_TRIES_LOUD } from './timing.js';
import type { Turn } from './turn.js';

/** The data set that a copy is of. It does not change while its Redis follows nobody. */
function identify(info: OwnInfo): string {
  return `${info.runId}:${info.replId}:${info.offset}`;
}

/** Whether what our Redis holds now has been saved. */
export function isSaved(k: Keeper): boolean {
  const { info } = k.redis;
  return info !== null && k.saving.is === 'saved' && k.saving.of === identify(info);
}

/** Sees to it that there is a copy. @returns how it stands with it. */
export function saveAside(turn: Turn, info: OwnInfo, reason: string): string {
  const { k, now } = turn;
  const of = identify(info);
  const { saving } = k;
  let tries = 0;
  if (saving.is === 'running') {
    // One at a time, also when it is of something else by now.
    if (!turn.isDue(saving.until)) return 'it is being saved aside';
    onSaveFailed(turn, 'it took too long');
    return saveAside(turn, info, reason);
  }
  if (saving.is === 'failed' && saving.of === of) {
    if (!turn.isDue(saving.retryAt)) return `saving it aside failed ${saving.tries} times: ${saving.why}`;
    tries = saving.tries;
  }
  k.saving = { is: 'running', of, until: now + SAVE_DEADLINE_MS, tries };
  turn.effects.push({ do: 'save-aside', reason });
  turn.log('notice', `The data of ${k.settings.group} is saved aside before it is discarded: ${reason}`);
  turn.at(now + SAVE_DEADLINE_MS);
  return 'it is being saved aside';
}

export function onSaved(turn: Turn, path: string): void {
  const { k } = turn;
  if (k.saving.is !== 'running') return;
  k.saving = { is: 'saved', of: k.saving.of, path };
  turn.log('warning', `The data that is discarded now was saved as ${path}`);
}

export function onSaveFailed(turn: Turn, why: string): void {
  const { k, now } = turn;
  if (k.saving.is !== 'running') return;
  const tries = k.saving.tries + 1;
  const wait_ms = turn.jitter(doubled_ms(SAVE_RETRY_MIN_MS, SAVE_RETRY_MAX_MS, tries - 1));
  k.saving = { is: 'failed', of: k.saving.of, why, tries, retryAt: now + wait_ms };
  if (tries < SAVE_TRIES_LOUD) {
    turn.log('notice', `Saving the data aside failed (${tries}): ${why}`);
  } else {
    const way = 'Make room for a copy, or empty this Redis (FLUSHALL) if its data is not wanted';
    turn.log('warning', `Saving the data aside failed ${tries} times: ${why}. It is not discarded. ${way}`);
  }
}
