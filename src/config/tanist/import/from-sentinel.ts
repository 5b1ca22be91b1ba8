/** What a sentinel.conf says of a cluster. */
import { canonicalIp } from '../../../base/ip-bytes.js';
import { type ConfDocument, type DirectiveLine, parseConf } from '../../conf-lines.js';
import { NO_CHECKS, readSentinelConf } from '../../sentinel-conf.js';
import type { MasterConf } from '../../sentinel-types.js';
import { isHostAddress } from '../schema-words.js';
import type { Facts, HostRef, Source } from './facts.js';

/** What becomes of an option of `sentinel` that a tanist.yml does not know. */
const SENTINEL_LOSSES: Readonly<Record<string, string>> = {
  'notification-script': 'a hook (`hooks`) is told of events instead',
  'client-reconfig-script': 'the proxy and the VIP follow the master by themselves; a hook can be told of it',
  'rename-command': 'the agent needs the commands under their own names; restrict clients by ACL users',
  'announce-ip': 'a host is known by its address in `hosts`',
  'announce-port': 'a host is known by its address in `hosts`',
  'announce-hostnames': 'hosts are known by addresses',
  'resolve-hostnames': 'hosts are known by addresses',
  'master-reboot-down-after-period': 'a Redis that restarts takes no writes before it is told who it is',
  'sentinel-user': 'Sentinels log in by password alone',
  'lease-ttl': 'write it as `lease`, which is 1s otherwise',
  'ack-replicas': 'write `durability: replicated` for it',
  'candidate-lag-max': 'write `candidate_lag_max` below `redis`',
  paused: 'use `tanist pause`',
  'fast-down': 'a process that is gone always counts as down at once',
};

/** Lines that mean the same, or that the agent keeps as state. */
const SENTINEL_CARRIED = new Set([
  ...['monitor', 'down-after-milliseconds', 'failover-timeout', 'auth-pass', 'auth-user', 'sentinel-pass'],
  ...['myid', 'config-epoch', 'leader-epoch', 'current-epoch', 'voted-leader', 'deny-scripts-reconfig'],
  ...['known-replica', 'known-slave', 'known-sentinel'],
]);

const SERVER_LOSSES: Readonly<Record<string, string>> = {
  daemonize: 'the agent runs under systemd',
  pidfile: 'the agent runs under systemd',
  logfile: 'the agent logs to the journal',
  dir: 'state lies in `state_directory`',
  bind: "the Sentinel API listens on the host's address in `hosts`",
  'protected-mode': 'the Sentinel API asks for `sentinel: password_file` instead',
  aclfile: 'the Sentinel API knows one password',
  user: 'the Sentinel API knows one password',
};

const SERVER_CARRIED = new Set(['port', 'loglevel', 'requirepass', 'latency-tracking-info-percentiles']);

/** @throws {ConfigError} with every fault of the file. */
export function factsFromSentinel(text: string, file: string, facts: Facts): void {
  const doc = parseConf(text, file);
  const conf = readSentinelConf([doc], NO_CHECKS);
  const lines = new Lines(doc);
  facts.sentinels = true;
  for (const master of conf.sentinel.masters) takeMaster(master, lines, facts);
  const port = lines.server('port');
  if (port !== null) facts.sentinelPort ??= { value: conf.server.port, source: port };
  const password = conf.sentinel.sentinelPass === '' ? conf.server.requirepass : conf.sentinel.sentinelPass;
  const source = lines.sentinel('sentinel-pass') ?? lines.server('requirepass');
  if (password !== '' && source !== null) facts.sentinelPassword ??= { value: password, source };
  const level = lines.server('loglevel');
  const { loglevel } = conf.server;
  if (level !== null && loglevel !== 'nothing') facts.logLevel ??= { value: loglevel, source: level };
  for (const line of lines.all) loseLine(line, file, facts);
}

