/** What `tanist status` shows, put together from the Sentinel's picture and the keepers' own words. Pure. */
import { placeName } from '../base/place.js';
import type { GroupConfig, HostConfig, TanistConfig } from '../config/tanist/model.js';
import type { KeeperState } from '../keeper/core/io.js';
import type { GroupPicture, NodePicture } from '../sentinel/embedded/picture.js';
import type { ClusterView, GroupView, MemberView, VoterView } from './view.js';

/** What a keeper says of itself: the part of a member that nobody else knows. It crosses hosts as JSON. */
export interface KeeperWord {
  readonly state: KeeperState;
  readonly reason: string;
  readonly lease_ms: number | null;
  readonly vips: readonly string[];
  readonly pid: number | null;
  readonly keys: number;
  readonly offset: number;
  readonly version: string;
  /** Version of Tanist. */
  readonly agent: string;
}

export interface GroupSources {
  readonly config: GroupConfig;
  readonly picture: GroupPicture;
  readonly choice: {
    readonly chosen: { readonly host: string; readonly port: number } | null;
    readonly reasons: readonly string[];
  };
  /** By host name; a host that did not answer is missing. */
  readonly words: ReadonlyMap<string, KeeperWord>;
  /** `local`: only this host was asked, so that silence of others says nothing. */
  readonly asked: 'local' | 'all';
}

/** A group as seen from here. */
export function groupView(config: TanistConfig, sources: GroupSources): GroupView {
  const { config: group, picture } = sources;
  const members = group.hosts.flatMap((name) => {
    const host = config.hosts.find((each) => each.name === name);
    return host === undefined ? [] : [memberView(host, sources)];
  });
  const leader = members.find(({ address, port }) => address === picture.master.host && port === picture.master.port);
  return {
    name: group.name,
    epoch: picture.epoch,
    leader: leader?.host ?? null,
    master: picture.master,
    durability: group.durability,
    // A pair's Sentinels are always paused, since VRRP decides; that is no maintenance.
    paused: picture.paused && config.mode !== 'pair',
    failover: picture.failover,
    members,
  };
}

function memberView(host: HostConfig, sources: GroupSources): MemberView {
  const { config, picture } = sources;
  const { port } = config.redis;
  const node = picture.nodes.find((each) => each.host === host.address && each.port === port) ?? null;
  const word = sources.words.get(host.name) ?? null;
  const master = picture.nodes.find(({ leads }) => leads) ?? null;
  const masterWord = [...sources.words.values()].find(({ state }) => state === 'master') ?? null;
  return {
    host: host.name,
    address: host.address,
    port,
    role: roleOf(node),
    state: word?.state ?? (sources.asked === 'all' ? 'unreachable' : stateFromAfar(node)),
    answers: node?.answers ?? false,
    lag_bytes: wordLag(word, masterWord) ?? lagOf(node, master),
    lease_ms: word?.lease_ms ?? null,
    vips: word?.vips ?? [],
    reason: reasonOf(host, node, word, sources.asked),
    candidate: candidateText(node, sources.choice),
    pid: word?.pid ?? null,
    version: word?.version || (node?.version ?? ''),
    offset: word?.offset ?? node?.offset ?? 0,
    keys: word?.keys ?? 0,
  };
}

function roleOf(node: NodePicture | null): MemberView['role'] {
  if (node === null || (node.info === '' && !node.leads)) return 'unknown';
  if (node.leads) return 'master';
  return node.answers ? node.role : 'replica';
}

/** What can be told of another host's keeper without asking it. */
function stateFromAfar(node: NodePicture | null): MemberView['state'] {
  if (node === null || !node.answers) return 'unreachable';
  return node.leads ? 'master' : 'replica';
}

/** Keepers ask their Redis every second, and oftener; what a Sentinel heard may be ten seconds old. */
function wordLag(word: KeeperWord | null, master: KeeperWord | null): number | null {
  if (word === null || master === null || word === master) return null;
  return word.state === 'replica' ? Math.max(0, master.offset - word.offset) : null;
}

function lagOf(node: NodePicture | null, master: NodePicture | null): number | null {
  if (node === null || master === null || node === master || node.info === '' || master.info === '') return null;
  return Math.max(0, master.offset - node.offset);
}

function reasonOf(
  host: HostConfig,
  node: NodePicture | null,
  word: KeeperWord | null,
  asked: GroupSources['asked'],
): string {
  if (word !== null) return word.reason;
  const redis = node === null || !node.answers ? `its Redis does not answer (${node?.trouble || 'not seen yet'})` : '';
  if (asked === 'local') return redis;
  return `the agent on ${host.name} does not answer${redis === '' ? '; its Redis does' : `, ${redis}`}`;
}

/** The Sentinel's own sentence for why this one would, or would not, be promoted now. */
function candidateText(node: NodePicture | null, choice: GroupSources['choice']): string {
  if (node === null) return 'not known to the Sentinel yet';
  if (node.leads) return 'leads';
  const { host, port } = node;
  if (choice.chosen?.host === host && choice.chosen.port === port) return 'would be promoted now';
  const name = placeName(node);
  const sentence = choice.reasons.find((each) => each.startsWith(`${name}: `));
  return sentence === undefined ? 'not a candidate' : sentence.slice(name.length + 2);
}

export interface ClusterSources {
  readonly config: TanistConfig;
  readonly self: HostConfig;
  readonly version: string;
  readonly at: string;
  readonly groups: readonly GroupView[];
  readonly voters: readonly VoterView[];
}

/** The whole cluster, with what an operator should know about it. */
export function clusterView(sources: ClusterSources): ClusterView {
  const { config, self, version, at, groups, voters } = sources;
  return {
    cluster: config.cluster,
    mode: config.mode,
    host: self.name,
    version,
    at,
    groups,
    voters,
    warnings: [...voterWarnings(config, voters), ...groups.flatMap(groupWarnings)],
  };
}

function voterWarnings(config: TanistConfig, voters: readonly VoterView[]): string[] {
  if (config.mode === 'pair') {
    const [lack, both] =
      config.arbiter === null ? [' and no arbiter', ''] : ['', ` while both reach the arbiter ${config.arbiter}`];
    return [
      `pair mode: two hosts without a quorum${lack}: cut off from each other${both}, both may take writes. A witness ends this`,
    ];
  }
  const answering = voters.filter(({ answers }) => answers).length;
  const needed = Math.floor(voters.length / 2) + 1;
  if (answering >= voters.length) return [];
  const silent = voters.filter(({ answers }) => !answers).map(({ host }) => host);
  const spare = answering - needed;
  const rest =
    spare < 0
      ? `no majority: nobody can hold a lease, and no failover is possible (${needed} needed)`
      : spare === 0
        ? 'one more that fails ends the majority'
        : 'the majority stands';
  return [`${answering} of ${voters.length} Sentinels answer (${silent.join(', ')} silent): ${rest}`];
}

function groupWarnings(group: GroupView): string[] {
  const warnings: string[] = [];
  if (group.paused) warnings.push(`${group.name}: paused: no automatic failover until \`tanist resume\``);
  const fit = group.members.filter(({ role, answers, state }) => role === 'replica' && answers && state === 'replica');
  if (group.members.length > 1 && fit.length === 0) {
    warnings.push(`${group.name}: no replica is ready: the next failure of the master stops it`);
  }
  return warnings;
}
