import type { CommandEntry } from './program.js';

/**
 * Every command of `tanist`, in the order of the help. A command is one file here that exports `command()`; it is
 * loaded only when it is called for, so that no start pays for the others.
 */
export const commands: readonly CommandEntry[] = [
  {
    name: 'sentinel',
    summary: 'a Sentinel: watch masters, agree, fail over',
    load: () => import('./sentinel.js'),
  },
  {
    name: 'vrrp',
    summary: 'a VRRP router: keep a virtual IP on the host that is fit for it',
    load: () => import('./vrrp.js'),
  },
  {
    name: 'demo',
    summary: 'watch a failover: three Redis, three Sentinels, faults by key',
    load: () => import('./demo.js'),
  },
  {
    name: 'proxy',
    summary: 'a sharding proxy that reads nutcracker.yml and follows failovers',
    load: () => import('./proxy.js'),
  },
  {
    name: 'check',
    summary: 'say what a tanist.yml means, and what in it is dangerous',
    load: () => import('./check.js'),
  },
];
