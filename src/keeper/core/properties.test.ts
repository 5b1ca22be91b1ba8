/**
 * Whatever happens, in whatever order: writes and VIP are here only while a majority of voters will vote for nobody else.
 * The driver watches that at every moment; here it is led through random histories.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KeeperDriver } from '../../../test/support/keeper-driver.js';
import { B, C, SELF } from '../../../test/support/keeper-fakes.js';
import { Prng } from '../../base/prng.js';
import { ErrorReply, OK } from '../../redis/reply.js';
import type { Effect, Input } from './io.js';
import { createKeeper, nextDeadline, step } from './step.js';

const RUNS = Number(process.env['KEEPER_RUNS'] ?? 40);

type Act =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'freeze'; readonly ms: number }
  | { readonly do: 'kill' | 'stop-process' | 'busy' | 'wake' | 'lose-link' | 'find-link' | 'refuse' }
  | { readonly do: 'voter'; readonly which: number; readonly reachable: boolean; readonly delay_ms: number }
  | { readonly do: 'voter-refuses'; readonly which: number; readonly refuses: boolean }
  | { readonly do: 'record'; readonly to: 'self' | 'b' | 'c'; readonly voters: number; readonly local: boolean }
  | { readonly do: 'sibling'; readonly alive: boolean; readonly master: boolean; readonly offset: number }
  | { readonly do: 'write'; readonly bytes: number }
  | { readonly do: 'hand-over'; readonly ms: number }
  | { readonly do: 'hand-over-over' }
  | { readonly do: 'maintenance'; readonly on: boolean }
  | { readonly do: 'vip-held'; readonly held: boolean }
  | { readonly do: 'save'; readonly fails: boolean };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 1_500 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('freeze' as const), ms: fc.integer({ min: 1, max: 2_500 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('kill', 'stop-process', 'busy', 'wake', 'lose-link', 'find-link', 'refuse' as const),
    }) as fc.Arbitrary<Act>,
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('voter' as const),
      which: fc.nat(4),
      reachable: fc.boolean(),
      delay_ms: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 600 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('voter-refuses' as const), which: fc.nat(4), refuses: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('record' as const),
      to: fc.constantFrom('self', 'b', 'c' as const),
      voters: fc.nat(31),
      local: fc.boolean(),
    }) as fc.Arbitrary<Act>,
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('sibling' as const),
      alive: fc.boolean(),
      master: fc.boolean(),
      offset: fc.integer({ min: 900, max: 1_200 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('write' as const), bytes: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hand-over' as const), ms: fc.nat(3_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hand-over-over' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('maintenance' as const), on: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('vip-held' as const), held: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('save' as const), fails: fc.boolean() }) },
);

/** The newest record anywhere. */
function newestEpoch(d: KeeperDriver): number {
  return Math.max(0, ...d.voters.map(({ record }) => record?.epoch ?? 0), d.keeper.localRecord?.epoch ?? 0);
}

function perform(d: KeeperDriver, one: Act): void {
  switch (one.do) {
    case 'wait':
      return d.advance(one.ms);
    case 'freeze': {
      // The agent is not run; the router's child process drops the VIP by itself. Redis goes on: that is the limit of it.
      d.skip(one.ms);
      return;
    }
    case 'kill':
      if (d.redis.state === 'up') d.kill();
      return;
    case 'stop-process':
      if (d.redis.state === 'up') d.redis.state = 'stopped';
      return;
    case 'busy':
      if (d.redis.state === 'up') d.redis.state = 'busy';
      return;
    case 'wake':
      if (d.redis.state === 'stopped' || d.redis.state === 'busy') d.wake();
      return;
    case 'lose-link':
      if (d.linked) d.disconnect('the connection was reset', false);
      // In maintenance nothing is ended, and what cannot be reached cannot be paused: the limit of it.
      if (d.keeper.paused) d.later(200, () => d.connect());
      return;
    case 'find-link':
      d.wakeAll();
      return d.connect();
    case 'refuse':
      if (d.redis.refuses.size > 0) d.redis.refuses.clear();
      else d.redis.refuses.set('EXEC', 'EXECABORT');
      return;
    case 'voter': {
      const voter = d.voters[one.which % d.voters.length];
      if (voter === undefined) return;
      voter.reachable = one.reachable;
      voter.delay_ms = one.delay_ms;
      return;
    }
    case 'voter-refuses': {
      const voter = d.voters[one.which % d.voters.length];
      if (voter !== undefined) voter.refuses = one.refuses ? 'it voted' : null;
      return;
    }
    case 'record': {
      const master = { self: SELF, b: B, c: C }[one.to];
      const record = { epoch: newestEpoch(d) + 1, master };
      d.voters.forEach((voter, index) => {
        if (((one.voters >> index) & 1) === 1) voter.record = record;
      });
      if (one.local) d.tellRecord(record);
      return;
    }
    case 'sibling':
      return d.setSibling(B, {
        alive: one.alive,
        role: one.master ? 'master' : 'replica',
        replId2: d.redis.replId,
        replId: 'n'.repeat(40),
        secondOffset: one.offset,
        offset: one.offset,
      });
    case 'write':
      if (d.writable) d.redis.offset += one.bytes;
      return;
    case 'hand-over':
      d.input({ on: 'hand-over', deadline_ms: one.ms });
      return;
    case 'hand-over-over':
      d.input({ on: 'hand-over-over' });
      return;
    case 'maintenance':
      if (d.linked) d.tellRecord(d.keeper.localRecord ?? { epoch: 0, master: SELF }, one.on);
      return;
    case 'vip-held':
      d.input({ on: 'vip', held: one.held });
      return;
    case 'save':
      d.save = one.fails ? { why: 'no space' } : { path: '/saved' };
  }
}

