/**
 * Asks a pair's arbiter, about once a second, whether it can be reached, by the system's `ping`. What the answers mean is
 * decided in arbiter-watch.pure.ts.
 */
import { type ChildProcess, type ExecFileException, execFile } from 'node:child_process';
import { delimiter } from 'node:path';
import { findProgram } from '../net/find-program.js';
import type { Log } from '../observe/log.js';
import { ArbiterWatch, mayLead, type Standing, sentenceOf } from './arbiter-watch.pure.js';

const PERIOD_MS = 1_000;
/** `ping` waits for one second by itself; one that hangs is killed. */
const PING_MAX_MS = 1_500;
const OUTPUT_MAX_bytes = 16 * 1024;

export interface ArbiterOptions {
  readonly address: string;
  /** From {@link findPing}. */
  readonly ping: string;
  /**
   * Starts `ping` with the right to raw sockets that the agent keeps from all else: where the kernel gives ordinary users
   * none for ICMP, it would have to be set-user-ID, which a service may not make use of.
   */
  readonly lendRights: (start: () => ChildProcess) => ChildProcess;
  /** Name of the other host. */
  readonly peer: string;
  /** Whether the other host can be reached. Settles within a second or so, and never rejects. */
  readonly askPeer: () => Promise<boolean>;
  /** This host stands otherwise than before. */
  readonly changed: () => void;
  readonly log: Pick<Log, 'write'>;
}

export class Arbiter {
  readonly #options: ArbiterOptions;
  readonly #watch = new ArbiterWatch();
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** What `ping` complained of last; empty when it only heard nothing. */
  #trouble = '';
  #stopped = false;

  constructor(options: ArbiterOptions) {
    this.#options = options;
  }

  get standing(): Standing {
    return this.#watch.standing;
  }

  /** How this host stands, as one sentence. */
  get sentence(): string {
    const { address, peer } = this.#options;
    return sentenceOf(this.standing, address, peer);
  }

  /** Why this host must not have the VIP; null when it may. */
  get objection(): string | null {
    return mayLead(this.standing) ? null : this.sentence;
  }

  /** What an operator should know; null when the arbiter answers. */
  get warning(): string | null {
    if (this.standing === 'reached') return null;
    return this.#trouble === '' ? this.sentence : `${this.sentence} (${this.#trouble})`;
  }

  start(): void {
    void this.#round();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#child?.kill('SIGKILL');
  }

  async #round(): Promise<void> {
    const began = performance.now();
    const [arbiter, peer] = await Promise.all([this.#ask(), this.#options.askPeer()]);
    if (this.#stopped) return;
    const before = this.standing;
    if (this.#watch.hear({ arbiter, peer }) !== before) this.#tell();
    this.#timer = setTimeout(() => void this.#round(), Math.max(0, began + PERIOD_MS - performance.now()));
  }

  #tell(): void {
    const { log, changed } = this.#options;
    log.write(this.standing === 'reached' ? 'notice' : 'warning', this.warning ?? this.sentence);
    changed();
  }

  /** One echo request. Whatever keeps `ping` from telling of an answer is a miss. */
  #ask(): Promise<boolean> {
    const { ping, address, lendRights } = this.#options;
    const limits = { timeout: PING_MAX_MS, killSignal: 'SIGKILL', maxBuffer: OUTPUT_MAX_bytes } as const;
    return new Promise((resolve) => {
      const env = { PATH: process.env['PATH'], LC_ALL: 'C' };
      const args = ['-n', '-c', '1', '-W', '1', address];
      const heard = (error: ExecFileException | null, _stdout: string, stderr: string): void => {
        this.#child = null;
        this.#trouble = error === null ? '' : troubleOf(error, stderr);
        resolve(error === null);
      };
      this.#child = lendRights(() => execFile(ping, args, { ...limits, cwd: '/', env }, heard));
    });
  }
}

/** Where `ping` is. @param usual where it is looked for besides @throws {Error} with the fix, when it is nowhere */
export function findPing(
  path: string = process.env['PATH'] ?? '',
  usual: readonly string[] = ['/usr/bin', '/bin'],
): string {
  const folders = path.split(delimiter).filter((folder) => folder.startsWith('/'));
  const found = findProgram('ping', [...folders, ...usual]);
  if (found !== null) return found;
  throw new Error(
    'asking the `arbiter` needs the program ping, which is not there\n' +
      '  fix: install iputils-ping; or leave `arbiter` out of tanist.yml',
  );
}

/** `ping` ends with 1 when it heard nothing; everything else is worth a word. */
function troubleOf(error: ExecFileException, stderr: string): string {
  if (error.code === 1) return '';
  const last = stderr.trim().split('\n').at(-1) ?? '';
  return last === '' ? (error.message.split('\n')[0] ?? '') : last;
}
