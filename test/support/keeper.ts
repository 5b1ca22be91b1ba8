/** A keeper's runner with a core that does what the test says, and a real Redis. */
import { join } from 'node:path';
import type { RedisSettings } from '../../src/config/tanist/model.js';
import type { Effect, Input, KeeperState } from '../../src/keeper/core/io.js';
import type { Voter } from '../../src/keeper/run/lease-voters.js';
import { MemoryFile } from '../../src/keeper/run/memory-file.js';
import { readRecord } from '../../src/keeper/run/redis-record.js';
import { type KeeperCore, KeeperRunner, type KeeperRunnerOptions } from '../../src/keeper/run/runner.js';
import type { Cleanup } from './cleanup.js';
import { freePort } from './free-port.js';
import { atExit } from './last-rites.js';
import { requirePeer } from './peers.js';
import { request } from './resp.js';
import { tempDir } from './temp-dir.js';
import { until } from './until.js';

/** Notes what comes in, and answers with the effects that the test has laid out. */
export class ScriptedCore implements KeeperCore {
  readonly inputs: Input[] = [];
  readonly #next: Effect[] = [];
  deadline = Number.POSITIVE_INFINITY;
  /** It has nothing to let go of, unless the test says otherwise. */
  onInput: (input: Input) => readonly Effect[] = ({ on }) =>
    on === 'stop' ? [{ do: 'became', state: 'stopped', from: 'replica', reason: 'the agent stops' }] : [];

  step(_now: number, input: Input): readonly Effect[] {
    this.inputs.push(input);
    return [...this.#next.splice(0), ...this.onInput(input)];
  }

  nextDeadline(): number {
    return this.deadline;
  }

  /** To be said at the next input. */
  queue(...effects: readonly Effect[]): void {
    this.#next.push(...effects);
  }

  /** All inputs of a kind, in their order. */
  all<On extends Input['on']>(on: On): Extract<Input, { on: On }>[] {
    return this.inputs.filter((input): input is Extract<Input, { on: On }> => input.on === on);
  }
}

/** What every test may say otherwise. */
export interface KeptOptions {
  readonly port?: number;
  readonly directory?: string;
  readonly stateDirectory?: string;
  readonly settings?: Partial<RedisSettings>;
  readonly voters?: readonly Voter[];
  readonly runner?: Partial<KeeperRunnerOptions>;
  /** Called when the core wants news of the others. */
  readonly onAskSiblings?: () => void;
}

export type Kept = Awaited<ReturnType<typeof keep>>;

/** The settings of a Redis on loopback, in a folder of its own. */
export function redisSettings(port: number, directory: string, more: Partial<RedisSettings> = {}): RedisSettings {
  return {
    port,
    program: requirePeer('redis-server').path,
    config: null,
    directory,
    attach: false,
    auth: null,
    tls: null,
    bind: [],
    hangAfter_ms: 1_000,
    busyLimit_ms: 10_000,
    candidateLagMax_bytes: null,
    ...more,
  };
}

/** Begins to keep a Redis; it is not started before the core says so. */
export async function keep(cleanup: Cleanup, options: KeptOptions = {}) {
  const stateDirectory = options.stateDirectory ?? tempDir(cleanup, 'tanist-state-');
  const directory = options.directory ?? tempDir(cleanup, 'tanist-kept-');
  const port = options.port ?? (await freePort());
  const settings = redisSettings(port, directory, options.settings);
  const core = new ScriptedCore();
  const logs: string[] = [];
  const became: KeeperState[] = [];
  const vip: string[] = [];
  const asked: string[] = [];
  const saved: string[] = [];
  const auth = settings.auth === null ? null : { user: settings.auth.user, pass: settings.auth.password.value };
  killAfter(cleanup, stateDirectory);
  const runner = new KeeperRunner({
    core,
    process: { group: 'main', settings, address: '127.0.0.1', hasVip: false, stateDirectory },
    place: { host: '127.0.0.1', port },
    auth,
    tls: null,
    voters: options.voters ?? [],
    memory: new MemoryFile(stateDirectory, 'main', (_level, text) => logs.push(text)),
    hooks: {
      grantVip: (deadline) => vip.push(`granted until ${deadline}`),
      revokeVip: (reason) => vip.push(`revoked: ${reason}`),
      became: (state) => became.push(state),
      askSiblings: () => {
        asked.push('siblings');
        options.onAskSiblings?.();
      },
      saved: (path) => saved.push(path),
      log: (_level, text) => logs.push(text),
    },
    ...options.runner,
  });
  cleanup.add(() => runner.stop());
  const say = (...effects: readonly Effect[]): void => {
    core.queue(...effects);
    runner.deliver({ on: 'tick' });
  };
  const input = <On extends Input['on']>(on: On, count = 1) =>
    until(() => core.all(on)[count - 1], { what: `"${on}" number ${count}`, interval_ms: 1 }).catch((error: Error) => {
      throw new Error(`${error.message}\ninputs: ${JSON.stringify(core.inputs)}\nlogs: ${logs.join('\n')}`);
    });
  return {
    runner,
    core,
    logs,
    became,
    vip,
    asked,
    saved,
    settings,
    port,
    directory,
    stateDirectory,
    say,
    input,
    /** A command over a connection of its own, as a client has it. */
    cli: (...args: readonly (string | number)[]) => request({ port }, ...args),
    /** Starts Redis, and waits until it has loaded its data. */
    start: async (): Promise<number> => {
      const count = core.all('redis-up').length + 1;
      say({ do: 'start-redis' });
      await input('redis-up', count);
      await until(() => hasLoaded(port), { what: 'the data to be loaded' });
      return runner.pid ?? 0;
    },
    /** Waits for the reply to a command of the core's. */
    ask: async (...args: string[]) => {
      const count = core.all('reply').length;
      say({ do: 'send', tag: 'ignore', args });
      return (await input('reply', count + 1)).reply;
    },
  };
}

/** Whether it answers without LOADING; that a password is missing is an answer as well. */
async function hasLoaded(port: number): Promise<boolean> {
  const answer = await request({ port }, 'PING').catch((error: Error) => error.message);
  return answer === 'PONG' || String(answer).startsWith('NOAUTH');
}

/** A kept Redis outlives its keeper: the test must end it. */
export function killAfter(cleanup: Cleanup, stateDirectory: string): void {
  const kill = (): void => {
    const record = readRecord(join(stateDirectory, 'main.redis.json'));
    if (record !== null) endProcess(record.pid);
  };
  const forget = atExit(kill);
  cleanup.add(() => {
    forget();
    kill();
  });
}

/** SIGKILL to a process that may be gone. */
export function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
