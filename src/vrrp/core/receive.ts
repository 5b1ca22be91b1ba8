/** Whether an advert that arrived is for a virtual router and may be believed (RFC 3768 and RFC 5798, section 7.1). */
import { type Advert, PRIORITY_OWNER, VRRP_TTL, wirePassword } from '../packet/packet.js';
import type { InstanceConfig } from './config.js';
import type { Packet } from './io.js';

/** Why an advert was dropped; `code` is the name of its counter. */
export interface Refusal {
  readonly code:
    | 'ttl'
    | 'version'
    | 'authentication-type'
    | 'authentication-failure'
    | 'interval'
    | 'address-list'
    | 'unknown-peer'
    | 'own';
  readonly reason: string;
}

/** The refusal of `advert`, or null when it is to be believed. `previous` is the source of the last believed advert. */
export function refuse(
  config: InstanceConfig,
  own: string | null,
  packet: Packet,
  advert: Advert,
  previous: string | null,
): Refusal | null {
  if (packet.source === own) return { code: 'own', reason: 'it is our own' };
  const refusal = refuseTtl(config, packet);
  if (refusal !== null) return refusal;
  if (advert.version !== config.version) {
    return { code: 'version', reason: `it is version ${advert.version}, ours is ${config.version}` };
  }
  return (
    refuseAuth(config, advert) ??
    refuseInterval(config, advert) ??
    refuseAddresses(config, advert, config.skipAddressCheck && previous === packet.source)
  );
}

/** Section 7.1 asks for 255, so that nothing forwarded by a router is believed; unicast has its own limits. */
function refuseTtl(config: InstanceConfig, packet: Packet): Refusal | null {
  if (config.peers.length === 0) {
    if (packet.ttl === VRRP_TTL) return null;
    return { code: 'ttl', reason: `its TTL is ${packet.ttl}, not ${VRRP_TTL}` };
  }
  const peer = config.peers.find((p) => p.address === packet.source);
  if (peer === undefined)
    return config.checkPeers ? { code: 'unknown-peer', reason: 'its sender is not a peer' } : null;
  const low = peer.minTtl ?? 0;
  const high = peer.maxTtl ?? 255;
  if (packet.ttl >= low && packet.ttl <= high) return null;
  return { code: 'ttl', reason: `its TTL is ${packet.ttl}, not ${low} to ${high}` };
}

function refuseAuth(config: InstanceConfig, advert: Advert): Refusal | null {
  if (config.version === 3) return null;
  const ours = config.auth;
  if (advert.auth.kind !== ours.kind) {
    const reason = `its authentication is ${advert.auth.kind}, ours is ${ours.kind}`;
    return { code: 'authentication-type', reason };
  }
  if (ours.kind === 'pass' && advert.auth.kind === 'pass' && advert.auth.password !== wirePassword(ours.password)) {
    return { code: 'authentication-failure', reason: 'its password is not ours' };
  }
  return null;
}

/** Version 2 demands equal intervals (RFC 3768 section 7.1); version 3 learns the master's (RFC 5798 section 6.4.2). */
function refuseInterval(config: InstanceConfig, advert: Advert): Refusal | null {
  if (config.version === 3 || advert.interval_ms === config.interval_ms) return null;
  const reason = `its advert interval is ${advert.interval_ms / 1000} s, ours is ${config.interval_ms / 1000} s; until they agree both routers can be master`;
  return { code: 'interval', reason };
}

/** RFC 3768 section 7.1: believed all the same when it comes from the owner of the addresses. */
function refuseAddresses(config: InstanceConfig, advert: Advert, skip: boolean): Refusal | null {
  if (skip || advert.priority === PRIORITY_OWNER) return null;
  const theirs = new Set(advert.addresses);
  const ours = config.addresses.map((a) => a.ip);
  const missing = ours.find((ip) => !theirs.has(ip));
  if (missing !== undefined) return { code: 'address-list', reason: `it lacks our address ${missing}` };
  const foreign = advert.addresses.find((ip) => !ours.includes(ip));
  if (foreign !== undefined)
    return { code: 'address-list', reason: `it has ${foreign}, which is not an address of ours` };
  return null;
}
