/** Writes a tanist.yml from the files of keepalived, Sentinel and twemproxy, and tells what it could not carry over. */
import { canonicalIp } from '../../../base/ip-bytes.js';
import { ConfigError } from '../../config-error.js';
import { NutcrackerConfigError } from '../../nutcracker-types.js';
import type { Outside } from '../../outside.js';
import { DEFAULTS } from '../defaults.js';
import { isLoopback } from '../read-listen.js';
import { type Cluster, combine, type GivenHost, type Member } from './combine.js';
import { compose, type PlacedMember } from './compose.js';
import { detectKind, type Kind } from './detect.js';
import { Facts, type Loss } from './facts.js';
import { factsFromKeepalived, type Input } from './from-keepalived.js';
import { factsFromNutcracker } from './from-nutcracker.js';
import { factsFromSentinel } from './from-sentinel.js';
import { oneLine } from './plan.js';

/** Files that cannot be imported; the message is for the operator, with a place for every fault. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
  readonly code = 'ERR_IMPORT';
}

export interface Imported {
  /** The tanist.yml. */
  readonly text: string;
  readonly kinds: readonly { readonly file: string; readonly kind: Kind }[];
  readonly losses: readonly Loss[];
  /** What must still be written by hand, one line each. */
  readonly todo: readonly string[];
}

/**
 * @param inputs the files, in any order and number.
 * @param given hosts, or addresses of hosts that the files know by name.
 * @throws {ImportError}
 */
export function importFiles(inputs: readonly Input[], given: readonly GivenHost[], outside: Outside): Imported {
  const facts = new Facts();
  const kinds = inputs.map(({ text, file }) => ({ file, kind: detectKind(text, file) }));
  const unknown = kinds.filter(({ kind }) => kind === 'unknown');
  if (unknown.length > 0) {
    const names = unknown.map(({ file }) => `${file}: this is no keepalived.conf, sentinel.conf or nutcracker.yml`);
    throw new ImportError(names.join('\n'));
  }
  const ofKind = (wanted: Kind): Input[] => inputs.filter((_, i) => kinds[i]?.kind === wanted);
  for (const { text, file } of ofKind('sentinel')) orImportError(() => factsFromSentinel(text, file, facts));
  factsFromKeepalived(ofKind('keepalived'), outside, facts);
  for (const { text, file } of ofKind('nutcracker')) {
    orImportError(() => factsFromNutcracker(text, file, outside, facts));
  }
  const cluster = combine(facts, given);
  if (cluster.groups.length === 0 && facts.vips.length === 0) {
    const why = facts.losses.map(({ source, text }) => `  ${source}: ${text}`);
    throw new ImportError(['there is no Redis in these files', ...why].join('\n'));
  }
  const members = withPlaceholders(cluster.members, facts);
  compareQuorum(members.length, facts);
  const todo = todoOf(cluster, members, facts);
  return { text: compose(cluster, members, facts, todo), kinds, losses: inOrder(facts.losses, inputs), todo };
}

function orImportError(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) throw new ImportError(error.format());
    throw error instanceof NutcrackerConfigError ? new ImportError(error.message) : error;
  }
}

/** Addresses for examples (RFC 5737) where none is known: nobody has them, and `tanist check` warns of them. */
function withPlaceholders(members: readonly Member[], facts: Facts): PlacedMember[] {
  const taken = new Set([...members.map((member) => member.address), ...facts.vips.map((vip) => vip.address)]);
  let next = 1;
  return members.map((member) => {
    if (member.address !== null) return { ...member, address: canonicalIp(member.address), placeholder: false };
    while (taken.has(`192.0.2.${next}`)) next += 1;
    const address = `192.0.2.${next}`;
    next += 1;
    return { ...member, address, placeholder: true };
  });
}

function todoOf({ groups }: Cluster, members: readonly PlacedMember[], facts: Facts): string[] {
  const todo = members
    .filter((member) => member.placeholder)
    .map(
      ({ name, address, source }) =>
        `hosts.${name}: write its address in place of ${address} (${oneLine(source)}), or give it: --host ${name}=ADDRESS`,
    );
  for (const { name, address, source } of members) {
    if (isLoopback(address))
      todo.push(
        `hosts.${name}: ${address} (${source}) is every host itself: write the address that others reach it by`,
      );
  }
  const keepers = members.filter((member) => !member.witness);
  for (const group of groups) {
    if (group.hosts?.length === 1 && keepers.length > 1) {
      todo.push(`groups.${group.name}: no file tells of a replica: add hosts to it`);
    }
  }
  for (const { name, port, portGuessed } of groups) {
    if (portGuessed === true) todo.push(`groups.${name}.redis.port: no file tells it; ${port} stands there`);
  }
  if (groups.length === 0 && facts.scriptPort === null) {
    todo.push(`redis.port: no file tells it; ${DEFAULTS.redisPort} stands there`);
  }
  if (groups.every((group) => group.password === '')) {
    todo.push('redis: if Redis has a password, write `password_file` below it');
  }
  todo.push('redis.config: name your redis.conf, without its `replicaof`');
  return todo;
}

function compareQuorum(hosts: number, facts: Facts): void {
  const majority = Math.floor(hosts / 2) + 1;
  if (facts.quorum === null || facts.quorum.value === majority) return;
  facts.lose(facts.quorum.source, `quorum ${facts.quorum.value}: a majority decides, ${majority} of ${hosts} hosts`);
}

/** In the order of the files and their lines; what stands in no file of ours (scripts) comes last. */
function inOrder(losses: readonly Loss[], inputs: readonly Input[]): Loss[] {
  const key = ({ source }: Loss): [number, string, number] => {
    const colon = source.lastIndexOf(':');
    const file = source.slice(0, colon);
    const at = inputs.findIndex((input) => input.file === file);
    return [at === -1 ? inputs.length : at, file, Number(source.slice(colon + 1))];
  };
  return [...losses].sort((a, b) => {
    const [x, fileX, lineX] = key(a);
    const [y, fileY, lineY] = key(b);
    return x - y || (fileX < fileY ? -1 : fileX > fileY ? 1 : lineX - lineY);
  });
}