function takeMaster(master: MasterConf, lines: Lines, facts: Facts): void {
  const { name, quorum } = master;
  const source = lines.sentinel('monitor', name) ?? lines.file;
  if (quorum > (facts.quorum?.value ?? 0)) facts.quorum = { value: quorum, source };
  const replicas = master.replicas.map((replica) => hostRef(replica.host));
  if (!facts.groups.some((group) => group.name === name)) {
    const { port, authUser: user, authPass: password } = master;
    facts.groups.push({ name, port, master: hostRef(master.host), replicas, user, password, source });
  }
  facts.hosts.push({ ref: hostRef(master.host), as: 'keeper', source });
  for (const replica of master.replicas) {
    const at = lines.sentinel('known-replica', name, replica.host) ?? lines.sentinel('known-slave', name, replica.host);
    facts.hosts.push({ ref: hostRef(replica.host), as: 'keeper', source: at ?? source });
  }
  for (const peer of master.sentinels) {
    const at = lines.sentinel('known-sentinel', name, peer.host) ?? source;
    facts.hosts.push({ ref: hostRef(peer.host), as: 'voter', source: at });
  }
  takeTimes(master, lines, facts);
}

/** One value for all groups: the shortest, since a longer one may be what somebody waited for in vain. */
function takeTimes(master: MasterConf, lines: Lines, facts: Facts): void {
  const down = lines.sentinel('down-after-milliseconds', master.name);
  if (down !== null) facts.downAfter_ms = shortest(facts.downAfter_ms, master.downAfter_ms, down, 'down_after', facts);
  const failover = lines.sentinel('failover-timeout', master.name);
  if (failover !== null) {
    const value = master.failoverTimeout_ms;
    facts.failoverTimeout_ms = shortest(facts.failoverTimeout_ms, value, failover, 'failover_timeout', facts);
  }
}

function shortest(
  known: { value: number; source: Source } | null,
  value: number,
  source: Source,
  key: string,
  facts: Facts,
): { value: number; source: Source } {
  if (known === null || known.value === value) return known ?? { value, source };
  const [kept, dropped] = value < known.value ? [{ value, source }, known] : [known, { value, source }];
  facts.lose(dropped.source, `${dropped.value} ms: there is one \`sentinel: ${key}\` for all groups, the shortest`);
  return kept;
}

function loseLine(line: DirectiveLine, file: string, facts: Facts): void {
  const [first, option, , value] = line.words.map((word) => word.text);
  const source = `${file}:${line.number}`;
  const name = first?.toLowerCase() ?? '';
  if (name !== 'sentinel') {
    if (SERVER_CARRIED.has(name)) return;
    facts.lose(source, `${name}: ${SERVER_LOSSES[name] ?? 'the agent has no such setting'}`);
    return;
  }
  const word = option?.toLowerCase() ?? '';
  if (SENTINEL_CARRIED.has(word)) return;
  if (word === 'parallel-syncs') {
    if (value !== '1') facts.lose(source, 'parallel-syncs: replicas follow a new master one by one');
  } else facts.lose(source, `sentinel ${word}: ${SENTINEL_LOSSES[word] ?? 'the agent has no such setting'}`);
}

export function hostRef(host: string): HostRef {
  return isHostAddress(host) ? { address: canonicalIp(host) } : { name: host };
}

/** Finds the lines that values came from. */
class Lines {
  readonly all: readonly DirectiveLine[];
  readonly file: string;

  constructor(doc: ConfDocument) {
    this.file = doc.file;
    this.all = doc.lines.flatMap((line) => (line.kind === 'directive' ? [line] : []));
  }

  server(name: string): Source | null {
    return this.#find((words) => words[0]?.toLowerCase() === name);
  }

  sentinel(option: string, ...args: readonly string[]): Source | null {
    return this.#find(
      (words) =>
        words[0]?.toLowerCase() === 'sentinel' &&
        words[1]?.toLowerCase() === option &&
        args.every((arg, i) => words[i + 2] === arg),
    );
  }

  #find(is: (words: readonly string[]) => boolean): Source | null {
    const line = this.all.find((each) => is(each.words.map((word) => word.text)));
    return line === undefined ? null : `${this.file}:${line.number}`;
  }
}
