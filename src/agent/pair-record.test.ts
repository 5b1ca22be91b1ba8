import { expect, it } from 'vitest';
import { clusterConfig, hostConfig } from '../../test/support/tanist-config.js';
import { parseHello } from '../sentinel/core/hello.js';
import { sentinelId } from './identity.js';
import { pairNews } from './pair-record.js';

const a = hostConfig('a', '10.0.0.1');
const b = hostConfig('b', '10.0.0.2');
const config = clusterConfig({ mode: 'pair', hosts: [a, b] });
const A = { host: a.address, port: 6379 };
const B = { host: b.address, port: 6379 };

/** What host `self` tells its Sentinel, whose record it is. */
function told(self: typeof a, leader: typeof A | null, epoch: number, master: typeof A) {
  const news = pairNews(config, self, 'mymaster', leader, { epoch, master });
  const hello = news === null ? null : parseHello(news[2] ?? '');
  return hello && { from: hello.runId, epoch: hello.configEpoch, host: hello.masterHost };
}

it('tells of a Redis that has begun to lead under the next epoch, in the name of the other host', () => {
  expect(told(b, B, 4, A)).toEqual({ from: sentinelId(config.cluster, 'a'), epoch: 5, host: B.host });
});

it('tells nothing when the record says it already, or nothing is settled', () => {
  expect(told(a, A, 4, A)).toBeNull();
  expect(told(b, A, 4, A)).toBeNull();
  expect(told(a, null, 4, B)).toBeNull();
});

it('brings together records that went apart under one epoch', () => {
  // Both led in epoch 5. Now a leads: the Sentinel of b would neither give way to an equal epoch, nor make that of a.
  expect(told(a, A, 5, A)).toBeNull();
  expect(told(b, A, 5, B)).toMatchObject({ epoch: 6, host: A.host });
});

it('tells again when the other host, cut off, had told of itself under a later epoch', () => {
  expect(told(a, A, 5, B)).toMatchObject({ epoch: 6, host: A.host });
});
