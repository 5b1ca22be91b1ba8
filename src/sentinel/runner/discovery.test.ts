import { expect, it } from 'vitest';
import { MASTER_CONF_DEFAULTS, type MasterConf, type SentinelState } from '../../config/sentinel-types.js';
import { differOnlyInDiscovery } from './discovery.js';

function state(master: Partial<MasterConf> = {}, settings: Partial<SentinelState> = {}): SentinelState {
  return {
    myId: 'a'.repeat(40),
    currentEpoch: 1,
    announceIp: '',
    announcePort: 0,
    resolveHostnames: false,
    announceHostnames: false,
    denyScriptsReconfig: false,
    sentinelUser: '',
    sentinelPass: '',
    masters: [{ ...MASTER_CONF_DEFAULTS, name: 'm', host: '10.0.0.1', port: 1, quorum: 2, ...master }],
    ...settings,
  };
}

it('finds what was discovered not urgent', () => {
  const replicas = [{ host: '10.0.0.2', port: 1 }];
  const sentinels = [{ host: '10.0.0.3', port: 2, runId: 'b'.repeat(40) }];
  expect(differOnlyInDiscovery(state(), state({ replicas, sentinels }))).toBe(true);
  expect(differOnlyInDiscovery(state(), state())).toBe(true);
});

it.each<[string, SentinelState]>([
  ['an epoch', state({}, { currentEpoch: 2 })],
  ['a vote', state({ leaderEpoch: 2 })],
  ['whom it went to', state({ votedLeader: 'c'.repeat(40) })],
  ['a configuration', state({ configEpoch: 2 })],
  ['a master', state({ host: '10.0.0.2' })],
  ['a setting', state({ quorum: 3 })],
  ['a renamed command', state({ renamedCommands: { PING: 'P' } })],
  ['a setting of the whole', state({}, { announcePort: 7 })],
  ['another master', state({}, { masters: [] })],
])('finds %s urgent', (_, after) => {
  expect(differOnlyInDiscovery(state(), after)).toBe(false);
});
