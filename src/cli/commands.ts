import type { CommandEntry } from './program.js';

/**
 * Every command of `tanist`, in the order of the help. A command is one file here that exports `command()`; it is
 * loaded only when it is called for, so that no start pays for the others.
 */
export const commands: readonly CommandEntry[] = [
  {
    name: 'run',
    summary: 'the node agent: keep one host of a cluster by tanist.yml',
    load: () => import('./run.js'),
  },
  {
    name: 'status',
    summary: 'the cluster: who leads, who follows, and why',
    load: () => import('./status.js'),
  },
  {
    name: 'switchover',
    summary: 'hand the mastership to another host, planned',
    load: () => import('./switchover.js'),
  },
  {
    name: 'failover',
    summary: "promote another host without the master's help",
    load: () => import('./failover.js'),
  },
  {
    name: 'pause',
    summary: 'no automatic failover, for maintenance',
    load: () => import('./pause.js'),
  },
  {
    name: 'resume',
    summary: 'automatic failover again',
    load: () => import('./resume.js'),
  },
  {
    name: 'stop',
    summary: 'end the proxy, or all, that an agent has left running here',
    load: () => import('./stop.js'),
  },
  {
    name: 'history',
    summary: 'what happened',
    load: () => import('./history.js'),
  },
  {
    name: 'explain',
    summary: 'who would take over now, and why',
    load: () => import('./explain.js'),
  },
  {
    name: 'check',
    summary: 'say what a tanist.yml means, and what in it is dangerous',
    load: () => import('./check.js'),
  },
  {
    name: 'import',
    summary: 'write a tanist.yml from keepalived.conf, sentinel.conf, nutcracker.yml',
    load: () => import('./import.js'),
  },
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
    name: 'proxy',
    summary: 'a sharding proxy that reads nutcracker.yml and follows failovers',
    load: () => import('./proxy.js'),
  },
  {
    name: 'demo',
    summary: 'watch a failover: three agents, a Redis each, faults by key',
    load: () => import('./demo.js'),
  },
];
