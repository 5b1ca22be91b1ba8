/** vrrp_instance and vrrp_sync_group. */
import { canonicalIp, familyOf, isMulticast } from '../../base/ip-bytes.js';
import type { Diagnostics } from './diagnostics.js';
import { noGarp, noNotifies, noTracking, type SyncGroup, type VrrpInstance } from './model.js';
import { readAddresses, readPeers } from './read-address.js';
import { garpWords, notifyWords, trackWords } from './read-common.js';
import type { Statement } from './tree.js';
import { readBlock, type StatementReader, type WordTable } from './values.js';
import { BLOCK_WORDS, HARMLESS_IN_GROUP, HARMLESS_IN_INSTANCE, UNHANDLED_IN_INSTANCE } from './words.js';

type Flag = 'skipAddressCheck' | 'strict' | 'lowerPrioNoAdvert' | 'higherPrioSendAdvert' | 'checkPeers';

const flag = (key: Flag) => (t: VrrpInstance, s: StatementReader) => {
  t[key] = s.boolean() ?? t[key];
};

const source = (t: VrrpInstance, s: StatementReader): void => {
  const word = s.word();
  if (word === null) return;
  if (familyOf(word.text) !== null) t.source = canonicalIp(word.text);
  else s.diagnostics.error(word.place, `${s.keyword}: ${word.text} is not an IP address: ignored`);
};

const TABLE: WordTable<VrrpInstance> = {
  ...garpWords<VrrpInstance>(''),
  ...notifyWords<VrrpInstance>(),
  ...trackWords<VrrpInstance>(),
  state: (t, s) => {
    const word = s.word();
    if (word === null) return;
    if (word.text === 'MASTER' || word.text === 'BACKUP') t.state = word.text;
    else {
      t.state = 'BACKUP';
      s.diagnostics.error(word.place, `state ${word.text} is neither MASTER nor BACKUP: taken as BACKUP`);
    }
  },
  interface: (t, s) => {
    t.interface = s.text();
  },
  virtual_router_id: (t, s) => {
    t.vrid = s.integer(1, 255);
  },
  priority: (t, s) => {
    t.priority = s.integer(1, 255) ?? 100;
  },
  advert_int: (t, s) => {
    t.interval_ms = s.seconds(0.01, 255) ?? t.interval_ms;
  },
  version: (t, s) => {
    t.version = s.integer(2, 3) === 3 ? 3 : 2;
  },
  nopreempt: (t, s) => {
    t.nopreempt = s.place;
  },
  preempt: (t) => {
    t.nopreempt = null;
  },
  preempt_delay: (t, s) => {
    t.preemptDelay_ms = s.seconds(0, 1000) ?? 0;
    t.preemptDelayPlace = s.place;
  },
  authentication: (t, s) => {
    t.auth = { type: null, password: null, place: s.place };
    readBlock(
      'authentication',
      s.block,
      AUTH,
      new Set(),
      { harmless: new Set(), reasons: new Map() },
      t.auth,
      s.diagnostics,
    );
  },
  virtual_ipaddress: (t, s) => {
    t.addresses.push(...readAddresses(s.block, s.diagnostics));
  },
  virtual_ipaddress_excluded: (t, s) => {
    t.excluded.push(...readAddresses(s.block, s.diagnostics));
  },
  mcast_src_ip: source,
  unicast_src_ip: source,
  track_src_ip: (t) => {
    t.trackSource = true;
  },
  unicast_peer: (t, s) => {
    t.peers = [...(t.peers ?? []), ...readPeers(s.block, s.diagnostics)];
    t.peersPlace = s.place;
  },
  unicast_fault_no_peer: (t) => {
    t.faultWithoutPeers = true;
  },
  unicast_ttl: (t, s) => {
    t.unicastTtl = s.integer(0, 255);
  },
  check_unicast_src: flag('checkPeers'),
  mcast_dst_ip: (t, s) => {
    const word = s.word();
    if (word === null) return;
    if (isMulticast(word.text)) t.group = canonicalIp(word.text);
    else s.diagnostics.error(word.place, `mcast_dst_ip: ${word.text} is not a multicast address: ignored`);
  },
  down_timer_adverts: (t, s) => {
    t.downAdverts = s.integer(1, 100);
  },
  dont_track_primary: (t) => {
    t.dontTrackPrimary = true;
  },
  skip_check_adv_addr: flag('skipAddressCheck'),
  strict_mode: flag('strict'),
  lower_prio_no_advert: flag('lowerPrioNoAdvert'),
  higher_prio_send_advert: flag('higherPrioSendAdvert'),
  accept: () => undefined,
  vip_lifetime: (t, s) => {
    t.vipLifetime_s = s.integer(1, 86_400);
  },
};