/** The VIP goes before writes pause, and they pause before a demotion; what is to survive is written down before. */
function expectOrder(effects: readonly Effect[]): void {
  const sent = effects.map((each) => (each.do === 'send' ? each.args.join(' ') : each.do));
  const at = (text: string): number => sent.findIndex((each) => each.startsWith(text));
  const [revoke, pause, demote] = [at('revoke-vip'), at('CLIENT PAUSE'), at('REPLICAOF 127.0.0.1')];
  if (revoke !== -1 && pause !== -1) expect(revoke).toBeLessThan(pause);
  if (pause !== -1 && demote !== -1) expect(pause).toBeLessThan(demote);
  if (revoke !== -1 && demote !== -1) expect(revoke).toBeLessThan(demote);
  const release = effects.findIndex((each) => each.do === 'ask-lease' && each.ttl_ms === 0);
  if (release !== -1 && revoke !== -1) expect(revoke).toBeLessThan(release);
}

describe('a keeper', () => {
  it('never takes writes, holds the VIP, or promotes without a lease', () => {
    fc.assert(
      fc.property(
        fc.array(act, { minLength: 5, maxLength: 40 }),
        fc.integer(),
        fc.constantFrom(1, 3, 5),
        fc.constantFrom(200, 500, 1_000, 3_000),
        (acts, seed, voters, ttl_ms) => {
          const ids = ['a', 'b', 'c', 'd', 'e'].slice(0, voters);
          const d = new KeeperDriver({ seed, settings: { voters: ids, ttl_ms } });
          d.onEffects = (effects) => {
            expect(effects.length).toBeLessThan(20 + 3 * voters);
            expectOrder(effects);
          };
          d.advance(1);
          for (const one of acts) {
            perform(d, one);
            expect(nextDeadline(d.keeper)).toBeGreaterThan(d.now);
          }
          const { prng: _, ...state } = d.keeper;
          expect(JSON.stringify(state).length).toBeLessThan(20_000);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('leads in the end, once everything is well and the record names it', () => {
    fc.assert(
      fc.property(fc.array(act, { minLength: 5, maxLength: 40 }), fc.integer(), (acts, seed) => {
        const d = new KeeperDriver({ seed });
        for (const one of acts) perform(d, one);
        d.redis.refuses.clear();
        d.save = { path: '/saved' };
        d.input({ on: 'hand-over-over' });
        for (const voter of d.voters) {
          voter.reachable = true;
          voter.delay_ms = 1;
          voter.refuses = null;
        }
        for (const place of [B, C]) d.setSibling(place, { alive: false });
        d.setRecord({ epoch: newestEpoch(d) + 1, master: SELF });
        d.wakeAll();
        d.connect();
        d.advanceUntil(() => d.state === 'master' && d.writable, 20_000);
      }),
      { numRuns: RUNS },
    );
  });

  it('follows in the end, once everything is well and the record names another', () => {
    fc.assert(
      fc.property(fc.array(act, { minLength: 5, maxLength: 40 }), fc.integer(), (acts, seed) => {
        const d = new KeeperDriver({ seed });
        for (const one of acts) perform(d, one);
        d.redis.refuses.clear();
        d.save = { path: '/saved' };
        for (const voter of d.voters) {
          voter.reachable = true;
          voter.delay_ms = 1;
        }
        d.setSibling(B, { role: 'master', replId: 'z'.repeat(40) });
        d.setRecord({ epoch: newestEpoch(d) + 1, master: B });
        d.wakeAll();
        d.connect();
        d.advanceUntil(() => d.state === 'replica' && d.redis.linkUp, 90_000);
        expect(d.redis.follows).toEqual(B);
        expect(d.redis.pausedUntil).toBeLessThanOrEqual(d.now);
      }),
      { numRuns: RUNS },
    );
  });
});

/** Inputs that no runner would send in this order. */
const place = fc.constantFrom(SELF, B, C);
const record = fc.record({ epoch: fc.nat(5), master: place });
const tag = fc.constantFrom('ping', 'info', 'follow', 'promote', 'pause', 'unpause', 'limits', 'ignore' as const);
const input = fc.oneof(
  fc.constantFrom<Input>(
    { on: 'tick' },
    { on: 'redis-up' },
    { on: 'redis-down', why: 'reset', refused: false },
    { on: 'redis-down', why: 'refused', refused: true },
    { on: 'redis-login-refused', why: 'WRONGPASS' },
    { on: 'process-running', pid: 7, adopted: true },
    { on: 'process-running', pid: 8, adopted: false },
    { on: 'process-ended', how: 'signal 9' },
    { on: 'process-failed', why: 'no such file' },
    { on: 'saved', path: '/x' },
    { on: 'save-failed', why: 'disk full' },
    { on: 'hand-over', deadline_ms: 100 },
    { on: 'hand-over-over' },
    { on: 'vip', held: true },
    { on: 'vip', held: false },
    { on: 'lease-freed' },
    { on: 'pair', state: 'master' },
    { on: 'pair', state: 'backup' },
    { on: 'pair', state: 'fault' },
    { on: 'looked', look: { state: 'gone' } },
    { on: 'looked', look: { state: 'stopped' } },
    { on: 'looked', look: { state: 'unknown' } },
    { on: 'looked', look: { state: 'running', cpuMoved: false } },
  ),
  fc.record({ on: fc.constant('record' as const), record, paused: fc.boolean() }),
  fc.record({
    on: fc.constant('lease' as const),
    voter: fc.constantFrom('a', 'b', 'c', 'x'),
    ask: fc.nat(200),
    granted: fc.boolean(),
    reason: fc.constantFrom('', 'no'),
    record: fc.option(record),
  }),
  fc.record({
    on: fc.constant('lease-failed' as const),
    voter: fc.constantFrom('a', 'b', 'c'),
    ask: fc.nat(200),
    why: fc.constant('unreachable'),
  }),
  fc.record({
    on: fc.constant('reply' as const),
    tag,
    reply: fc.oneof(
      fc.constantFrom(OK, null, 'PONG', 12, new ErrorReply('BUSY x'), new ErrorReply('ERR x'), [new ErrorReply('E')]),
      fc
        .record({ role: fc.constantFrom('master', 'slave'), offset: fc.nat(2_000), keys: fc.nat(3), run: fc.nat(2) })
        .map(({ role, offset, keys, run }) =>
          [
            `role:${role}`,
            `run_id:${run}`,
            'master_host:10.0.0.2',
            'master_port:6379',
            'master_link_status:up',
            `master_replid:${'r'.repeat(40)}`,
            `master_repl_offset:${offset}`,
            `db0:keys=${keys},expires=0`,
          ].join('\r\n'),
        ),
    ),
  }),
);

describe('a keeper that is told anything', () => {
  it.each(['quorum', 'pair', 'no lease', 'attach'] as const)('%s: neither fails nor grows nor spins', (kind) => {
    fc.assert(
      fc.property(fc.array(fc.tuple(input, fc.nat(400)), { maxLength: 150 }), fc.integer(), (inputs, seed) => {
        const { settings } = new KeeperDriver();
        const k = createKeeper(
          {
            ...settings,
            mode: kind === 'pair' ? 'pair' : 'quorum',
            ttl_ms: kind === 'quorum' || kind === 'attach' ? 1_000 : null,
            attach: kind === 'attach',
          },
          null,
          new Prng(seed),
          0,
        );
        let now = 0;
        for (const [each, wait_ms] of inputs) {
          now += wait_ms;
          const effects = step(k, now, each as Input);
          expect(effects.length).toBeLessThan(40);
          expectOrder(effects);
          expect(nextDeadline(k)).toBeGreaterThan(now);
          if (effects.some((effect) => effect.do === 'send')) expect(k.redis.link).toBe('up');
        }
        const { prng: _, ...state } = k;
        expect(JSON.stringify(state).length).toBeLessThan(20_000);
      }),
      { numRuns: RUNS * 3 },
    );
  });
});
