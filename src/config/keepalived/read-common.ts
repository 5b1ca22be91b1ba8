/** Words that several blocks share: garp_*, notify_*, track_*. */
import type { Diagnostics } from './diagnostics.js';
import type { Garp, Notifies, Tracking, TrackRef } from './model.js';
import type { Statement } from './tree.js';
import type { StatementReader, WordTable } from './values.js';

/** The `garp_*` words; `prefix` is `vrrp_` in global_defs. */
export function garpWords<T extends { readonly garp: Garp }>(prefix: '' | 'vrrp_'): WordTable<T> {
  const seconds = (key: 'masterDelay_ms' | 'lowerDelay_ms' | 'refresh_ms') => (t: T, s: StatementReader) => {
    t.garp[key] = s.seconds(0, 86_400) ?? t.garp[key];
  };
  const count = (key: 'masterRepeat' | 'lowerRepeat' | 'refreshRepeat', min: number) => (t: T, s: StatementReader) => {
    t.garp[key] = s.integer(min, 1000) ?? t.garp[key];
  };
  return {
    [`${prefix}garp_master_delay`]: seconds('masterDelay_ms'),
    [`${prefix}garp_master_repeat`]: count('masterRepeat', 1),
    [`${prefix}garp_lower_prio_delay`]: seconds('lowerDelay_ms'),
    [`${prefix}garp_lower_prio_repeat`]: count('lowerRepeat', 0),
    [`${prefix}garp_master_refresh`]: seconds('refresh_ms'),
    [`${prefix}garp_master_refresh_repeat`]: count('refreshRepeat', 1),
  };
}

/** The first of two equal words counts, as in keepalived; the second is reported. */
export function notifyWords<T extends { readonly notifies: Notifies }>(): WordTable<T> {
  type Slot = 'master' | 'backup' | 'fault' | 'stop' | 'any' | 'masterHearsLower';
  const command = (slot: Slot) => (t: T, s: StatementReader) => {
    const found = s.command();
    if (t.notifies[slot] === null) t.notifies[slot] = found;
    else s.diagnostics.error(s.place, `${s.keyword} is written twice: the first one counts`);
  };
  return {
    notify_master: command('master'),
    notify_backup: command('backup'),
    notify_fault: command('fault'),
    notify_stop: command('stop'),
    notify: command('any'),
    notify_master_rx_lower_pri: command('masterHearsLower'),
    notify_deleted: (t, s) => {
      t.notifies.sayDeleted = true;
      if (s.count > 0) t.notifies.deleted = s.command();
    },
    notify_priority_changes: (t, s) => {
      t.notifies.priorityChanges = s.boolean();
    },
  };
}

export function trackWords<T extends { readonly tracking: Tracking }>(): WordTable<T> {
  const refs = (key: keyof Tracking, limit: number) => (t: T, s: StatementReader) => {
    t.tracking[key].push(...readRefs(s.block, limit, s.diagnostics));
  };
  return {
    track_interface: refs('interfaces', 253),
    track_script: refs('scripts', 253),
    track_file: refs('files', 254),
    track_process: refs('processes', 254),
  };
}

function readRefs(statements: readonly Statement[], limit: number, diagnostics: Diagnostics): TrackRef[] {
  return statements.flatMap((s) => readRef(s, limit, diagnostics) ?? []);
}

/** `NAME [weight N [reverse|noreverse]]` */
function readRef({ words }: Statement, limit: number, diagnostics: Diagnostics): TrackRef | null {
  const [first] = words;
  if (first === undefined) return null;
  let weight: number | null = null;
  let reverse = false;
  for (let i = 1; i < words.length; i++) {
    const word = words[i];
    if (word === undefined) break;
    if (word.text === 'weight') {
      const value = words[++i];
      weight = readWeight(value?.text, limit);
      if (weight === null) diagnostics.error(value?.place ?? word.place, `weight must be -${limit} to ${limit}`);
    } else if (word.text === 'reverse') reverse = true;
    else if (word.text !== 'noreverse' && word.text !== 'no_reverse') {
      diagnostics.error(
        word.place,
        `unknown word ${word.text} behind ${first.text}: expected weight, reverse or noreverse`,
      );
    }
  }
  return { name: first.text, weight, reverse, place: first.place };
}

function readWeight(text: string | undefined, limit: number): number | null {
  if (text === undefined || !/^[+-]?\d+$/.test(text) || Math.abs(Number(text)) > limit) return null;
  return Number(text);
}

/** `weight N [reverse]` of a script, file or process. */
export function weightWord<T extends { weight: number; reverse: boolean }>(limit: number) {
  return (t: T, s: StatementReader): void => {
    t.weight = s.integer(-limit, limit) ?? t.weight;
    if (s.peek(2) === null) return;
    const word = s.word(2);
    if (word?.text === 'reverse') t.reverse = true;
    else if (word !== null) s.diagnostics.error(word.place, `weight: expected reverse, found ${word.text}`);
  };
}