const AUTH: WordTable<{ type: 'PASS' | 'AH' | null; password: string | null }> = {
  auth_type: (t, s) => {
    const word = s.word();
    if (word?.text === 'PASS' || word?.text === 'AH') t.type = word.text;
    else if (word !== null) s.diagnostics.error(word.place, `auth_type: ${word.text} is neither PASS nor AH: ignored`);
  },
  auth_pass: (t, s) => {
    const word = s.word();
    if (word === null) return;
    t.password = word.text;
    if (new TextEncoder().encode(word.text).length > 8) {
      s.diagnostics.error(word.place, 'auth_pass is longer than 8 characters: only the first 8 count');
    }
  },
};

export function readInstance(name: string, block: Statement, diagnostics: Diagnostics): VrrpInstance {
  const instance: VrrpInstance = {
    name,
    state: null,
    interface: null,
    vrid: null,
    priority: null,
    interval_ms: null,
    version: null,
    nopreempt: null,
    preemptDelay_ms: 0,
    preemptDelayPlace: null,
    auth: null,
    addresses: [],
    excluded: [],
    source: null,
    trackSource: false,
    peers: null,
    peersPlace: null,
    faultWithoutPeers: false,
    unicastTtl: null,
    checkPeers: null,
    group: null,
    downAdverts: null,
    dontTrackPrimary: false,
    skipAddressCheck: null,
    strict: null,
    lowerPrioNoAdvert: null,
    higherPrioSendAdvert: null,
    vipLifetime_s: null,
    garp: noGarp(),
    tracking: noTracking(),
    notifies: noNotifies(),
    place: block.words[0]?.place ?? { file: '?', line: 0, column: 0 },
  };
  const unhandled = { harmless: HARMLESS_IN_INSTANCE, reasons: UNHANDLED_IN_INSTANCE };
  const blocks = BLOCK_WORDS.get('vrrp_instance') ?? new Set();
  readBlock(`vrrp_instance ${name}`, block.block ?? [], TABLE, blocks, unhandled, instance, diagnostics);
  return instance;
}

const GROUP: WordTable<SyncGroup> = {
  ...notifyWords<SyncGroup>(),
  ...trackWords<SyncGroup>(),
  group: (t, s) => {
    for (const { words } of s.block) {
      // Names may stand one or several on a line.
      for (const word of words) t.members.push({ name: word.text, place: word.place });
    }
  },
  sync_group_tracking_weight: (t) => {
    t.memberWeights = true;
  },
};

export function readGroup(name: string, block: Statement, diagnostics: Diagnostics): SyncGroup {
  const group: SyncGroup = {
    name,
    members: [],
    memberWeights: false,
    tracking: noTracking(),
    notifies: noNotifies(),
    place: block.words[0]?.place ?? { file: '?', line: 0, column: 0 },
  };
  const reasons = new Map([['track_bfd', 'BFD is not handled']]);
  const blocks = BLOCK_WORDS.get('vrrp_sync_group') ?? new Set();
  readBlock(
    `vrrp_sync_group ${name}`,
    block.block ?? [],
    GROUP,
    blocks,
    { harmless: HARMLESS_IN_GROUP, reasons },
    group,
    diagnostics,
  );
  return group;
}
