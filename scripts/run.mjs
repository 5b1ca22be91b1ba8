import { spawnSync } from 'node:child_process';

const output_bytes_max = 64 * 1024 * 1024;

/**
 * Runs a program to its end without showing its output.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string>, deadline_ms?: number }} [options] `env` is added to ours
 * @returns {{ ok: boolean, out: string, trouble: string }} `trouble`: its complaint, when it is not ok
 */
export function run(command, args, options = {}) {
  const { cwd, env = {}, deadline_ms = 600_000 } = options;
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: output_bytes_max,
    timeout: deadline_ms,
    // Programs are read, not shown: their messages must be the ones we know.
    env: { ...process.env, LC_ALL: 'C', ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const out = result.stdout ?? '';
  if (result.status === 0) return { ok: true, out, trouble: '' };
  const complaint = `${result.stderr ?? ''}\n${out}`.trim();
  const ending = result.error?.message ?? `${command} ended with ${result.signal ?? result.status}`;
  return { ok: false, out, trouble: complaint === '' ? ending : complaint };
}

/**
 * The line of a complaint that says most: apt's first `E:`, npm's first error, else the last line.
 * @param {string} trouble
 */
export function gist(trouble) {
  const lines = trouble.split('\n').filter((line) => line.trim() !== '');
  const telling = lines.find((line) => /^E: |^Err:|error TS|[Ee]rror:/.test(line)) ?? lines.at(-1) ?? 'no message';
  return telling.replace(/^E: /, '').trim();
}
