/** keepalived's defaults, so that a configuration says only what differs. */
import { canonicalIp, type Family, familyOf } from '../../base/ip-bytes.js';
import { VRRP_GROUP } from '../packet/packet.js';
import type { AnnouncePlan, InstanceConfig, VirtualAddress } from './config.js';

export const DEFAULT_ANNOUNCE: AnnouncePlan = {
  repeat: 5,
  delay_ms: 5000,
  refresh_ms: 0,
  refreshRepeat: 1,
  lowerRepeat: 5,
  lowerDelay_ms: 5000,
  gap_ms: 0,
};

/** An instance with keepalived's defaults for what `given` does not say. */
export function defaultInstance(
  given: Partial<InstanceConfig> & Pick<InstanceConfig, 'name' | 'vrid' | 'interface'>,
): InstanceConfig {
  const family: Family = given.family ?? given.addresses?.[0]?.family ?? 'ipv4';
  return {
    family,
    version: family === 'ipv6' ? 3 : 2,
    priority: 100,
    interval_ms: 1000,
    downAdverts: 3,
    preempt: true,
    preemptDelay_ms: 0,
    source: null,
    trackSource: false,
    peers: [],
    group: VRRP_GROUP[family],
    unicastTtl: 255,
    checkPeers: false,
    auth: { kind: 'none' },
    addresses: [],
    excluded: [],
    skipAddressCheck: false,
    announce: DEFAULT_ANNOUNCE,
    lowerPrioNoAdvert: false,
    higherPrioSendAdvert: false,
    trackPrimary: true,
    trackInterfaces: [],
    tracks: [],
    vipLifetime_s: null,
    leased: false,
    farewell: false,
    ...given,
  };
}

/**
 * An address as keepalived puts it when only `ip`, or `ip/prefix`, is written: a host address of global scope.
 * @throws {TypeError} when `text` is not an address.
 */
export function defaultAddress(text: string, device: string, given: Partial<VirtualAddress> = {}): VirtualAddress {
  const [host = '', prefix] = text.split('/');
  const family = familyOf(host);
  if (family === null) throw new TypeError(`not an IP address: ${text}`);
  const full = family === 'ipv4' ? 32 : 128;
  const bits = prefix === undefined ? full : Number(prefix);
  return {
    ip: canonicalIp(host),
    family,
    prefix: bits,
    device,
    label: null,
    scope: 'global',
    broadcast: null,
    peer: null,
    deprecated: family === 'ipv6' && bits === full,
    home: false,
    noPrefixRoute: false,
    noTrack: false,
    ...given,
  };
}
