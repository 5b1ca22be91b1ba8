/**
 * Take-overs of a virtual address, ours and keepalived's side by side: `npm run bench:vrrp`. Two routers of one kind, or
 * of both, in network namespaces on a bridge, version 3 at 100 ms; a client connects to the address every 10 ms, and the
 * longest time without an answer counts. Systems alternate within each round. Needs root.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { longestAdvertGap_ms } from '../test/lab/advert-gaps.js';
import { Availability, startBeacons } from '../test/lab/availability.js';
import { Lab } from '../test/lab/lab.js';
import { VIP, vrrpConfig } from '../test/lab/vrrp-config.js';
import { agreed, type RouterKind, startRouter } from '../test/lab/vrrp-routers.js';
import { Cleanup } from '../test/support/cleanup.js';
import { tempDir } from '../test/support/temp-dir.js';
import { until } from '../test/support/until.js';
import { median, readOptions, table } from './options.js';

const BUSY = fileURLToPath(new URL('../test/lab/busy.mjs', import.meta.url));

interface System {
  readonly name: string;
  readonly master: RouterKind;
  readonly backup: RouterKind;
}

const SYSTEMS: readonly System[] = [
  { name: 'keepalived, then keepalived', master: 'keepalived', backup: 'keepalived' },
  { name: 'tanist, then tanist', master: 'tanist', backup: 'tanist' },
  { name: 'keepalived, then tanist', master: 'keepalived', backup: 'tanist' },
  { name: 'tanist, then keepalived', master: 'tanist', backup: 'keepalived' },
];

const FAULTS = ['kill -9', 'leave', 'unplug'] as const;
type Fault = (typeof FAULTS)[number];

/** After the fault the client goes on for this long, so that an end of the gap is seen. */
const AFTER_MS = 1500;

const options = readOptions({ rounds: '10', seconds: '10' });

/** The longest gap that the client saw around the fault (ms). */
async function takeOver({ master, backup }: System, fault: Fault): Promise<number> {
  const cleanup = new Cleanup();
  try {
    const lab = new Lab(cleanup, ['a', 'b', 'client']);
    const folder = tempDir(cleanup);
    const b = startRouter(backup, lab.host('b'), folder, vrrpConfig({ priority: 100 }));
    const a = startRouter(master, lab.host('a'), folder, vrrpConfig({ priority: 150 }));
    await startBeacons([lab.host('a'), lab.host('b')]);
    await agreed([a, b], 'a', VIP);
    const client = new Availability(lab.host('client'), VIP);
    const adverts = await lab.capture('ip proto 112');
    await client.answeredBy('a');
    // Just after an advert, where the wait is longest: else chance decides which system had the better moment.
    const heard = adverts.packets.length;
    await until(() => adverts.packets.length > heard, { what: 'an advert', interval_ms: 1 });
    const at = performance.timeOrigin + performance.now();
    if (fault === 'kill -9') lab.host('a').killAll9();
    else if (fault === 'leave') a.child.kill('SIGTERM');
    else lab.host('a').unplug();
    await client.answeredBy('b');
    await pause(AFTER_MS);
    return client.longestGap_ms(at - 50);
  } finally {
    await cleanup.run();
  }
}

/** The longest gap between adverts while the supervising process is busy without a pause (ms). */
async function underLoad(kind: RouterKind, busy: boolean): Promise<number> {
  const cleanup = new Cleanup();
  try {
    const lab = new Lab(cleanup, ['a']);
    const capture = await lab.capture('ip proto 112');
    const env: Record<string, string> = busy ? { NODE_OPTIONS: `--import=${BUSY}` } : {};
    const a = startRouter(kind, lab.host('a'), tempDir(cleanup), vrrpConfig(), { env });
    await a.becomes('VI', 'MASTER');
    const start = capture.packets.length;
    await pause(Number(options['seconds']) * 1000);
    return longestAdvertGap_ms(capture.packets.slice(start), lab.host('a').address);
  } finally {
    await cleanup.run();
  }
}

const gaps = new Map<string, number[]>();
const rounds = Number(options['rounds']);
for (let round = 1; round <= rounds; round++) {
  for (const fault of FAULTS) {
    for (const system of SYSTEMS) {
      const key = `${fault}\t${system.name}`;
      const gap = await takeOver(system, fault);
      gaps.set(key, [...(gaps.get(key) ?? []), gap]);
      process.stderr.write(`round ${round}: ${fault}, ${system.name}: ${gap.toFixed(0)} ms\n`);
    }
  }
}
const rows = [...gaps].map(([key, values]) => {
  const [fault = '', name = ''] = key.split('\t');
  const shown = (value: number): string => `${value.toFixed(0)} ms`;
  return [fault, name, shown(median(values)), shown(Math.min(...values)), shown(Math.max(...values))];
});
process.stdout.write(`${table(['fault', 'master, then backup', 'median gap', 'shortest', 'longest'], rows)}\n`);
const loads = [
  ['keepalived', 'idle', await underLoad('keepalived', false)],
  ['tanist', 'idle', await underLoad('tanist', false)],
  ['tanist', '50 ms blocks', await underLoad('tanist', true)],
] as const;
const loadRows = loads.map(([kind, load, gap]) => [kind, load, `${gap.toFixed(1)} ms`]);
process.stdout.write(`\n${table(['router', 'supervisor', 'longest gap between adverts at 100 ms'], loadRows)}\n`);
