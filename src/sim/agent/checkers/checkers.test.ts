import { describe, expect, it } from 'vitest';
import type { HostSight } from '../sight.js';
import { whyUnbounded } from './bounded-loss.js';
import { HandedOver } from './handed-over.js';
import { Fenced, VipLeased } from './leased-only.js';
import { NothingLost, SavedFirst } from './losses.js';
import { OneVip, OneWritable } from './one-writable.js';
import { PairVip } from './pair-vip.js';

function host(name: string, more: Partial<HostSight> = {}): HostSight {
  const steady = { agentSteady: true, redisSteady: true, routerSteady: true };
  return { name, vip: false, writable: false, leasedUntil: 0, ...steady, ...more };
}

const leads = { vip: true, writable: true, leasedUntil: 500 };

describe('checkers of what is to be seen', () => {
  it('see two leased masters that take writes', () => {
    const checker = new OneWritable();
    expect(checker.look('g1', [host('a', leads), host('b', { writable: true, leasedUntil: 90 })], 100)).toBeNull();
    expect(checker.look('g1', [host('a', leads), host('b', leads)], 100)).toBe(
      'a and b of g1 take writes, both leased',
    );
  });

  it('see two hosts with the VIP, unless router and agent have failed together', () => {
    const checker = new OneVip();
    const left = { ...leads, leasedUntil: 0 };
    expect(checker.look('g1', [host('a', leads), host('b', { vip: true })])).toBeNull();
    expect(checker.look('g1', [host('a', leads), host('b', left)])).toBe('a and b have the VIP of g1, and take writes');
    const failed = { agentSteady: false, routerSteady: false };
    expect(checker.look('g1', [host('a', leads), host('b', { ...left, ...failed })])).toBeNull();
  });

  it('see a VIP without the lease', () => {
    const checker = new VipLeased();
    expect(checker.look('g1', [host('a', leads)], 504)).toBeNull();
    expect(checker.look('g1', [host('a', leads)], 510)).toBe('a has the VIP of g1 10.0 ms after its lease');
    expect(checker.look('g1', [host('a', { ...leads, routerSteady: false })], 510)).toBeNull();
  });

  it('see a master that led and is not fenced; one that never led may have been promoted a moment ago', () => {
    const checker = new Fenced();
    expect(checker.look('g1', [host('b', { writable: true })], 1_000)).toBeNull();
    expect(checker.look('g1', [host('a', leads)], 400)).toBeNull();
    expect(checker.look('g1', [host('a', leads)], 520)).toBeNull();
    expect(checker.look('g1', [host('a', leads)], 540)).toBe('a takes writes of g1 40.0 ms after its lease');
    expect(checker.look('g1', [host('a', { ...leads, agentSteady: false })], 540)).toBeNull();
    expect(checker.look('g1', [host('a', { leasedUntil: 500 })], 550)).toBeNull();
  });
});

describe('the checker of planned changes', () => {
  const old = host('a', { leasedUntil: 10_000 });
  const fenced = host('b');
  const handOver = { from: 'a', at: 10_000, durable: false };

  function handedOver(more: { wellSince?: number; durable?: boolean } = {}): HandedOver {
    const checker = new HandedOver(() => more.wellSince ?? 0);
    checker.cameAbout('g1', { ...handOver, durable: more.durable ?? false });
    return checker;
  }

  it('sees that nobody takes writes after a hand-over', () => {
    const checker = handedOver();
    expect(checker.look('g1', [old, fenced], 10_099)).toBeNull();
    expect(checker.look('g2', [old, fenced], 10_101)).toBeNull();
    expect(checker.look('g1', [old, fenced], 10_101)).toBe(
      'nobody takes writes of g1 101 ms after a has handed it over',
    );
  });

  it('is content once another leads', () => {
    const checker = handedOver();
    expect(checker.look('g1', [old, host('b', { leasedUntil: 11_000 })], 10_050)).toBeNull();
    expect(checker.look('g1', [old, host('b', { ...leads, leasedUntil: 11_000 })], 10_060)).toBeNull();
    expect(checker.look('g1', [old, fenced], 10_500)).toBeNull();
    // A replica may have to take over all data before a write is confirmed.
    const durable = handedOver({ durable: true });
    expect(durable.look('g1', [old, host('b', { leasedUntil: 11_000 })], 10_050)).toBeNull();
    expect(durable.look('g1', [old, fenced], 10_500)).toBeNull();
  });

  it('expects nothing where something else is amiss, or of a change that is over', () => {
    expect(handedOver({ wellSince: 6_500 }).look('g1', [old, fenced], 10_500)).toBeNull();
    const checker = handedOver();
    checker.begins('g1');
    expect(checker.look('g1', [old, fenced], 10_500)).toBeNull();
  });
});

