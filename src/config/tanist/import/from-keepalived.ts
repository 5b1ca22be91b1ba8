/** What the keepalived.conf files of a cluster, one a host, say of it. */
import { resolve } from 'node:path';
import { isIpAddress } from '../../../base/ip.js';
import { canonicalIp } from '../../../base/ip-bytes.js';
import type { Place } from '../../keepalived/diagnostics.js';
import type { Command, KeepalivedConf, VrrpInstance } from '../../keepalived/model.js';
import { readKeepalivedConf } from '../../keepalived/read.js';
import type { Outside } from '../../outside.js';
import { isLoopback } from '../read-listen.js';
import type { Facts, Source } from './facts.js';

export interface Input {
  readonly text: string;
  readonly file: string;
}

/** One instance as one host's file has it. */
interface Sight {
  readonly instance: VrrpInstance;
  /** This host's address, when the file tells it. */
  readonly own: string | null;
  /** Addresses of other hosts. */
  readonly peers: ReadonlySet<string>;
  readonly source: Source;
  /** As the user named it. */
  readonly file: string;
}

/** @param outside to look into the scripts, for what they wait for. */
export function factsFromKeepalived(inputs: readonly Input[], outside: Pick<Outside, 'readFile'>, facts: Facts): void {
  const sights: Sight[] = [];
  for (const { text, file } of inputs) {
    const { conf, diagnostics } = readKeepalivedConf(file, { texts: new Map([[resolve(file), text]]) });
    for (const { place, message } of diagnostics) facts.lose(sourceOf(place, file), message);
    for (const instance of conf.instances.values()) sights.push(see(instance, file, facts));
    loseScripts(conf, file, outside, facts);
  }
  takeHosts(sights, facts);
  for (const sight of sights) takeInstance(sight, facts);
}

/** @param file as the user named it; included files have names of their own. */
function sourceOf(place: Place, file: string): Source {
  return `${place.file === resolve(file) ? file : place.file}:${place.line}`;
}

function see(instance: VrrpInstance, file: string, facts: Facts): Sight {
  const vips = new Set([...instance.addresses, ...instance.excluded].map((each) => canonicalIp(each.ip)));
  const peers = new Set((instance.peers ?? []).map((peer) => canonicalIp(peer.address)));
  const own = instance.source === null ? null : canonicalIp(instance.source);
  const { master, backup, any } = instance.notifies;
  for (const command of [master, backup, any]) {
    for (const address of addressesIn(command, file, facts)) {
      if (!vips.has(address) && address !== own) peers.add(address);
    }
  }
  return { instance, own, peers, source: sourceOf(instance.place, file), file };
}

/** Notify scripts are told of the other host: `redis_master.sh 127.0.0.1 192.168.0.101 6379`. */
function addressesIn(command: Command | null, file: string, facts: Facts): string[] {
  const words = command?.argv.slice(1) ?? [];
  const place = command?.place;
  const port = words.find((word) => /^\d{4,5}$/.test(word) && Number(word) <= 65_535);
  if (place !== undefined && port !== undefined)
    facts.scriptPort ??= { value: Number(port), source: sourceOf(place, file) };
  return words.filter((word) => isIpAddress(word) && !isLoopback(word)).map(canonicalIp);
}

/**
 * The hosts in the order of their priorities. A file that does not tell its own address tells that of its peer: of two
 * hosts, what one does not name is itself.
 */
function takeHosts(sights: readonly Sight[], facts: Facts): void {
  const all = new Set(sights.flatMap((sight) => [...(sight.own === null ? [] : [sight.own]), ...sight.peers]));
  const known = new Set(sights.flatMap((sight) => (sight.own === null ? [] : [sight.own])));
  const ranked = [...sights].sort((a, b) => (b.instance.priority ?? 100) - (a.instance.priority ?? 100));
  const found: { address: string; source: Source }[] = [];
  const add = (address: string, source: Source): void => {
    if (!found.some((each) => each.address === address)) found.push({ address, source });
  };
  for (const { own, peers, source } of ranked) {
    const rest = [...all].filter((address) => !peers.has(address) && !known.has(address));
    const [address] = own === null ? rest : [own];
    if (address !== undefined && (own !== null || rest.length === 1)) add(address, source);
  }
  for (const { peers, source } of ranked) for (const address of peers) add(address, source);
  for (const { address, source } of found) facts.hosts.push({ ref: { address }, as: 'keeper', source });
}

