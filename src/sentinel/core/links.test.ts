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