describe('the checker of a pair', () => {
  const two = [host('a', { vip: true, writable: true }), host('b', { vip: true, writable: true })];
  const idle = [host('a', { vip: true })];

  it('lets both lead while they do not hear each other, and for the time of an election after', () => {
    let quietSince = Number.POSITIVE_INFINITY;
    const checker = new PairVip(() => quietSince);
    expect(checker.look('g1', two, 1_000)).toBeNull();
    expect(checker.look('g1', two, 60_000)).toBeNull();
    quietSince = 60_000;
    expect(checker.look('g1', two, 62_400)).toBeNull();
    expect(checker.look('g1', two, 62_600)).toBe('two hosts have the VIP of g1');
  });

  it('sees a VIP that stays where nothing is written', () => {
    const checker = new PairVip(() => 0);
    expect(checker.look('g1', idle, 1_000)).toBeNull();
    expect(checker.look('g1', [host('a', leads)], 5_000)).toBeNull();
    expect(checker.look('g1', idle, 6_000)).toBeNull();
    expect(checker.look('g1', idle, 10_400)).toBeNull();
    expect(checker.look('g1', idle, 10_600)).toBe('a has the VIP of g1, and takes no writes');
  });
});

describe('checkers of losses', () => {
  it('see a master without an agent that goes on after its replicas have left it', () => {
    expect(whyUnbounded({ name: 'g1a', ttl_ms: 1_000, silent_ms: 2_900 })).toBeNull();
    expect(whyUnbounded({ name: 'g1a', ttl_ms: 3_000, silent_ms: 3_900 })).toBeNull();
    expect(whyUnbounded({ name: 'g1a', ttl_ms: 1_000, silent_ms: 3_100 })).toBe(
      'g1a takes writes 3100 ms after a replica was heard last',
    );
  });

  const had = [1, 2, 3].map((id) => ({ id, end: id }));
  const replaced = { kind: 'replaced', group: 'g1', redis: 'g1a', had, has: had.slice(0, 1) } as const;

  it('see what is discarded and was not put aside, where somebody was there to do it', () => {
    const saved = new Set([2]);
    expect(
      new SavedFirst(
        () => saved,
        () => true,
      ).take(replaced),
    ).toBe('g1a loses 1 writes, write 3 first');
    expect(
      new SavedFirst(
        () => saved.add(3),
        () => true,
      ).take(replaced),
    ).toBeNull();
    expect(
      new SavedFirst(
        () => new Set(),
        () => false,
      ).take(replaced),
    ).toBeNull();
  });

  it('see an acknowledged write that is lost, where none may be', () => {
    const outcome = { group: 'g1', beliefs: [], redises: [], held: new Set([1]), leased: null, durable: true };
    const ended = { kind: 'ended', converged: true, lossAllowed: true, groups: [outcome] } as const;
    const check = (owes: boolean, write: number): string | null => {
      const checker = new NothingLost('durable', owes);
      checker.take({ kind: 'acknowledged', group: 'g1', write, by: 'g1a' });
      return checker.take(ended);
    };
    expect(check(true, 1)).toBeNull();
    expect(check(true, 2)).toBe('write 2 of g1, acknowledged by g1a, is lost');
    expect(check(false, 2)).toBeNull();
  });
});
