import { describe, expect, it } from 'vitest';
import { SentinelDriver } from '../../../test/support/sentinel-driver.js';
import { MAX_PENDING_COMMANDS } from './timing.js';

describe('a connection that is full of unanswered requests', () => {
  it('counts as silent although no PING can be sent on it, and is replaced', () => {
    const driver = new SentinelDriver();
    driver.advance(5_000);
    const replica = driver.group.replicas.get('10.0.0.1:2');
    if (replica === undefined) throw new Error('the replica is not known');
    driver.fake(2).state = 'silent';
    replica.link.pending = MAX_PENDING_COMMANDS;
    driver.advance(3_000);
    expect(replica.sdownSince).not.toBeNull();
    const { id } = replica.link.command;
    driver.fake(2).state = 'up';
    driver.advance(20_000);
    expect(replica.link.command.id).not.toBe(id);
    expect(replica.sdownSince).toBeNull();
  });
});

describe('how long answers take', () => {
  it('is the longest of late, and fades', () => {
    const driver = new SentinelDriver();
    driver.advance(5_000);
    const { link } = driver.group.master;
    expect(link.roundTrip_ms).toBe(0);
    driver.fake(1).state = 'silent';
    driver.advance(500);
    const took_ms = driver.now - (link.activePingSince ?? driver.now);
    driver.fake(1).state = 'up';
    driver.input({ on: 'reply', conn: link.command.id, tag: { kind: 'ping' }, reply: 'PONG' });
    expect(took_ms).toBeGreaterThan(200);
    expect(link.roundTrip_ms).toBe(took_ms);
    driver.advance(10_000);
    expect(link.roundTrip_ms).toBeLessThan(took_ms / 100);
  });
});
