/**
 * A short sum of each part of a tanist.yml, as it is understood, by which agents see that they run with different files.
 * Without secrets, since it crosses the network.
 */
import { createHash } from 'node:crypto';
import type { TanistConfig } from './model.js';
import { publicConfig } from './public.js';

/** By the names of the file's own keys. */
export type FileDigests = Readonly<Record<string, string>>;

const LENGTH_chars = 8;
/** Of the host alone: where its file is, how much it logs. */
const OWN: ReadonlySet<string> = new Set(['file', 'logLevel', 'stateDirectory']);

/** @param config the whole file's, before it is fitted to one host */
export function fileDigests(config: TanistConfig): FileDigests {
  const shown = publicConfig(config);
  const { groups } = shown;
  const parts = {
    ...shown,
    groups: groups.map(({ name, hosts }) => ({ name, hosts })),
    redis: groups.map(({ redis }) => redis),
    vip: groups.map(({ vips }) => vips),
    durability: groups.map(({ durability }) => durability),
    failback: groups.map(({ failback }) => failback),
  };
  const entries = Object.entries(parts).filter(([key]) => !OWN.has(key));
  return Object.fromEntries(entries.map(([key, part]) => [key, sumOf(part)]));
}

/** One word for the whole file. */
export function fingerprint(digests: FileDigests): string {
  return sumOf(Object.entries(digests).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The parts that both know of and that differ, by their names in the file. */
export function differences(ours: FileDigests, theirs: FileDigests): string[] {
  return Object.keys(ours).filter((key) => theirs[key] !== undefined && theirs[key] !== ours[key]);
}

function sumOf(part: unknown): string {
  return createHash('sha256').update(JSON.stringify(part)).digest('hex').slice(0, LENGTH_chars);
}
