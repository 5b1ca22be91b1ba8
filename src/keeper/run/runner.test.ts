import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { keep } from '../../../test/support/keeper.js';
import { needs } from '../../../test/support/needs.js';
import { startRedis } from '../../../test/support/redis-server.js';
import { tempDir } from '../../../test/support/temp-dir.js';
import { until } from '../../../test/support/until.js';
import { bootTime_ms } from '../../net/clock.js';
import { MemoryFile } from './memory-file.js';

const cleanup = cleanupAfterEach();

beforeEach((context) => {
  needs(context, 'redis-server');
});

describe('an attached Redis', () => {
  it('is watched by its link and looked at, but neither started nor ended', async () => {
    const other = await startRedis(cleanup);
    const kept = await keep(cleanup, { port: other.port, settings: { attach: true } });
    await kept.input('redis-up');
    await until(() => kept.runner.pid === other.pid, { what: 'its pid to be known' });
    kept.say({ do: 'kill-redis', reason: 'a test' });
    expect(kept.logs.at(-1)).toMatch('it is attached, not kept');
    expect(await kept.ask('PING')).toBe('PONG');
    other.freeze();
    kept.say({ do: 'look' });
    expect(await kept.input('looked')).toEqual({ on: 'looked', look: { state: 'stopped' } });
    await other.kill9();
    await until(() => kept.core.all('redis-down').some((input) => input.refused), { what: 'a refusal' });
    kept.say({ do: 'look' });
    expect(await kept.input('looked', 2)).toEqual({ on: 'looked', look: { state: 'gone' } });
    expect(kept.core.inputs.filter((input) => input.on.startsWith('process-'))).toEqual([]);
  });

  it('is told of as refused when it is not there', async () => {
    const kept = await keep(cleanup, { settings: { attach: true } });
    expect(await kept.input('redis-down')).toMatchObject({ refused: true });
    kept.say({ do: 'look' });
    expect(await kept.input('looked')).toEqual({ on: 'looked', look: { state: 'unknown' } });
  });
});

it('gives a Redis that it takes over the password of now, for when it follows another', async () => {
  const auth = (value: string) => ({ user: 'tanist', password: { value, from: 'file' as const } });
  const first = await keep(cleanup, { settings: { auth: auth('old') } });
  const pid = await first.start();
  await first.input('redis-up');
  expect(await first.ask('CONFIG', 'GET', 'masterauth')).toEqual(['masterauth', 'old']);
  await first.ask('ACL', 'SETUSER', 'tanist', '>new');
  await first.runner.stop();
  const { port, directory, stateDirectory } = first;
  const next = await keep(cleanup, { port, directory, stateDirectory, settings: { auth: auth('new') } });
  expect(await next.start()).toBe(pid);
  await next.input('redis-up');
  expect(await next.ask('CONFIG', 'GET', 'masterauth')).toEqual(['masterauth', 'new']);
  expect(await next.ask('CONFIG', 'GET', 'masteruser')).toEqual(['masteruser', 'tanist']);
});

describe('the link', () => {
  it('gives no reply of a Redis that hangs, keeps few requests, and goes on when it thaws', async () => {
    const kept = await keep(cleanup);
    const pid = await kept.start();
    process.kill(pid, 'SIGSTOP');
    for (let i = 0; i < 100; i++) kept.say({ do: 'send', tag: 'ping', args: ['PING'] });
    expect(kept.logs.filter((line) => line.includes('PING is not sent: too much is unanswered'))).toHaveLength(92);
    process.kill(pid, 'SIGCONT');
    await kept.input('reply', 8);
    kept.say({ do: 'send', tag: 'ping', args: ['PING'] });
    await kept.input('reply', 9);
    expect(kept.core.all('reply')).toHaveLength(9);
  });

  it('tells of LOADING as of any other answer', async () => {
    const kept = await keep(cleanup);
    const config = join(tempDir(cleanup), 'redis.conf');
    writeFileSync(config, 'key-load-delay 5000\nloading-process-events-interval-bytes 1024\n');
    const { port, directory, stateDirectory } = kept;
    const slow = await keep(cleanup, { port, directory, stateDirectory, settings: { config } });
    await kept.start();
    await kept.ask('REPLICAOF', 'NO', 'ONE');
    await kept.cli('EVAL', "for i = 1, 2000 do redis.call('SET', i, string.rep('x', 50)) end", 0);
    await kept.cli('SAVE');
    kept.say({ do: 'kill-redis', reason: 'a test' });
    await kept.input('process-ended');
    slow.say({ do: 'start-redis' });
    await slow.input('redis-up');
    expect(await slow.ask('PING')).toMatchObject({ code: 'LOADING' });
    expect(await slow.ask('INFO', 'persistence')).toMatch(/loading:1/);
  });
});

describe('effects', () => {
  it('of writing down are done before those that follow', async () => {
    const kept = await keep(cleanup);
    const memory = { role: 'master', epoch: 7, replId: 'abc', offset: 12, keys: 3 } as const;
    const { path } = new MemoryFile(kept.stateDirectory, 'main', () => {});
    let written = '';
    kept.core.onInput = (input) => {
      if (input.on === 'hand-over-over') written = readFileSync(path, 'utf8');
      return [];
    };
    kept.core.queue({ do: 'persist', memory, soon: false }, { do: 'ask-siblings' });
    kept.runner.deliver({ on: 'tick' });
    kept.runner.deliver({ on: 'hand-over-over' });
    expect(JSON.parse(written)).toEqual(memory);
    expect(kept.asked).toEqual(['siblings']);
  });

  it('are carried out in their order, inputs of their own after them', async () => {
    const kept = await keep(cleanup);
    kept.core.onInput = (input) =>
      input.on === 'hand-over-over'
        ? [
            { do: 'grant-vip', until: 5 },
            { do: 'revoke-vip', reason: 'over' },
            { do: 'became', state: 'fenced', from: 'master', reason: 'a test' },
          ]
        : [];
    kept.runner.deliver({ on: 'hand-over-over' });
    expect(kept.vip).toEqual(['granted until 5', 'revoked: over']);
    expect(kept.became).toEqual(['fenced']);
  });

  it('ticks at the deadline of the core, and not before', async () => {
    const kept = await keep(cleanup);
    const due = bootTime_ms() + 30;
    let rang = 0;
    kept.core.onInput = (input) => {
      if (input.on === 'tick' && bootTime_ms() >= due) {
        rang = bootTime_ms();
        kept.core.deadline = Number.POSITIVE_INFINITY;
      }
      return [];
    };
    kept.core.deadline = due;
    kept.runner.deliver({ on: 'vip', held: false });
    await until(() => rang > 0, { what: 'the tick' });
    expect(kept.core.all('tick').length).toBeLessThanOrEqual(3);
  });
});
