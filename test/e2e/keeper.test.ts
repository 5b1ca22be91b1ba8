/** The keeper, its runner and a real Redis; the voters are in this process, and grant or do not as the test says. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Prng } from '../../src/base/prng.js';
import type { LeaderRecord } from '../../src/keeper/core/io.js';
import { siblingOf } from '../../src/keeper/core/sibling.js';
import { snapshot } from '../../src/keeper/core/snapshot.js';
import { createKeeper, nextDeadline, step } from '../../src/keeper/core/step.js';
import type { Voter } from '../../src/keeper/run/lease-voters.js';
import { MemoryFile } from '../../src/keeper/run/memory-file.js';
import type { Reply } from '../../src/redis/reply.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePort } from '../support/free-port.js';
import { type KeptOptions, keep } from '../support/keeper.js';
import { needs } from '../support/needs.js';
import { startRedis } from '../support/redis-server.js';
import { request } from '../support/resp.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

const cleanup = cleanupAfterEach();
const TTL_ms = 600;

beforeEach((context) => {
  needs(context, 'redis-server');
});

/** Three voters with one record, who grant the lease to its master while `grants` is set. */
class Voters {
  record: LeaderRecord;
  grants = true;
  readonly released: string[] = [];

  constructor(record: LeaderRecord) {
    this.record = record;
  }

