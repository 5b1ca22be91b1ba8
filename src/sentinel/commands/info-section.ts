/** The `# Sentinel` section of INFO. */
import { shownHost } from '../core/names.js';
import type { Group, Sentinel } from '../core/state.js';

/** What the runner knows of its scripts. */
export interface ScriptCounts {
  readonly running: number;
  /** Those that run included, as redis-sentinel counts. */
  readonly queued: number;
}

/** The section's lines, each with its CRLF. The runner puts it after its own sections. */
export function sentinelSection(s: Sentinel, now: number, scripts: ScriptCounts): string {
  const tilt_s = s.tiltSince === null ? -1 : Math.floor((now - s.tiltSince) / 1_000);
  const failures = (s.crashAfterElection ? 1 : 0) + (s.crashAfterPromotion ? 2 : 0);
  const lines = [
    '# Sentinel',
    `sentinel_masters:${s.groups.size}`,
    `sentinel_tilt:${s.tiltSince === null ? 0 : 1}`,
    `sentinel_tilt_since_seconds:${tilt_s}`,
    `sentinel_running_scripts:${scripts.running}`,
    `sentinel_scripts_queue_length:${scripts.queued}`,
    `sentinel_simulate_failure_flags:${failures}`,
    ...[...s.groups.values()].map((group, index) => `master${index}:${masterLine(s, group)}`),
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

function masterLine(s: Sentinel, group: Group): string {
  const { address } = group.master.link;
  const status = group.odownSince !== null ? 'odown' : group.master.sdownSince !== null ? 'sdown' : 'ok';
  return [
    `name=${group.name}`,
    `status=${status}`,
    `address=${shownHost(s, address)}:${address.port}`,
    `slaves=${group.replicas.size}`,
    `sentinels=${group.sentinels.size + 1}`,
  ].join(',');
}
