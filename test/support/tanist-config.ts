/** A tanist.yml as read, for tests that need no file: two Redis hosts and a witness, one group with a VIP. */
import type { GroupConfig, HostConfig, TanistConfig, VipConfig } from '../../src/config/tanist/model.js';

export function hostConfig(name: string, address: string, more: Partial<HostConfig> = {}): HostConfig {
  return { name, address, witness: false, interface: null, ...more };
}

export function vipConfig(address: string, more: Partial<VipConfig> = {}): VipConfig {
  return { address, prefix: address.includes(':') ? 64 : 24, interface: null, vrid: 51, ...more };
}

export function groupConfig(more: Partial<GroupConfig> = {}): GroupConfig {
  return {
    name: 'mymaster',
    hosts: ['a', 'b'],
    redis: {
      port: 6379,
      program: 'redis-server',
      config: null,
      directory: '/var/lib/tanist/mymaster',
      attach: false,
      auth: null,
      tls: null,
      bind: [],
      hangAfter_ms: 1000,
      busyLimit_ms: 10_000,
      candidateLagMax_bytes: null,
    },
    vips: [vipConfig('10.0.0.100')],
    durability: 'async',
    failback: { when: 'never' },
    ...more,
  };
}

export function clusterConfig(more: Partial<TanistConfig> = {}): TanistConfig {
  return {
    file: 'tanist.yml',
    cluster: 'tanist',
    mode: 'quorum',
    hosts: [hostConfig('a', '10.0.0.1'), hostConfig('b', '10.0.0.2'), hostConfig('w', '10.0.0.3', { witness: true })],
    groups: [groupConfig()],
    lease: { ttl_ms: 1000 },
    sentinel: { port: 26379, auth: null, downAfter_ms: 5000, failoverTimeout_ms: 60_000 },
    proxy: null,
    api: { host: '127.0.0.1', port: 8008, token: null },
    arbiter: null,
    hooks: [],
    stateDirectory: '/var/lib/tanist',
    logLevel: 'notice',
    ...more,
  };
}
