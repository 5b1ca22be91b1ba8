/** One simulated life of a VRRP group, from one seed: a time of faults, then healing, then the verdict. */
import { Prng } from '../../base/prng.js';
import type { InstanceConfig } from '../../vrrp/core/config.js';
import { defaultAddress, defaultInstance } from '../../vrrp/core/defaults.js';
import { Segment } from './segment.js';

export interface Verdict {
  readonly seed: number;
  /** null when all went well, else what did not. */
  readonly failure: string | null;
  readonly log: readonly string[];
  /** How often a host became master, so that a test can see that something happened. */
  readonly elections: number;
}

const FAULTS_UNTIL_MS = 60_000;

/** Plays the life that `seed` describes. The same seed gives the same life, to the letter. */
export function runVrrp(seed: number): Verdict {
  const prng = new Prng(seed);
  const segment = new Segment(prng);
  const configs = group(prng);
  for (const [i, config] of configs.entries()) segment.addHost(`10.0.0.${i + 1}`, config);
  const failure = play(prng, segment, configs);
  const elections = segment.log.filter((line) => line.includes('MASTER:')).length;
  return { seed, failure, log: segment.log, elections };
}

function group(prng: Prng): InstanceConfig[] {
  const version = prng.chance(0.5) ? 3 : 2;
  const preempt = prng.chance(0.7);
  const vipLifetime_s = prng.chance(0.5) ? 2 : null;
  const equal = prng.chance(0.3);
  return Array.from({ length: prng.between(2, 4) }, (_, i) =>
    defaultInstance({
      name: 'A',
      vrid: 51,
      interface: 'eth0',
      version,
      interval_ms: version === 3 ? prng.pick([10, 100, 1000]) : 1000,
      preempt,
      preemptDelay_ms: prng.chance(0.2) ? 2000 : 0,
      priority: equal ? 100 : 50 + 10 * i + prng.below(10),
      addresses: [defaultAddress('10.0.0.100', 'eth0'), defaultAddress('10.0.0.101/24', 'eth0')],
      vipLifetime_s,
    }),
  );
}

function play(prng: Prng, segment: Segment, configs: readonly InstanceConfig[]): string | null {
  let broken: string | null = null;
  const check = (): void => {
    broken ??= keptByLoser(segment);
  };
  for (let i = 0; i < segment.size; i++) segment.boot(i);
  while (segment.now < FAULTS_UNTIL_MS) {
    segment.run(segment.now + prng.between(1, 4000), check);
    strike(prng, segment);
    check();
  }
  segment.heal();
  const slowest_ms = Math.max(...configs.map((c) => c.interval_ms));
  segment.run(segment.now + 12_000 + 5 * slowest_ms, check);
  return broken ?? oneMaster(segment, configs);
}

/** One fault, or its end. */
function strike(prng: Prng, segment: Segment): void {
  const a = prng.below(segment.size);
  const b = (a + 1 + prng.below(segment.size - 1)) % segment.size;
  switch (prng.below(6)) {
    case 0:
      segment.cut(a, b, prng.chance(0.6));
      return;
    case 1:
      segment.link(a, prng.chance(0.5));
      return;
    case 2:
      segment.kill(a);
      return;
    case 3:
      segment.boot(a);
      return;
    case 4:
      if (segment.state(a) !== 'DEAD') segment.leave(a);
      return;
    default:
      segment.weather = {
        loss: prng.below(50) / 100,
        duplication: prng.below(30) / 100,
        delayMin_ms: 0.05,
        delayMax_ms: prng.pick([0.5, 5, 50, 500]),
      };
  }
}

/** Who is not master, and alive, holds no address; who is master holds all of them. */
function keptByLoser(segment: Segment): string | null {
  for (let i = 0; i < segment.size; i++) {
    const state = segment.state(i);
    const held = segment.held(i).length;
    if (state !== 'DEAD' && state !== 'MASTER' && held > 0) return `host ${i} is ${state} and holds ${held} addresses`;
    if (state === 'MASTER' && held !== 2) return `host ${i} is MASTER and holds ${held} of 2 addresses`;
  }
  return null;
}

/** After healing: one master; with preemption it is the host that the election names. */
function oneMaster(segment: Segment, configs: readonly InstanceConfig[]): string | null {
  const states = configs.map((_, i) => segment.state(i));
  const masters = states.flatMap((s, i) => (s === 'MASTER' ? [i] : []));
  if (masters.length !== 1) return `after healing the states are ${states.join(', ')}`;
  const master = configs[masters[0] ?? 0];
  const best = Math.max(...configs.map((c) => c.priority));
  if (master?.preempt === true && master.priority !== best) {
    return `priority ${master.priority} is master, though ${best} is there and may preempt`;
  }
  return null;
}
