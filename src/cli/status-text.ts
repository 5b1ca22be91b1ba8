/** The picture that `tanist status` draws of a cluster. */
import { stringify } from 'yaml';
import type { ClusterView, GroupView, MemberView, VoterView } from '../agent/view.js';
import { placeName } from '../base/place.js';
import { leaseText, sizeText, timeText } from './cluster-words.js';
import { type Cell, type Column, fold, type Row, tableLines } from './table.js';
import { type Colours, plain } from './terminal.js';

export type StatusFormat = 'table' | 'json' | 'yaml' | 'tsv';
export const statusFormats: readonly StatusFormat[] = ['table', 'json', 'yaml', 'tsv'];

/** How text is laid out. */
export interface Layout {
  /** Null: no limit. */
  readonly width: number | null;
  readonly colours: Colours;
}

const COLUMNS: readonly Column[] = [
  { title: 'Member' },
  { title: 'Host' },
  { title: 'Role' },
  { title: 'State' },
  { title: 'Epoch', align: 'right' },
  { title: 'Lag', align: 'right' },
  { title: 'Lease', align: 'right' },
  { title: 'VIP' },
];

/** The whole text, with its last line feed. */
export function statusText(view: ClusterView, format: StatusFormat, layout: Layout): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(view, null, 2)}\n`;
    case 'yaml':
      return stringify(view);
    case 'tsv':
      return tsv(view);
    case 'table':
      return `${statusLines(view, layout).join('\n')}\n`;
  }
}

/** Whether every group has a master that holds its office. */
export function isHealthy(view: ClusterView): boolean {
  return view.groups.every((group) => group.members.some(({ state }) => state === 'master'));
}

function statusLines(view: ClusterView, layout: Layout): string[] {
  const { colours, width } = layout;
  const { strong, dim, warn } = colours;
  const time = timeText(view.at).slice(11, 19);
  const told = plain(`(${view.mode}), told by ${view.host} at ${time} (tanist ${view.version})`);
  const rows = view.groups.flatMap((group) => group.members.map((member) => rowOf(view, group, member, colours)));
  const table = tableLines(COLUMNS, rows, { width, noteTitle: 'Reason', paintTitle: dim, paintNote: (text) => text });
  const changes = view.groups.filter(({ failover }) => failover !== null);
  return [
    `Cluster ${strong(plain(view.cluster))} ${told}`,
    '',
    ...table,
    '',
    ...folded(votersText(view.voters), width),
    ...changes.flatMap(({ name, failover }) => folded(plain(`${name}: a change is under way: ${failover}`), width)),
    ...view.warnings.flatMap((text) => folded(`Warning: ${plain(text)}`, width).map(warn)),
  ];
}

/** A sentence whose further lines are set in. */
function folded(text: string, width: number | null): string[] {
  return fold(text, width === null ? null : width - 2).map((line, index) => (index === 0 ? line : `  ${line}`));
}

function rowOf(view: ClusterView, group: GroupView, member: MemberView, colours: Colours): Row {
  const isLeader = member.state === 'master';
  const cells: Cell[] = [
    { text: memberName(view, group, member), ...(isLeader ? { paint: colours.strong } : {}) },
    { text: placeName({ host: plain(member.address), port: member.port }) },
    { text: member.role, ...(isLeader ? { paint: colours.strong } : {}) },
    { text: member.state, paint: paintOf(member.state, colours) },
    { text: String(group.epoch) },
    { text: lagText(member) },
    { text: member.lease_ms === null ? '-' : leaseText(member.lease_ms) },
    { text: member.vips.length === 0 ? '-' : plain(member.vips.join(' ')) },
  ];
  return { cells, note: plain(member.reason) };
}

function memberName(view: ClusterView, group: GroupView, member: MemberView): string {
  return plain(view.groups.length > 1 ? `${group.name}/${member.host}` : member.host);
}

function lagText({ role, lag_bytes }: MemberView): string {
  if (role === 'master') return '-';
  return lag_bytes === null ? '?' : sizeText(lag_bytes);
}

/** Only what wants attention is coloured. */
function paintOf(state: MemberView['state'], { bad, warn }: Colours): (text: string) => string {
  switch (state) {
    case 'failed':
    case 'fenced':
    case 'unreachable':
      return bad;
    case 'starting':
    case 'quarantined':
    case 'stopped':
      return warn;
    case 'master':
    case 'replica':
      return (text) => text;
  }
}

function votersText(voters: readonly VoterView[]): string {
  const name = (voter: VoterView): string => plain(voter.witness ? `${voter.host} (witness)` : voter.host);
  const silent = voters.filter(({ answers }) => !answers);
  if (voters.length === 0) return 'Voters: none; VRRP decides';
  const answering = voters.filter(({ answers }) => answers).map(name);
  const count = `Voters: ${answering.length} of ${voters.length} answer`;
  const who = answering.length === 0 ? '' : `: ${answering.join(', ')}`;
  return `${count}${who}${silent.length === 0 ? '' : `; silent: ${silent.map(name).join(', ')}`}`;
}

const TSV_COLUMNS = 'group member host role state epoch lag_bytes lease_ms vips reason'.split(' ');

/** One line a member, with plain numbers; what is not known is empty. */
function tsv(view: ClusterView): string {
  const lines = view.groups.flatMap((group) =>
    group.members.map((member) => [
      group.name,
      member.host,
      placeName({ host: member.address, port: member.port }),
      member.role,
      member.state,
      group.epoch,
      member.lag_bytes ?? '',
      member.lease_ms === null ? '' : Math.round(member.lease_ms),
      member.vips.join(','),
      member.reason,
    ]),
  );
  return [TSV_COLUMNS, ...lines].map((cells) => `${cells.map((cell) => plain(String(cell))).join('\t')}\n`).join('');
}
