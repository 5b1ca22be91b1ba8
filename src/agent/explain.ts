/** What would happen now: who would win, what would be lost, what stands in the way. Pure. */
import type { Explanation, GroupView, VoterView } from './view.js';

/** @param group null for one that is not known here */
export function explain(name: string, group: GroupView | null, voters: readonly VoterView[]): Explanation {
  if (group === null) {
    return {
      group: name,
      wouldWin: null,
      wouldLose_bytes: null,
      candidates: [],
      blockers: [`no group is named '${name}'`],
    };
  }
  const replicas = group.members.filter(({ role }) => role !== 'master');
  const winner = replicas.find(({ candidate }) => candidate === 'would be promoted now') ?? null;
  return {
    group: name,
    wouldWin: winner?.host ?? null,
    wouldLose_bytes: winner?.lag_bytes ?? null,
    candidates: replicas.map(({ host, candidate }) => ({
      host,
      fit: host === winner?.host || /^(?:\d+ bytes behind|as good as|replica-priority \d+, )/.test(candidate),
      reason: candidate,
    })),
    blockers: blockers(group, voters, winner !== null),
  };
}

function blockers(group: GroupView, voters: readonly VoterView[], hasWinner: boolean): string[] {
  const found: string[] = [];
  const answering = voters.filter(({ answers }) => answers).length;
  const needed = Math.floor(voters.length / 2) + 1;
  if (answering < needed) found.push(`${answering} of ${voters.length} Sentinels answer, ${needed} are needed`);
  if (group.paused) found.push('paused: no automatic failover until `tanist resume`');
  if (!hasWinner) found.push('no replica could be promoted');
  if (group.failover !== null) found.push(`a failover is under way (${group.failover})`);
  return found;
}
