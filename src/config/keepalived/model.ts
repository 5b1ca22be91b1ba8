/** keepalived.conf as data: what was written, checked and with units, before anybody decides what to do with it. */
import type { Place } from './diagnostics.js';

export interface User {
  readonly user: string;
  /** null for the user's own group. */
  readonly group: string | null;
}

/** A program and its arguments; never given to a shell. */
export interface Command {
  readonly argv: readonly string[];
  readonly user: User | null;
  readonly place: Place;
}

export interface Notifies {
  master: Command | null;
  backup: Command | null;
  fault: Command | null;
  stop: Command | null;
  deleted: Command | null;
  /** `notify_deleted` alone: say DELETED rather than FAULT. */
  sayDeleted: boolean;
  /** Gets INSTANCE|GROUP, name, state and priority behind its own arguments. */
  any: Command | null;
  masterHearsLower: Command | null;
  /** Priority changes go to the FIFOs; null for the global setting. */
  priorityChanges: boolean | null;
}

export interface TrackRef {
  readonly name: string;
  /** null for the default of what is tracked. */
  readonly weight: number | null;
  readonly reverse: boolean;
  readonly place: Place;
}

export interface Tracking {
  readonly interfaces: TrackRef[];
  readonly scripts: TrackRef[];
  readonly files: TrackRef[];
  readonly processes: TrackRef[];
}

export interface VrrpScript {
  name: string;
  command: Command | null;
  interval_ms: number;
  /** null for the interval. */
  timeout_ms: number | null;
  weight: number;
  reverse: boolean;
  rise: number;
  fall: number;
  initFail: boolean;
  place: Place;
}

export interface TrackFile {
  name: string;
  path: string | null;
  weight: number;
  reverse: boolean;
  init: { value: number; overwrite: boolean } | null;
  place: Place;
}

export interface TrackProcess {
  name: string;
  argv: readonly string[];
  match: 'exact' | 'initial' | 'partial';
  weight: number;
  reverse: boolean;
  quorum: number;
  quorumMax: number | null;
  forkDelay_ms: number;
  terminateDelay_ms: number;
  fullCommand: boolean;
  place: Place;
}

export interface IpAddress {
  readonly ip: string;
  /** null when none is written: a host address. */
  readonly prefix: number | null;
  device: string | null;
  label: string | null;
  scope: 'global' | 'site' | 'link' | 'host' | 'nowhere';
  broadcast: string | null;
  peer: string | null;
  /** null for keepalived's default: deprecated when it is an IPv6 host address. */
  deprecated: boolean | null;
  home: boolean;
  noPrefixRoute: boolean;
  noTrack: boolean;
  readonly place: Place;
}

export interface UnicastPeer {
  readonly address: string;
  readonly minTtl: number | null;
  readonly maxTtl: number | null;
}

/** `garp_*` as written; null where nothing is. */
export interface Garp {
  masterDelay_ms: number | null;
  masterRepeat: number | null;
  lowerDelay_ms: number | null;
  lowerRepeat: number | null;
  refresh_ms: number | null;
  refreshRepeat: number | null;
}

export interface VrrpInstance {
  name: string;
  state: 'MASTER' | 'BACKUP' | null;
  interface: string | null;
  vrid: number | null;
  priority: number | null;
  interval_ms: number | null;
  version: 2 | 3 | null;
  /** Where `nopreempt` stands, or null when it does not. */
  nopreempt: Place | null;
  preemptDelay_ms: number;
  preemptDelayPlace: Place | null;
  auth: { type: 'PASS' | 'AH' | null; password: string | null; place: Place } | null;
  addresses: IpAddress[];
  excluded: IpAddress[];
  source: string | null;
  trackSource: boolean;
  peers: UnicastPeer[] | null;
  peersPlace: Place | null;
  faultWithoutPeers: boolean;
  unicastTtl: number | null;
  checkPeers: boolean | null;
  group: string | null;
  downAdverts: number | null;
  dontTrackPrimary: boolean;
  skipAddressCheck: boolean | null;
  strict: boolean | null;
  lowerPrioNoAdvert: boolean | null;
  higherPrioSendAdvert: boolean | null;
  vipLifetime_s: number | null;
  garp: Garp;
  tracking: Tracking;
  notifies: Notifies;
  place: Place;
}

export interface SyncGroup {
  name: string;
  members: { readonly name: string; readonly place: Place }[];
  memberWeights: boolean;
  tracking: Tracking;
  notifies: Notifies;
  place: Place;
}

/** A named pipe that gets one line an event, and the script that reads it. */
export interface Fifo {
  path: string | null;
  user: User | null;
  script: Command | null;
}

export interface Globals {
  scriptUser: User | null;
  scriptSecurity: boolean;
  version: 2 | 3;
  group4: string | null;
  group6: string | null;
  startupDelay_ms: number;
  strict: boolean;
  skipAddressCheck: boolean;
  checkPeers: boolean;
  lowerPrioNoAdvert: boolean;
  higherPrioSendAdvert: boolean;
  downAdverts: number;
  garp: Garp;
  garpGap_ms: number;
  gnaGap_ms: number;
  minGarp: boolean;
  priorityChanges: boolean;
  defaultInterface: string;
  vipLifetime_s: number | null;
  notifyFifo: Fifo;
  vrrpNotifyFifo: Fifo;
}

export interface KeepalivedConf {
  readonly path: string;
  readonly globals: Globals;
  readonly scripts: ReadonlyMap<string, VrrpScript>;
  readonly files: ReadonlyMap<string, TrackFile>;
  readonly processes: ReadonlyMap<string, TrackProcess>;
  readonly instances: ReadonlyMap<string, VrrpInstance>;
  readonly groups: ReadonlyMap<string, SyncGroup>;
}

export function noGarp(): Garp {
  return {
    masterDelay_ms: null,
    masterRepeat: null,
    lowerDelay_ms: null,
    lowerRepeat: null,
    refresh_ms: null,
    refreshRepeat: null,
  };
}

export function noNotifies(): Notifies {
  return {
    master: null,
    backup: null,
    fault: null,
    stop: null,
    deleted: null,
    sayDeleted: false,
    any: null,
    masterHearsLower: null,
    priorityChanges: null,
  };
}

export function noTracking(): Tracking {
  return { interfaces: [], scripts: [], files: [], processes: [] };
}
