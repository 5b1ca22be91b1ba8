/** What the keeper remembers of its Redis across restarts, and when that is written down. */
import type { KeeperMemory } from './io.js';
import type { OwnInfo } from './own-info.js';
import { MEMORY_PERIOD_MS } from './timing.js';
import type { Turn } from './turn.js';

/** Our Redis is about to lead, by our order: whatever it holds may be more than others have. */
export function rememberBeforeLeading(turn: Turn, info: OwnInfo): void {
  remember(turn, 'master', info, false);
}

/** It leads already. */
export function rememberMaster(turn: Turn, info: OwnInfo): void {
  remember(turn, 'master', info, true);
}

/** Our Redis holds what its master has, and nothing else. */
export function rememberReplica(turn: Turn, info: OwnInfo): void {
  remember(turn, 'replica', info, true);
}

/** Our Redis has been a master without us: what it holds may be more than what a replica has. */
export function rememberStray(turn: Turn): void {
  const { k } = turn;
  if (k.memory.role === 'replica') setMemory(turn, { ...k.memory, role: 'master' }, true);
}

function remember(turn: Turn, role: 'master' | 'replica', info: OwnInfo, soon: boolean): void {
  const epoch = turn.k.record?.epoch ?? 0;
  setMemory(turn, { role, epoch, replId: info.replId, offset: info.offset, keys: info.keys }, soon);
}

function setMemory(turn: Turn, memory: KeeperMemory, soon: boolean): void {
  const { k } = turn;
  k.memory = memory;
  const { persisted } = k;
  const turned =
    memory.role !== persisted.role || memory.epoch !== persisted.epoch || memory.replId !== persisted.replId;
  if (turned) persist(turn, soon);
}

function persist({ k, now, effects }: Turn, soon: boolean): void {
  k.persisted = k.memory;
  k.persistedAt = now;
  effects.push({ do: 'persist', memory: k.memory, soon });
}

/** Offsets and key counts change all the time: they are written down now and then, and when Redis ends. */
export function persistDue(turn: Turn, when: 'when due' | 'now'): void {
  const { k } = turn;
  if (k.memory.offset === k.persisted.offset && k.memory.keys === k.persisted.keys) return;
  if (when === 'now' || turn.isDue(k.persistedAt + MEMORY_PERIOD_MS)) persist(turn, when !== 'now');
}
