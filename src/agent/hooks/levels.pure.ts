/**
 * What hooks are told: for each event, the level of a group on this host now. Levels, not edges: a hook that missed one
 * is told the newest, and that is all it needs. Pure.
 */
import { placeName } from '../../base/place.js';
import type { HookEvent } from '../../config/tanist/model.js';
import type { ClusterView, GroupView, MemberView } from '../view.js';

/** What a hook gets: as JSON, and by {@link hookEnvironment} as environment. */
export interface HookLevel {
  readonly event: HookEvent;
  readonly group: string;
  /** What the event's level is now, in one word: `master`, `10.0.0.100`, `none`, `fenced`, `up`. */
  readonly level: string;
  readonly cluster: string;
  /** This host. */
  readonly host: string;
  readonly role: MemberView['role'] | 'witness';
  readonly state: MemberView['state'] | 'witness';
  readonly reason: string;
  readonly epoch: number;
  /** The leading host; null when the record names none of ours. */
  readonly leader: string | null;
  readonly master: { readonly host: string; readonly port: number };
  readonly vips: readonly string[];
  readonly failover: string | null;
  readonly paused: boolean;
  readonly at: string;
}

/** The events that are not worth telling at the start when nothing is the matter, and what they are then. */
const RESTING: Readonly<Partial<Record<HookEvent, string>>> = { failover: 'none', fence: 'clear' };

/** Equal for two levels of which a hook need only be told one. */
export function fingerprint(level: HookLevel): string {
  const { event, master, epoch } = level;
  switch (event) {
    case 'leader':
      return `${level.level} ${placeName(master)}`;
    case 'failover':
      // Two failovers in the time of one run are two epochs.
      return `${level.level} ${epoch}`;
    case 'role':
    case 'vip':
    case 'fence':
    case 'health':
      return level.level;
  }
}

/** Nothing is the matter: not told to a hook that was told nothing yet. */
export function isResting(level: HookLevel): boolean {
  return RESTING[level.event] === level.level;
}

/** The levels of these events in every group. A witness has a leader and failovers to tell, no role. */
export function levelsOf(view: ClusterView, events: readonly HookEvent[]): HookLevel[] {
  return view.groups.flatMap((group) => {
    const member = group.members.find(({ host }) => host === view.host) ?? null;
    return events.flatMap((event) => {
      const level = levelOf(event, group, member);
      return level === null ? [] : [hookLevel(view, group, member, event, level)];
    });
  });
}

function levelOf(event: HookEvent, group: GroupView, member: MemberView | null): string | null {
  switch (event) {
    case 'leader':
      return group.leader ?? placeName(group.master);
    case 'failover':
      return group.failover ?? 'none';
    case 'role':
      return member?.state ?? null;
    case 'vip':
      if (member === null) return null;
      return member.vips.length === 0 ? 'none' : [...member.vips].sort().join(',');
    case 'fence':
      return member === null ? null : member.state === 'fenced' ? 'fenced' : 'clear';
    case 'health':
      return member === null ? null : member.answers ? 'up' : 'down';
  }
}

function hookLevel(
  view: ClusterView,
  group: GroupView,
  member: MemberView | null,
  event: HookEvent,
  level: string,
): HookLevel {
  return {
    event,
    group: group.name,
    level,
    cluster: view.cluster,
    host: view.host,
    role: member?.role ?? 'witness',
    state: member?.state ?? 'witness',
    reason: member?.reason ?? 'a witness: it votes',
    epoch: group.epoch,
    leader: group.leader,
    master: group.master,
    vips: member?.vips ?? [],
    failover: group.failover,
    paused: group.paused,
    at: view.at,
  };
}

/** The level as environment variables. */
export function hookEnvironment(level: HookLevel): Record<string, string> {
  return {
    TANIST_EVENT: level.event,
    TANIST_GROUP: level.group,
    TANIST_LEVEL: level.level,
    TANIST_CLUSTER: level.cluster,
    TANIST_HOST: level.host,
    TANIST_ROLE: level.role,
    TANIST_STATE: level.state,
    TANIST_REASON: level.reason,
    TANIST_EPOCH: String(level.epoch),
    TANIST_LEADER: level.leader ?? '',
    TANIST_MASTER_HOST: level.master.host,
    TANIST_MASTER_PORT: String(level.master.port),
    TANIST_VIPS: level.vips.join(','),
    TANIST_FAILOVER: level.failover ?? '',
    TANIST_PAUSED: level.paused ? '1' : '0',
    TANIST_AT: level.at,
  };
}
