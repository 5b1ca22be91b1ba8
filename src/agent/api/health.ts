/**
 * The health endpoints' verdicts, after Patroni's REST API: 200 when this host is what the endpoint's name says, 503 when
 * it is not. Pure: what this host knows goes in, the verdict with its reason comes out.
 */
import type { ClusterView, GroupView, MemberView } from '../view.js';
import { pickGroup } from './query.js';

export type HealthQuestion = 'primary' | 'replica' | 'read-only' | 'health' | 'readiness' | 'liveness';

/** Every path, under the names that Patroni's clients know. */
export const healthPaths: Readonly<Record<string, HealthQuestion>> = {
  '/': 'primary',
  '/primary': 'primary',
  '/leader': 'primary',
  '/master': 'primary',
  '/read-write': 'primary',
  '/replica': 'replica',
  '/read-only': 'read-only',
  '/health': 'health',
  '/readiness': 'readiness',
  '/liveness': 'liveness',
};

export interface HealthAnswer {
  readonly status: 200 | 503;
  readonly body: HealthBody;
}

export interface HealthBody {
  readonly cluster: string;
  readonly host: string;
  /** Null when several groups, or none, are spoken of. */
  readonly group: string | null;
  readonly role: MemberView['role'] | 'witness' | null;
  readonly state: MemberView['state'] | null;
  readonly epoch: number | null;
  readonly lag_bytes: number | null;
  readonly lease_ms: number | null;
  readonly vips: readonly string[];
  readonly paused: boolean;
  /** Why the status is what it is: one sentence. */
  readonly why: string;
}

/** Null: it is so. Otherwise why it is not. */
type Verdict = string | null;

/**
 * @param lagMax_bytes a replica that lags more, or by an unknown amount, is not taken; null for no limit
 * @throws {ApiError} 404 for an unknown group, 400 when one must be named
 */
export function judge(
  view: ClusterView,
  question: HealthQuestion,
  group: string | null,
  lagMax_bytes: number | null,
): HealthAnswer {
  const wanted = group === null ? null : pickGroup(view, group).name;
  if (question === 'liveness') return answer(view, null, null, null, 'the agent answers');
  const own = ownMembers(view).filter((each) => wanted === null || each.group.name === wanted);
  const [first, ...others] = own;
  if (first === undefined) return withoutRedis(view, question, wanted);
  if (others.length === 0) {
    const verdict = judgeMember(first.member, question, lagMax_bytes);
    return answer(view, first.group, first.member, verdict, `${first.member.state}: ${first.member.reason}`);
  }
  // A host that leads one group and follows in another is neither primary nor replica as a whole.
  if (question !== 'health' && question !== 'readiness') pickGroup({ ...view, groups: own.map((o) => o.group) }, null);
  const bad = own
    .map((each) => ({ ...each, verdict: judgeMember(each.member, question, lagMax_bytes) }))
    .find((each) => each.verdict !== null);
  const why = bad === undefined ? null : `group ${bad.group.name}: ${bad.verdict}`;
  return answer(view, null, null, why, 'every group on this host is well');
}

function ownMembers(view: ClusterView): { readonly group: GroupView; readonly member: MemberView }[] {
  return view.groups.flatMap((group) => {
    const member = group.members.find(({ host }) => host === view.host);
    return member === undefined ? [] : [{ group, member }];
  });
}

/** A witness is ready as soon as its agent is: it has to vote, nothing else. */
function withoutRedis(view: ClusterView, question: HealthQuestion, group: string | null): HealthAnswer {
  if (question === 'readiness' && group === null) return answer(view, null, null, null, 'a witness: it votes');
  const what = group === null ? 'a Redis' : `a Redis of ${group}`;
  return answer(view, null, null, `host ${view.host} does not keep ${what}`, '');
}

function judgeMember(member: MemberView, question: HealthQuestion, lagMax_bytes: number | null): Verdict {
  switch (question) {
    case 'primary':
      return primary(member);
    case 'replica':
      return replica(member, lagMax_bytes);
    case 'read-only':
    case 'readiness':
      return primary(member) === null ? null : replica(member, lagMax_bytes);
    case 'health':
      return member.answers ? null : `Redis does not answer: ${member.reason}`;
    case 'liveness':
      return null;
  }
}

function primary(member: MemberView): Verdict {
  if (member.state !== 'master') return `it is ${stateName(member)}: ${member.reason}`;
  return member.lease_ms === 0 ? 'its lease has ended' : null;
}

function replica(member: MemberView, lagMax_bytes: number | null): Verdict {
  if (member.state !== 'replica') return `it is ${stateName(member)}: ${member.reason}`;
  if (!member.answers) return `Redis does not answer: ${member.reason}`;
  if (lagMax_bytes === null) return null;
  if (member.lag_bytes === null) return 'its lag is not known';
  return member.lag_bytes <= lagMax_bytes ? null : `it lags ${member.lag_bytes} bytes, more than ${lagMax_bytes}`;
}

function whole(value: number | null): number | null {
  return value === null ? null : Math.round(value);
}

function stateName(member: MemberView): string {
  return member.state === 'master' || member.state === 'replica' ? `a ${member.state}` : member.state;
}

function answer(
  view: ClusterView,
  group: GroupView | null,
  member: MemberView | null,
  verdict: Verdict,
  well: string,
): HealthAnswer {
  const isWitness = ownMembers(view).length === 0;
  return {
    status: verdict === null ? 200 : 503,
    body: {
      cluster: view.cluster,
      host: view.host,
      group: group?.name ?? null,
      role: member?.role ?? (isWitness ? 'witness' : null),
      state: member?.state ?? null,
      epoch: group?.epoch ?? null,
      lag_bytes: member?.lag_bytes ?? null,
      lease_ms: whole(member?.lease_ms ?? null),
      vips: member?.vips ?? [],
      paused: view.groups.some((each) => each.paused && (group === null || each === group)),
      why: verdict ?? well,
    },
  };
}