  get all(): Voter[] {
    return ['a', 'b', 'c'].map((id) => ({ id, by: { ask: async (args) => this.#answer(args) } }));
  }

  #answer([, , , host, port, epoch, ttl, reason = '']: readonly string[]): Reply {
    if (ttl === '0') this.released.push(reason);
    const { master } = this.record;
    const isMaster = host === master.host && port === String(master.port) && epoch === String(this.record.epoch);
    const granted = this.grants && isMaster && ttl !== '0';
    return [
      ...['granted', granted ? 1 : 0, 'reason', granted ? '' : 'not wanted'],
      ...['epoch', this.record.epoch, 'host', master.host, 'port', master.port, 'paused', 0],
    ];
  }
}

/** A keeper for a port that the voters know, or for the record's master. */
async function startKeeper(voters: Voters, options: KeptOptions & { readonly port: number }) {
  const stateDirectory = options.stateDirectory ?? tempDir(cleanup, 'tanist-state-');
  const self = { host: '127.0.0.1', port: options.port };
  const memory = new MemoryFile(stateDirectory, 'main', () => {});
  const settings = {
    group: 'main',
    self,
    mode: 'quorum',
    voters: ['a', 'b', 'c'],
    siblings: [],
    ttl_ms: TTL_ms,
    durability: 'async',
    hangAfter_ms: 500,
    busyLimit_ms: 15_000,
    attach: false,
  } as const;
  const keeper = createKeeper(settings, memory.load(), new Prng(1), performance.now());
  const kept = await keep(cleanup, {
    ...options,
    stateDirectory,
    voters: voters.all,
    onAskSiblings: () => void news(),
    runner: {
      memory,
      core: { step: (now, input) => step(keeper, now, input), nextDeadline: () => nextDeadline(keeper) },
    },
  });
  const news = async (): Promise<void> => {
    const { master } = voters.record;
    const info = await request({ port: master.port }, 'INFO').catch(() => '');
    const sibling = master.port === options.port ? null : siblingOf(String(info), master, { alive: true, age_ms: 0 });
    kept.runner.deliver({ on: 'siblings', siblings: sibling === null ? [] : [sibling] });
  };
  kept.runner.deliver({ on: 'record', record: voters.record, paused: false });
  const look = () => snapshot(keeper, performance.now());
  const becomes = (state: string) =>
    until(() => (look().state === state ? look() : null), { what: `the keeper to be ${state}` }).catch(
      (error: Error) => {
        throw new Error(`${error.message}; it is ${look().state}: ${look().reason}\n${kept.logs.join('\n')}`);
      },
    );
  return { ...kept, look, becomes };
}

async function startMaster() {
  const port = await freePort();
  const voters = new Voters({ epoch: 3, master: { host: '127.0.0.1', port } });
  const kept = await startKeeper(voters, { port });
  await kept.becomes('master');
  await until(async () => (await kept.cli('SET', 'key', 'kept')) === 'OK', { what: 'a write' });
  return { voters, kept };
}

it('leads when the voters grant it, and not otherwise', async () => {
  const port = await freePort();
  const voters = new Voters({ epoch: 3, master: { host: '127.0.0.1', port } });
  voters.grants = false;
  const kept = await startKeeper(voters, { port });
  await kept.becomes('fenced');
  await expect(kept.cli('SET', 'a', 'b')).rejects.toThrow(/^READONLY/);
  expect(kept.vip.filter((word) => word.startsWith('granted'))).toEqual([]);
  voters.grants = true;
  await kept.becomes('master');
  await until(async () => (await kept.cli('SET', 'a', 'b')) === 'OK', { what: 'a write' });
  await until(() => kept.vip.at(-1)?.startsWith('granted'), { what: 'the VIP' });
});

it('takes no write any more when the lease is not renewed', async () => {
  const { voters, kept } = await startMaster();
  voters.grants = false;
  await kept.becomes('fenced');
  expect(kept.vip.at(-1)).toMatch(/^revoked: /);
  await expect(kept.cli('SET', 'late', 'no')).rejects.toThrow();
  await until(async () => JSON.stringify(await kept.cli('ROLE')).includes('slave'), { what: 'its demotion' });
  expect(await kept.cli('EXISTS', 'late')).toBe(0);
});

describe('when Redis ends', () => {
  it('gives the lease back at once, and follows the one that is elected meanwhile', async () => {
    const { voters, kept } = await startMaster();
    await kept.cli('SAVE');
    const other = await startRedis(cleanup);
    process.kill(kept.runner.pid ?? 0, 'SIGKILL');
    await until(() => voters.released.length === 3, { what: 'the release' });
    expect(new Set(voters.released)).toEqual(new Set(['Redis ended: signal SIGKILL']));
    expect(kept.vip.at(-1)).toMatch(/^revoked: /);
    voters.record = { epoch: 4, master: { host: '127.0.0.1', port: other.port } };
    kept.runner.deliver({ on: 'record', record: voters.record, paused: false });
    await kept.becomes('replica');
    await other.cli('SET', 'key', 'of the new master');
    await until(async () => (await kept.cli('GET', 'key')) === 'of the new master', { what: 'the new data' });
    expect(kept.saved).toHaveLength(1);
  });

  it('does so as well when it hangs', async () => {
    const { voters, kept } = await startMaster();
    const pid = kept.runner.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    await until(() => voters.released.length >= 3, { what: 'the release' });
    expect(voters.released[0]).toMatch('stopped by a signal');
    expect(kept.look().state).toBe('failed');
    process.kill(pid, 'SIGCONT');
    await kept.becomes('master');
  });

  it('renews the lease of one that is busy', async () => {
    const { voters, kept } = await startMaster();
    // A clock cannot end it: in newer servers TIME stands still while a script runs.
    const script = "local x = 0 for i = 1, 1e8 do x = i end return 'done'";
    expect(await kept.cli('EVAL', script, 0)).toBe('done');
    expect(voters.released).toEqual([]);
    expect(kept.look().state).toBe('master');
  });
});

it('takes a master over from the agent before it, and leads again without a restart', async () => {
  const { voters, kept } = await startMaster();
  const { port, directory, stateDirectory } = kept;
  const { pid } = kept.runner;
  await kept.runner.stop();
  expect(voters.released.length).toBe(3);
  await expect(kept.cli('SET', 'a', 'b')).rejects.toThrow();
  const next = await startKeeper(voters, { port, directory, stateDirectory });
  await next.becomes('master');
  expect(next.runner.pid).toBe(pid);
  await until(async () => (await next.cli('SET', 'a', 'b')) === 'OK', { what: 'a write' });
  expect(await next.cli('GET', 'key')).toBe('kept');
});
