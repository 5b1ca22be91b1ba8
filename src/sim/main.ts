import { runSeed } from './run.js';

const seed = Number(process.argv[2] ?? 1);
const runs = Number(process.argv[3] ?? 1);
const t = performance.now();
const fails = new Map<string, number[]>();
let ev = 0,
  vt = 0,
  conv = 0;
for (let i = 0; i < runs; i++) {
  const r = runSeed(seed + i, runs === 1);
  ev += r.events;
  vt += r.virtual_ms;
  conv = Math.max(conv, r.convergence_ms);
  if (r.violation) {
    const l = fails.get(r.violation.property) ?? [];
    l.push(seed + i);
    fails.set(r.violation.property, l);
  }
  if (runs === 1) {
    for (const l of r.transcript) console.log(l.text);
    console.log(r.violation, r.convergence_ms, r.events, r.virtual_ms);
  }
}
console.log(
  `${((performance.now() - t) / runs).toFixed(1)} ms/run, ${Math.round(ev / runs)} events/run, ${Math.round(vt / runs)} virtual ms/run, max conv ${conv}`,
);
for (const [k, v] of fails) console.log(v.length, k, v.slice(0, 12).join(' '));