function takeInstance({ instance, source, file }: Sight, facts: Facts): void {
  for (const { ip, prefix, device, place } of [...instance.addresses, ...instance.excluded]) {
    const address = canonicalIp(ip);
    if (facts.vips.some((vip) => vip.address === address)) continue;
    facts.vips.push({
      address,
      prefix,
      interface: device ?? instance.interface,
      vrid: instance.vrid,
      source: sourceOf(place, file),
    });
  }
  const lose = (place: Place | null | undefined, text: string): void =>
    facts.lose(sourceOf(place ?? instance.place, file), text);
  const label = `vrrp_instance ${instance.name}`;
  if (instance.auth !== null)
    lose(
      instance.auth.place,
      'authentication: it is left out: its password goes over the network as plain text and keeps nobody out',
    );
  if (instance.nopreempt !== null) {
    const ignored = instance.state === 'MASTER' ? ' (keepalived ignores it beside `state MASTER`)' : '';
    lose(instance.nopreempt, `nopreempt${ignored}: \`failback: never\` means it, and is the default`);
  } else if (instance.state === 'MASTER') {
    facts.failbackAfter_ms ??= { value: instance.preemptDelay_ms, source };
  }
  if (instance.priority !== null)
    lose(null, `${label}: priority ${instance.priority}: the order of \`hosts\` says who is preferred`);
  if (instance.group !== null) lose(null, `${label}: the VIPs of a group move as one, without a sync group`);
  loseTracking(instance, lose);
  loseNotifies(instance, lose);
}

type Lose = (place: Place | null | undefined, text: string) => void;

function loseTracking({ tracking }: VrrpInstance, lose: Lose): void {
  for (const ref of tracking.scripts) {
    const weight = ref.weight === null ? '' : `, weight ${ref.weight}`;
    lose(ref.place, `track_script ${ref.name}${weight}: the agent watches Redis itself`);
  }
  for (const ref of tracking.interfaces)
    lose(ref.place, `track_interface ${ref.name}: a host that is cut off loses its lease`);
  for (const ref of tracking.files)
    lose(ref.place, `track_file ${ref.name}: use \`tanist switchover\` and \`tanist pause\``);
  for (const ref of tracking.processes) lose(ref.place, `track_process ${ref.name}: the agent watches Redis itself`);
}

function loseNotifies({ notifies }: VrrpInstance, lose: Lose): void {
  const names = {
    master: 'notify_master',
    backup: 'notify_backup',
    fault: 'notify_fault',
    stop: 'notify_stop',
    any: 'notify',
  } as const;
  for (const [key, word] of Object.entries(names)) {
    const command = notifies[key as keyof typeof names];
    if (command === null) continue;
    const roles = key === 'master' || key === 'backup';
    lose(
      command.place,
      `${word}: ${roles ? 'the agent changes roles itself, by proof' : 'a hook (`hooks`) can be told'}`,
    );
  }
}

/** Check scripts, and whatever a script that can be read here waits for. */
function loseScripts(conf: KeepalivedConf, file: string, outside: Pick<Outside, 'readFile'>, facts: Facts): void {
  const commands: Command[] = [];
  for (const { name, weight, command, place } of conf.scripts.values()) {
    const by = weight === 0 ? '' : `, weight ${weight}`;
    facts.lose(sourceOf(place, file), `vrrp_script ${name}${by}: the agent watches Redis itself`);
    if (command !== null) commands.push(command);
  }
  for (const { notifies } of conf.instances.values()) {
    const { master, backup, fault, stop, any } = notifies;
    for (const command of [master, backup, fault, stop, any]) if (command !== null) commands.push(command);
  }
  const paths = new Set(commands.flatMap(({ argv }) => (argv[0] === undefined ? [] : [argv[0]])));
  for (const path of paths) loseSleeps(path, outside, facts);
}

function loseSleeps(path: string, { readFile }: Pick<Outside, 'readFile'>, facts: Facts): void {
  let text: string;
  try {
    text = readFile(path);
  } catch {
    return;
  }
  for (const [i, line] of text.split('\n').entries()) {
    const sleep = /^\s*(sleep\s+[\d.]+[smhd]?)\b/.exec(line)?.[1];
    if (sleep !== undefined)
      facts.lose(`${path}:${i + 1}`, `${sleep}: the agent waits for what it can see, not for a time`);
  }
}
