import { expect, it } from 'vitest';
import { readTanistConfig } from '../config/tanist/read.js';
import { sentinelId } from './identity.js';
import { strangerWarnings } from './strangers.js';

const THREE = 'hosts: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3}\n';

function picture(
  ...sentinels: readonly { readonly runId: string; readonly host: string; readonly answers?: boolean }[]
) {
  const full = sentinels.map((each) => ({ port: 26379, answers: true, ...each }));
  return {
    name: 'mymaster',
    epoch: 1,
    master: { host: '', port: 0 },
    paused: false,
    failover: null,
    nodes: [],
    sentinels: full,
  };
}

it('are told of by their address, once, while they answer', () => {
  const config = readTanistConfig(THREE, 'tanist.yml');
  const known = { runId: sentinelId('tanist', 'b'), host: '10.0.0.2' };
  const other = { runId: sentinelId('tanist', 'd'), host: '10.0.0.4' };
  const told = strangerWarnings(config, [picture(known, other), picture(other), null]);
  expect(told).toEqual([
    expect.stringMatching(/^a Sentinel votes at 10\.0\.0\.4:26379 that this tanist\.yml does not name/),
  ]);
  expect(strangerWarnings(config, [picture(known, { ...other, answers: false })])).toEqual([]);
});

it('are meant to be there in a migration', () => {
  const config = readTanistConfig(`${THREE}lease: off\n`, 'tanist.yml');
  expect(strangerWarnings(config, [picture({ runId: 'f'.repeat(40), host: '10.0.0.4' })])).toEqual([]);
});
