import { expect, it } from 'vitest';
import { clusterConfig, groupConfig } from '../../test/support/tanist-config.js';
import type { ClusterMode } from '../config/tanist/model.js';
import { groupView } from './cluster-view.js';

/** A group whose Sentinel starts no failover by itself. */
function pausedIn(mode: ClusterMode): boolean | undefined {
  const picture = {
    name: 'mymaster',
    epoch: 1,
    master: { host: '10.0.0.1', port: 6379 },
    paused: true,
    failover: null,
    nodes: [],
    sentinels: [],
  };
  const choice = { chosen: null, reasons: [] };
  const sources = { config: groupConfig(), picture, choice, words: new Map(), asked: 'local' } as const;
  return groupView(clusterConfig({ mode }), sources).paused;
}

it('shows a pause for maintenance, and not that the Sentinels of a pair never decide', () => {
  expect(pausedIn('quorum')).toBe(true);
  expect(pausedIn('pair')).toBe(false);
});
