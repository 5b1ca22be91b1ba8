/**
 * Hello messages: how Sentinels find each other and how a new configuration spreads. Each says who sends it and what it
 * believes of one master: `ip,port,runid,current_epoch,master_name,master_ip,master_port,master_config_epoch`.
 */
import { followEpoch, isCredibleEpoch } from './epoch.js';
import { addSentinel } from './instances.js';
import type { Address } from './io.js';
import { redirectLink } from './links.js';
import { addressOf, currentMasterAddress, findAt, isUsableHost, sameAddress, shownHost } from './names.js';
import { type Group, type Instance, isLeftToKeeper, isMaster, redisNodes, type SentinelPeer } from './state.js';
import { confirmMaster, followConfiguration } from './switch.js';
import { HELLO_PERIOD_MS, nextBeat, SENTINELS_MAX } from './timing.js';
import type { Turn } from './turn.js';

export const HELLO_CHANNEL = '__sentinel__:hello';

interface Hello {
  readonly host: string;
  readonly port: number;
  readonly runId: string;
  readonly currentEpoch: number;
  readonly masterName: string;
  readonly masterHost: string;
  readonly masterPort: number;
  readonly configEpoch: number;
}

/** Reads a hello message; null when it is not one. */
export function parseHello(message: string): Hello | null {
  const parts = message.split(',');
  if (parts.length !== 8) return null;
  const [host, port, runId, currentEpoch, masterName, masterHost, masterPort, configEpoch] = parts as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const numbers = [port, currentEpoch, masterPort, configEpoch];
  if (!numbers.every((text) => /^\d{1,16}$/.test(text)) || !/^[0-9a-f]{40}$/.test(runId)) return null;
  if (host === '' || masterHost === '' || Number(port) > 65_535 || Number(masterPort) > 65_535) return null;
  return {
    host,
    port: Number(port),
    runId,
    currentEpoch: Number(currentEpoch),
    masterName,
    masterHost,
    masterPort: Number(masterPort),
    configEpoch: Number(configEpoch),
  };
}

/** Sends what we believe of a group through one of its instances: PUBLISH, on a Redis and straight to a Sentinel. */
export function sendHello(turn: Turn, to: Instance): void {
  const { s } = turn;
  const { group, link } = to;
  const host = s.settings.announceIp === '' ? link.localIp : s.settings.announceIp;
  if (host === '' || mustStayClear(to)) return;
  const port = s.settings.announcePort === 0 ? s.settings.listenPort : s.settings.announcePort;
  const master = currentMasterAddress(group);
  const message = [
    host,
    port,
    s.myId,
    s.currentEpoch,
    group.name,
    shownHost(s, master),
    master.port,
    group.configEpoch,
  ].join(',');
  const request: [string, ...string[]] = ['PUBLISH', HELLO_CHANNEL, message];
  const sent =
    to.kind === 'redis' ? turn.sendTo(to, { kind: 'hello' }, request) : turn.send(link, { kind: 'hello' }, request);
  if (sent) to.lastHelloSentAt = turn.now;
}

/** Tells every instance of a group at once, e.g. after a promotion. */
export function sendHelloToAll(turn: Turn, group: Group): void {
  for (const node of redisNodes(group)) sendHello(turn, node);
  for (const peer of group.sentinels.values()) sendHello(turn, peer);
}

/**
 * Whether nothing may stand before our next order on this connection. A master whose writes are paused does not answer
 * PUBLISH, nor whatever comes behind it, until the pause is over.
 */
function mustStayClear(to: Instance): boolean {
  const { failover } = to.group;
  if (to.kind === 'sentinel' || failover === null) return false;
  // Its keeper is to demote it, and if it does not, we are.
  if (isLeftToKeeper(failover, to)) return to.reconf === null;
  if (!isMaster(to)) return false;
  // Without a lease only a planned failover pauses a master.
  if (failover.manual === 'no' && to.group.leaseTtl_ms === 0) return false;
  if (failover.phase === 'reconf') return !failover.switched;
  return failover.phase !== 'wait-start' && failover.phase !== 'select';
}

/** When the next hello is due for an instance. */
export function helloDueAt(to: Instance): number {
  if (mustStayClear(to)) return Number.POSITIVE_INFINITY;
  return to.link.command.phase === 'up' ? nextBeat(to.lastHelloSentAt, HELLO_PERIOD_MS) : Number.POSITIVE_INFINITY;
}

/** Takes in another Sentinel's hello: the Sentinel itself, its epoch, its configuration. Ours and nonsense are dropped. */
export function onHello(turn: Turn, message: string): void {
  const hello = parseHello(message);
  if (hello === null) {
    turn.log('verbose', `Ignoring a hello message that cannot be read: ${message.slice(0, 200)}`);
    return;
  }
  const group = turn.s.groups.get(hello.masterName);
  if (group === undefined || hello.runId === turn.s.myId) return;
  if (!isCredibleEpoch(turn, hello.currentEpoch) || !isCredibleEpoch(turn, hello.configEpoch)) {
    turn.log('warning', `Ignoring a hello message with an epoch out of all proportion: ${message.slice(0, 200)}`);
    return;
  }
  if (!isUsableHost(turn, hello.host) || !isUsableHost(turn, hello.masterHost)) return;
  const peer = knowSentinel(turn, group, hello);
  if (peer === null) {
    turn.log('verbose', `Ignoring ${hello.runId}: ${group.name} has ${SENTINELS_MAX} other Sentinels already`);
    return;
  }
  followEpoch(turn, hello.currentEpoch, group);
  peer.lastHelloAt = turn.now;
  if (group.configEpoch < hello.configEpoch) {
    group.configEpoch = hello.configEpoch;
    turn.persistSoon();
    const address = addressOf(turn.s, hello.masterHost, hello.masterPort);
    if (sameAddress(address, group.master.link.address)) confirmMaster(turn, group);
    else followConfiguration(turn, group, address, peer);
  }
  turn.touch(group);
}

/** The Sentinel that sent it; null for one more than a group may have. */
function knowSentinel(turn: Turn, group: Group, hello: Hello): SentinelPeer | null {
  const address = addressOf(turn.s, hello.host, hello.port);
  const known = group.sentinels.get(hello.runId);
  if (known !== undefined && sameAddress(known.link.address, address)) return known;
  if (known === undefined && group.sentinels.size >= SENTINELS_MAX) return null;
  retireAt(turn, group, address, hello.runId);
  if (known !== undefined) {
    moveSentinel(turn, known, address);
    return known;
  }
  const peer = addSentinel(turn, group, address, hello.runId);
  turn.event('notice', '+sentinel', peer);
  turn.persist();
  return peer;
}

/** Another Sentinel now says it lives where this one did: its old address is wrong, wait until it tells the new one. */
function retireAt(turn: Turn, group: Group, address: Address, runId: string): void {
  const other = findAt(group.sentinels.values(), address);
  if (other === null || other.runId === runId) return;
  turn.event('notice', '+sentinel-invalid-addr', other);
  redirectLink(turn, other.link, { ...other.link.address, port: 0 });
  turn.persist();
}

function moveSentinel(turn: Turn, peer: SentinelPeer, address: Address): void {
  redirectLink(turn, peer.link, address);
  turn.event(
    'notice',
    '+sentinel-address-switch',
    peer.group,
    `ip ${shownHost(turn.s, address)} port ${address.port} for ${peer.runId}`,
  );
  turn.persist();
}
