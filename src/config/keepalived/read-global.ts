/** global_defs. */
import { familyOf, isMulticast } from '../../base/ip-bytes.js';
import type { Diagnostics } from './diagnostics.js';
import { type Globals, noGarp } from './model.js';
import { garpWords } from './read-common.js';
import type { Statement } from './tree.js';
import { readBlock, type StatementReader, type WordTable } from './values.js';
import { HARMLESS_GLOBALS, UNHANDLED_GLOBALS } from './words.js';

export function defaultGlobals(): Globals {
  return {
    scriptUser: null,
    scriptSecurity: false,
    version: 2,
    group4: null,
    group6: null,
    startupDelay_ms: 0,
    strict: false,
    skipAddressCheck: false,
    checkPeers: false,
    lowerPrioNoAdvert: false,
    higherPrioSendAdvert: false,
    downAdverts: 3,
    garp: noGarp(),
    garpGap_ms: 0,
    gnaGap_ms: 0,
    minGarp: false,
    priorityChanges: false,
    defaultInterface: 'eth0',
    vipLifetime_s: null,
    notifyFifo: { path: null, user: null, script: null },
    vrrpNotifyFifo: { path: null, user: null, script: null },
  };
}

type Flag =
  | 'strict'
  | 'skipAddressCheck'
  | 'checkPeers'
  | 'lowerPrioNoAdvert'
  | 'higherPrioSendAdvert'
  | 'minGarp'
  | 'priorityChanges'
  | 'scriptSecurity';

const flag = (key: Flag) => (g: Globals, s: StatementReader) => {
  g[key] = s.boolean() ?? g[key];
};

const group = (key: 'group4' | 'group6', family: 'ipv4' | 'ipv6') => (g: Globals, s: StatementReader) => {
  const word = s.word();
  if (word === null) return;
  if (familyOf(word.text) === family && isMulticast(word.text)) g[key] = word.text;
  else
    s.diagnostics.error(
      word.place,
      `${s.keyword}: ${word.text} is not an ${family === 'ipv4' ? 'IPv4' : 'IPv6'} multicast address`,
    );
};

const fifo = (key: 'notifyFifo' | 'vrrpNotifyFifo') => (g: Globals, s: StatementReader) => {
  g[key].path = s.text();
  g[key].user = s.user(2);
};

const fifoScript = (key: 'notifyFifo' | 'vrrpNotifyFifo') => (g: Globals, s: StatementReader) => {
  g[key].script = s.command();
};

const TABLE: WordTable<Globals> = {
  ...garpWords<Globals>('vrrp_'),
  script_user: (g, s) => {
    if (s.word() !== null) g.scriptUser = s.user(1);
  },
  enable_script_security: flag('scriptSecurity'),
  script_security: flag('scriptSecurity'),
  vrrp_version: (g, s) => {
    g.version = s.integer(2, 3) === 3 ? 3 : 2;
  },
  vrrp_mcast_group4: group('group4', 'ipv4'),
  vrrp_mcast_group6: group('group6', 'ipv6'),
  vrrp_startup_delay: (g, s) => {
    g.startupDelay_ms = s.seconds(0, 1000) ?? 0;
  },
  vrrp_strict: flag('strict'),
  vrrp_skip_check_adv_addr: flag('skipAddressCheck'),
  vrrp_check_unicast_src: flag('checkPeers'),
  vrrp_lower_prio_no_advert: flag('lowerPrioNoAdvert'),
  vrrp_higher_prio_send_advert: flag('higherPrioSendAdvert'),
  vrrp_down_timer_adverts: (g, s) => {
    g.downAdverts = s.integer(1, 100) ?? g.downAdverts;
  },
  vrrp_garp_interval: (g, s) => {
    g.garpGap_ms = s.seconds(0, 1000) ?? 0;
  },
  vrrp_gna_interval: (g, s) => {
    g.gnaGap_ms = s.seconds(0, 1000) ?? 0;
  },
  vrrp_min_garp: flag('minGarp'),
  vrrp_notify_priority_changes: flag('priorityChanges'),
  default_interface: (g, s) => {
    g.defaultInterface = s.text() ?? g.defaultInterface;
  },
  notify_fifo: fifo('notifyFifo'),
  notify_fifo_script: fifoScript('notifyFifo'),
  vrrp_notify_fifo: fifo('vrrpNotifyFifo'),
  vrrp_notify_fifo_script: fifoScript('vrrpNotifyFifo'),
  vip_lifetime: (g, s) => {
    g.vipLifetime_s = s.integer(1, 86_400);
  },
};

const REASONS = new Map([...UNHANDLED_GLOBALS].map((word) => [word, 'not handled'] as const));

export function readGlobals(globals: Globals, statements: readonly Statement[], diagnostics: Diagnostics): void {
  const unhandled = { harmless: HARMLESS_GLOBALS, reasons: REASONS };
  readBlock('global_defs', statements, TABLE, new Set(), unhandled, globals, diagnostics);
}
