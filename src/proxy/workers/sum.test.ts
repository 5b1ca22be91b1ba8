import { describe, expect, it } from 'vitest';
import { PoolStats, ServerStats } from '../forward/stats.js';
import { LatencyTable } from '../measure/latency.js';
import type { PoolSnapshot } from '../measure/snapshot.js';
import { remainsOf, sumOf, withRemains } from './sum.js';

function pool(name: string, of: Partial<ServerStats>, commands: readonly number[], up = true): PoolSnapshot {
  const latency = new LatencyTable(['other', 'get', 'set']);
  for (const command of commands) latency.note(command, 1);
  return {
    name,
    stats: Object.assign(new PoolStats(), { client_connections: 2, fragments: 3 }),
    totalConnections: 5,
    currentConnections: 4,
    slowRequests: 1,
    servers: [{ label: 's', stats: Object.assign(new ServerStats(), of), up }],
    commands: latency.used(),
  };
}

describe('the sum of workers', () => {
  it('adds what counts, takes the latest time, and is up where all are', () => {
    const one = pool('a', { requests: 7, in_queue: 1, server_ejected_at: 10 }, [1, 1, 2]);
    const two = pool('a', { requests: 5, server_ejected_at: 30 }, [1], false);
    const [sum, other, ...rest] = sumOf([one, pool('b', {}, []), two]);
    expect(rest).toEqual([]);
    expect(other?.name).toBe('b');
    expect(sum).toMatchObject({ name: 'a', totalConnections: 10, currentConnections: 8, slowRequests: 2 });
    expect(sum?.stats).toMatchObject({ client_connections: 4, fragments: 6 });
    expect(sum?.servers).toMatchObject([
      { label: 's', up: false, stats: { requests: 12, in_queue: 1, server_ejected_at: 30 } },
    ]);
    expect(sum?.commands.map(({ name, sum_us, counts }) => [name, sum_us, counts[10]])).toEqual([
      ['get', 3000, 3],
      ['set', 1000, 1],
    ]);
  });

  it('keeps what an ended one has counted, and nothing that it held', () => {
    const remains = remainsOf({
      version: '',
      startedAt_ms: 0,
      pools: [pool('a', { requests: 7, in_queue: 3, server_connections: 2 }, [1], false), pool('gone', {}, [])],
    });
    const [sum, ...rest] = withRemains([pool('a', { requests: 1, server_connections: 1 }, [1])], remains);
    expect(rest).toEqual([]);
    expect(sum?.stats).toMatchObject({ client_connections: 2, fragments: 6 });
    expect(sum?.servers).toMatchObject([{ up: true, stats: { requests: 8, in_queue: 0, server_connections: 1 } }]);
    expect(sum).toMatchObject({ currentConnections: 4, totalConnections: 10 });
    expect(sum?.commands.map(({ counts }) => counts[10])).toEqual([2]);
  });
});
