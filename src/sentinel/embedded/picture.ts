/** What a Sentinel knows of a group, as plain data for the program around it. Nothing here changes anything. */
import { chooseCandidate } from '../core/candidate.js';
import { waitEndsAt } from '../core/lease.js';
import { addressOf, currentMasterAddress, sameAddress, shownHost } from '../core/names.js';
import { type Group, NEVER, type RedisNode, redisNodes, type Sentinel } from '../core/state.js';
import { Turn } from '../core/turn.js';

/** One Redis as this Sentinel sees it. */
export interface NodePicture {
  readonly host: string;
  readonly port: number;
  /** Named by the record as the master. */
  readonly leads: boolean;
  /** What it last said of itself. */
  readonly role: 'master' | 'replica';
  readonly answers: boolean;
  /** Why it is down, or the last trouble; empty when all is well. */
  readonly trouble: string;
  readonly offset: number;
  /** It follows the record's master and its link is up. */
  readonly follows: boolean;
  /** Its last INFO, and how old that is; empty when it has never answered. */
  readonly info: string;
  readonly infoAge_ms: number;
  readonly version: string;
}

export interface GroupPicture {
  readonly name: string;
  readonly epoch: number;
  readonly master: { readonly host: string; readonly port: number };
  readonly paused: boolean;
  /** The phase of this Sentinel's own failover; null when there is none. */
  readonly failover: string | null;
  readonly nodes: readonly NodePicture[];
  readonly sentinels: readonly {
    readonly runId: string;
    readonly host: string;
    readonly port: number;
    readonly answers: boolean;
  }[];
}

/** Who leads a group by this Sentinel: the promoted replica from its promotion on. */
export function recordOf(s: Sentinel, group: Group): { epoch: number; host: string; port: number } {
  const address = currentMasterAddress(group);
  return { epoch: group.configEpoch, host: shownHost(s, address), port: address.port };
}

/** Whether this Sentinel's word counts after a start. */
export interface VoterPicture {
  /** How long it still neither grants nor votes, for what it may have granted before. */
  readonly waits_ms: number;
  /** Every group with a lease holds a grant of it. */
  readonly grants: boolean;
}

/** @param now on the core's clock */
export function voterOf(s: Sentinel, now: number): VoterPicture {
  const leased = [...s.groups.values()].filter(({ leaseTtl_ms }) => leaseTtl_ms > 0);
  return {
    waits_ms: Math.max(0, ...leased.map((group) => waitEndsAt(group) - now)),
    grants: leased.every(({ lease: { grant } }) => grant !== null && now < grant.until),
  };
}

/** @param now on the core's clock */
export function pictureOf(s: Sentinel, group: Group, now: number): GroupPicture {
  const { epoch, host, port } = recordOf(s, group);
  return {
    name: group.name,
    epoch,
    master: { host, port },
    paused: group.paused,
    failover: group.failover?.phase ?? null,
    nodes: redisNodes(group).map((node) => nodePicture(s, group, node, now)),
    sentinels: [...group.sentinels.values()].map((peer) => ({
      runId: peer.runId,
      host: shownHost(s, peer.link.address),
      port: peer.link.address.port,
      answers: peer.sdownSince === null && peer.link.command.phase === 'up',
    })),
  };
}

function nodePicture(s: Sentinel, group: Group, node: RedisNode, now: number): NodePicture {
  const { link, info } = node;
  const master = currentMasterAddress(group);
  const answers = node.sdownSince === null && link.command.phase === 'up';
  const followed = node.masterPort === 0 ? null : addressOf(s, node.masterHost, node.masterPort);
  return {
    host: shownHost(s, link.address),
    port: link.address.port,
    leads: sameAddress(link.address, master),
    role: node.role,
    answers,
    trouble: answers ? '' : node.sdownSince === null ? link.trouble : node.downReason,
    offset: node.role === 'master' ? node.masterReplOffset : node.replOffset,
    follows: node.role === 'replica' && node.masterLinkUp && followed !== null && sameAddress(followed, master),
    info: info.text,
    infoAge_ms: now - info.at,
    version: node.version,
  };
}

/** Who would be promoted if the master were gone now, by this Sentinel's last news, and why the others would not. */
export function choiceNow(
  s: Sentinel,
  group: Group,
  now: number,
): { readonly chosen: { host: string; port: number } | null; readonly reasons: readonly string[] } {
  const turn = new Turn(s, now);
  const { chosen, reasons } = chooseCandidate(turn, group, {
    freshSince: NEVER,
    to: null,
    proof: null,
    linked: false,
  });
  if (chosen === null) return { chosen: null, reasons };
  const { address } = chosen.link;
  return { chosen: { host: shownHost(s, address), port: address.port }, reasons };
}
