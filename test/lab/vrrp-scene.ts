/** The stage of a scenario: a lab, a folder for files, and routers in it. */
import type { Cleanup } from '../support/cleanup.js';
import { tempDir } from '../support/temp-dir.js';
import { Lab } from './lab.js';
import { type RouterKind, type RunningRouter, startRouter } from './vrrp-routers.js';

/** Who is host a, who is host b. */
export const ROLES: readonly [RouterKind, RouterKind][] = [
  ['tanist', 'keepalived'],
  ['keepalived', 'tanist'],
];

export interface Scene {
  readonly lab: Lab;
  readonly folder: string;
}

/** A lab with these hosts, by default a and b. */
export function scene(cleanup: Cleanup, ...hosts: string[]): Scene {
  return { lab: new Lab(cleanup, hosts.length > 0 ? hosts : ['a', 'b']), folder: tempDir(cleanup) };
}

/** One router on a, one on b, each with its configuration. */
export function pair(
  { lab, folder }: Scene,
  [ka, kb]: readonly [RouterKind, RouterKind],
  ca: string,
  cb: string,
): [RunningRouter, RunningRouter] {
  return [startRouter(ka, lab.host('a'), folder, ca), startRouter(kb, lab.host('b'), folder, cb)];
}
