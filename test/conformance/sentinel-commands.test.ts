/** One table of SENTINEL commands and what they answer, run against the real redis-sentinel and against ours. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Cleanup } from '../support/cleanup.js';
import { needs } from '../support/needs.js';
import { findPeer, type Peer, requirePeer } from '../support/peers.js';
import { startSentinel } from '../support/redis-sentinel.js';
import { startReplicated } from '../support/redis-server.js';
import { type RespValue, request } from '../support/resp.js';
import { tanistSentinel } from '../support/tanist.js';
import { until } from '../support/until.js';
import { rawReply } from './raw-reply.js';

/** Where a Sentinel is asked, and which master it watches: two replicas, one other Sentinel at least. */
interface Target {
  readonly port: number;
  readonly masterPort: number;
  readonly masterHost: string;
}

type Row = readonly [command: string, answer: RespValue | RegExp | ((target: Target) => RespValue)];

const INTEGER = 'ERR value is not an integer or out of range';
const NO_MASTER = 'ERR No such master with that name';
const DENIED =
  'ERR Reconfiguration of scripts path is denied for security reasons. ' +
  'Check the deny-scripts-reconfig configuration directive in your Sentinel configuration';

function arity(name: string): string {
  return `ERR wrong number of arguments for '${name}' command`;
}

function setInvalid(option: string, value: string): string {
  return `ERR Invalid argument '${value}' for SENTINEL SET '${option}'`;
}

/** Words are separated by spaces; `''` is an empty one, `$port` and `$host` the master's. */
const READS: readonly Row[] = [
  ['SENTINEL', arity('sentinel')],
  ['SENTINEL nosuch a b', "ERR unknown subcommand 'nosuch'. Try SENTINEL HELP."],
  ['SENTINEL MASTERS x', arity('sentinel|masters')],
  ['SENTINEL MASTER', arity('sentinel|master')],
  ['SENTINEL master nosuch', NO_MASTER],
  ['SENTINEL MASTER a b', arity('sentinel|master')],
  ['SENTINEL REPLICAS', arity('sentinel|replicas')],
  ['SENTINEL REPLICAS nosuch', NO_MASTER],
  ['SENTINEL SLAVES nosuch', NO_MASTER],
  ['SENTINEL SLAVES a b', arity('sentinel|slaves')],
  ['SENTINEL SENTINELS nosuch', NO_MASTER],
  ['SENTINEL GET-MASTER-ADDR-BY-NAME nosuch', null],
  ['SENTINEL GET-MASTER-ADDR-BY-NAME', arity('sentinel|get-master-addr-by-name')],
  ['SENTINEL get-master-addr-by-name mymaster', ({ masterHost, masterPort }) => [masterHost, String(masterPort)]],
  ['SENTINEL IS-MASTER-DOWN-BY-ADDR $host $port 0', arity('sentinel|is-master-down-by-addr')],
  ['SENTINEL IS-MASTER-DOWN-BY-ADDR $host $port 0 *', [0, '*', 0]],
  ['SENTINEL IS-MASTER-DOWN-BY-ADDR nosuch.invalid 1 0 *', [0, '*', 0]],
  ['SENTINEL IS-MASTER-DOWN-BY-ADDR 999.1.1.1 1 0 *', [0, '*', 0]],
  ['SENTINEL IS-MASTER-DOWN-BY-ADDR $host x 0 *', INTEGER],
  ['SENTINEL IS-MASTER-DOWN-BY-ADDR $host $port x *', INTEGER],
  ['SENTINEL IS-MASTER-DOWN-BY-ADDR $host $port 9999999999999999999999 *', INTEGER],
  ['SENTINEL CKQUORUM', arity('sentinel|ckquorum')],
  ['SENTINEL CKQUORUM nosuch', NO_MASTER],
  ['SENTINEL CKQUORUM mymaster', /^OK \d usable Sentinels\. Quorum and failover authorization can be reached$/],
  ['SENTINEL MYID', /^[0-9a-f]{40}$/],
  ['SENTINEL MYID x', arity('sentinel|myid')],
  ['SENTINEL INFO-CACHE', arity('sentinel|info-cache')],
  ['SENTINEL INFO-CACHE nosuch x', []],
  ['SENTINEL FAILOVER', arity('sentinel|failover')],
  ['SENTINEL FAILOVER nosuch', NO_MASTER],
  ['SENTINEL RESET', arity('sentinel|reset')],
  ['SENTINEL RESET nosuch', 0],
  ['SENTINEL RESET ?ymaste', 0],
  ['SENTINEL FLUSHCONFIG', 'OK'],
  ['SENTINEL FLUSHCONFIG x', arity('sentinel|flushconfig')],
  ['SENTINEL SIMULATE-FAILURE', arity('sentinel|simulate-failure')],
  ['SENTINEL SIMULATE-FAILURE nosuch', 'ERR Unknown failure simulation specified'],
  ['SENTINEL SIMULATE-FAILURE help', ['crash-after-election', 'crash-after-promotion']],
  ['SENTINEL DEBUG x', "ERR Unknown option or number of arguments for SENTINEL DEBUG 'x'"],
  ['SENTINEL DEBUG info-period x', "ERR Invalid argument 'x' for SENTINEL DEBUG 'info-period'"],
  ['SENTINEL DEBUG info-period 0', "ERR Invalid argument '0' for SENTINEL DEBUG 'info-period'"],
  ['SENTINEL DEBUG info-period 10000 PING-PERIOD 1000', 'OK'],
  ['SENTINEL PENDING-SCRIPTS', []],
  ['SENTINEL PENDING-SCRIPTS x', arity('sentinel|pending-scripts')],
  ['SENTINEL HELP x', arity('sentinel|help')],
  ['PUBLISH a b', 'ERR Only HELLO messages are accepted by Sentinel instances.'],
  ['PUBLISH __sentinel__:hello nonsense', 1],
  ['PUBLISH a', arity('publish')],
  ['ROLE', ['sentinel', ['mymaster']]],
  ['ROLE x', arity('role')],
];

const CHANGES: readonly Row[] = [
  ['SENTINEL MONITOR a b c', arity('sentinel|monitor')],
  ['SENTINEL MONITOR m2 127.0.0.1 1 x', 'ERR Invalid quorum'],
  ['SENTINEL MONITOR m2 127.0.0.1 x 1', 'ERR Invalid port'],
  ['SENTINEL MONITOR m2 127.0.0.1 x 0', 'ERR Invalid port'],
  ['SENTINEL MONITOR m2 127.0.0.1 99999999999999999999 1', 'ERR Invalid port'],
  ['SENTINEL MONITOR m2 127.0.0.1 70000 1', 'ERR Invalid port number.'],
  ['SENTINEL MONITOR m2 127.0.0.1 -5 1', 'ERR Invalid port number.'],
  ['SENTINEL MONITOR m2 127.0.0.1 1 0', 'ERR Quorum must be 1 or greater.'],
  ['SENTINEL MONITOR m2 127.0.0.1 70000 -1', 'ERR Quorum must be 1 or greater.'],
  ['SENTINEL MONITOR m2 nosuch.invalid 1 1', 'ERR Invalid IP address or hostname specified'],
  ['SENTINEL MONITOR m2 localhost 1 1', 'ERR Invalid IP address or hostname specified'],
  ['SENTINEL MONITOR m2 999.0.0.1 1 1', 'ERR Invalid IP address or hostname specified'],
  ["SENTINEL MONITOR m2 '' 1 1", 'ERR Invalid IP address or hostname specified'],
  ['SENTINEL MONITOR mymaster 999.0.0.1 1 1', 'ERR Invalid IP address or hostname specified'],
  ['SENTINEL MONITOR mymaster 127.0.0.1 1 1', 'ERR Duplicate master name.'],
  ['SENTINEL MONITOR a.b-c_9 127.0.0.1 9 1', 'OK'],
  ['SENTINEL INFO-CACHE a.b-c_9', ['a.b-c_9', [[0, null]]]],
  ['SENTINEL REPLICAS a.b-c_9', []],
  ['SENTINEL SENTINELS a.b-c_9', []],
  ['SENTINEL FAILOVER a.b-c_9', /^NOGOODSLAVE No suitable replica to promote/],
  ['SENTINEL RESET a.?-[a-d]_*', 1],
  ['SENTINEL RESET *', 2],
  ['SENTINEL REMOVE', arity('sentinel|remove')],
  ['SENTINEL REMOVE nosuch', NO_MASTER],
  ['SENTINEL REMOVE a.b-c_9', 'OK'],
  ['SENTINEL REMOVE a.b-c_9', NO_MASTER],
  ['SENTINEL CONFIG SET resolve-hostnames yes', 'OK'],
  ['SENTINEL MONITOR m2 nosuch.invalid 1 1', 'ERR Invalid IP address or hostname specified'],
  ['SENTINEL CONFIG SET resolve-hostnames no', 'OK'],
  ['SENTINEL SET mymaster quorum', arity('sentinel|set')],
  ['SENTINEL SET mymaster', arity('sentinel|set')],
  ['SENTINEL SET nosuch quorum 2', NO_MASTER],
  ['SENTINEL SET mymaster nosuch 1', "ERR Unknown option or number of arguments for SENTINEL SET 'nosuch'"],
  [
    'SENTINEL SET mymaster quorum 2 failover-timeout',
    "ERR Unknown option or number of arguments for SENTINEL SET 'failover-timeout'",
  ],
  [
    'SENTINEL SET mymaster rename-command CONFIG',
    "ERR Unknown option or number of arguments for SENTINEL SET 'rename-command'",
  ],
  ...['0', '-1', 'x', '1.5', '99999999999999999999'].flatMap((value): Row[] =>
    ['down-after-milliseconds', 'failover-timeout', 'parallel-syncs', 'quorum'].map((option) => [
      `SENTINEL SET mymaster ${option} ${value}`,
      setInvalid(option, value),
    ]),
  ),
  ['SENTINEL SET mymaster master-reboot-down-after-period -1', setInvalid('master-reboot-down-after-period', '-1')],
  ['SENTINEL SET mymaster master-reboot-down-after-period 0', 'OK'],
  ['SENTINEL SET mymaster notification-script /bin/sh', DENIED],
  ['SENTINEL SET mymaster client-reconfig-script /bin/sh', DENIED],
  ['SENTINEL SET mymaster auth-pass x auth-user y', 'OK'],
  ["SENTINEL SET mymaster auth-pass '' auth-user ''", 'OK'],
  ['SENTINEL SET mymaster rename-command CONFIG X', 'OK'],
  ["SENTINEL SET mymaster rename-command CONFIG ''", setInvalid('rename-command', '')],
  ["SENTINEL SET mymaster rename-command '' X", setInvalid('rename-command', '')],
  ['SENTINEL SET mymaster rename-command config CONFIG quorum 2', 'OK'],
  ['SENTINEL SET mymaster QUORUM 5', 'OK'],
  ['SENTINEL CKQUORUM mymaster', /^NOQUORUM \d usable Sentinels\. Not enough available Sentinels to reach the spec/],
  ['SENTINEL SET mymaster quorum 2 down-after-milliseconds 30000', 'OK'],
  ['SENTINEL CONFIG', arity('sentinel|config')],
  ['SENTINEL CONFIG GET nosuch', []],
  ['SENTINEL CONFIG GET', /^ERR Only SENTINEL CONFIG GET /],
  ['SENTINEL CONFIG SET announce-ip', /^ERR Only SENTINEL CONFIG GET /],
  ['SENTINEL CONFIG nosuch x', /^ERR Only SENTINEL CONFIG GET /],
  ['SENTINEL CONFIG SET nosuch x', "ERR Invalid argument 'nosuch' to SENTINEL CONFIG SET"],
  ...['x', '70000', '-1'].map(
    (value): Row => [
      `SENTINEL CONFIG SET announce-port ${value}`,
      `ERR Invalid value '${value}' to SENTINEL CONFIG SET 'announce-port'`,
    ],
  ),
  [
    'SENTINEL CONFIG SET resolve-hostnames maybe',
    "ERR Invalid value 'maybe' to SENTINEL CONFIG SET 'resolve-hostnames'",
  ],
  ['SENTINEL CONFIG SET announce-ip 127.0.0.7', 'OK'],
  ['SENTINEL CONFIG GET ANNOUNCE-i?', ['announce-ip', '127.0.0.7']],
  ['SENTINEL CONFIG SET sentinel-user u', 'OK'],
  ['SENTINEL CONFIG GET sentinel-*', ['sentinel-user', 'u', 'sentinel-pass', '']],
  ["SENTINEL CONFIG SET sentinel-user ''", 'OK'],
];

/** First bytes of a reply under RESP3: where clients are given a map, a set, or neither. */
const TYPES: readonly (readonly [command: string, start: RegExp])[] = [
  ['SENTINEL MASTER mymaster', /^%\d+\r\n\$4\r\nname/],
  ['SENTINEL MASTERS', /^\*1\r\n%\d+\r\n/],
  ['SENTINEL REPLICAS mymaster', /^\*2\r\n%\d+\r\n/],
  ['SENTINEL SENTINELS mymaster', /^\*\d+\r\n%14\r\n/],
  ['SENTINEL CONFIG GET *', /^%\d\r\n/],
  ['SENTINEL DEBUG', /^%13\r\n/],
  ['SENTINEL INFO-CACHE mymaster', /^\*2\r\n\$8\r\nmymaster\r\n\*3\r\n\*2\r\n:\d+\r\n\$/],
  ['SENTINEL SIMULATE-FAILURE help', /^\*2\r\n\$/],
  ['SENTINEL HELP', /^\*\d+\r\n\+SENTINEL <subcommand> /],
  ['SENTINEL CKQUORUM mymaster', /^\+OK /],
  ['SENTINEL MYID', /^\$40\r\n/],
  ['SENTINEL RESET nosuch', /^:0\r\n/],
  ['SENTINEL GET-MASTER-ADDR-BY-NAME nosuch', /^_\r\n/],
  ['SENTINEL GET-MASTER-ADDR-BY-NAME mymaster', /^\*2\r\n\$/],
  ['SENTINEL IS-MASTER-DOWN-BY-ADDR $host $port 0 *', /^\*3\r\n:0\r\n\$1\r\n\*\r\n:0\r\n/],
  ['ROLE', /^\*2\r\n\$8\r\nsentinel\r\n\*1\r\n/],
  ['SENTINEL FLUSHCONFIG', /^\+OK\r\n/],
];

const MASTER_FIELDS = [
  'name ip port runid flags link-pending-commands link-refcount last-ping-sent last-ok-ping-reply last-ping-reply',
  'down-after-milliseconds info-refresh role-reported role-reported-time config-epoch num-slaves',
  'num-other-sentinels quorum failover-timeout parallel-syncs',
].join(' ');
const REPLICA_FIELDS = [
  'name ip port runid flags link-pending-commands link-refcount last-ping-sent last-ok-ping-reply last-ping-reply',
  'down-after-milliseconds info-refresh role-reported role-reported-time master-link-down-time master-link-status',
  'master-host master-port slave-priority slave-repl-offset replica-announced',
].join(' ');
const SENTINEL_FIELDS = [
  'name ip port runid flags link-pending-commands link-refcount last-ping-sent last-ok-ping-reply last-ping-reply',
  'down-after-milliseconds last-hello-message voted-leader voted-leader-epoch',
].join(' ');

/** A reply of pairs, as the names in order and the values by name. */
function pairs(reply: RespValue | undefined): { names: string; values: Record<string, string> } {
  if (!Array.isArray(reply)) throw new Error(`not a list of pairs: ${JSON.stringify(reply)}`);
  const names = reply.filter((_, index) => index % 2 === 0).map(String);
  const values = Object.fromEntries(names.map((name, index) => [name, String(reply[index * 2 + 1])]));
  return { names: names.join(' '), values };
}

function words(command: string, target: Target): string[] {
  return command.split(' ').map((word) => {
    if (word === '$port') return String(target.masterPort);
    if (word === '$host') return target.masterHost;
    return word === "''" ? '' : word;
  });
}

/** The reply; an error as its text. */
async function ask(target: Target, command: string): Promise<RespValue> {
  try {
    return await request({ port: target.port }, ...words(command, target));
  } catch (error) {
    if (error instanceof Error && error.name === 'RespError') return error.message;
    throw error;
  }
}

function list(reply: RespValue): RespValue[] {
  if (!Array.isArray(reply)) throw new Error(`not a list: ${JSON.stringify(reply)}`);
  return reply;
}

/** Runs the whole contract; the rows that change something come last, in their order. */
function contract(target: () => Target): void {
  const check = ([command, wanted]: Row) =>
    it(command, async () => {
      const answer = await ask(target(), command);
      if (wanted instanceof RegExp) expect(answer).toMatch(wanted);
      else expect(answer).toEqual(typeof wanted === 'function' ? wanted(target()) : wanted);
    });

  it('shows a master by these fields', async () => {
    const { names, values } = pairs(await ask(target(), 'SENTINEL MASTER mymaster'));
    expect(names).toBe(MASTER_FIELDS);
    expect(values).toMatchObject({
      name: 'mymaster',
      ip: target().masterHost,
      port: String(target().masterPort),
      runid: expect.stringMatching(/^[0-9a-f]{40}$/),
      flags: 'master',
      'link-refcount': '1',
      'role-reported': 'master',
      'config-epoch': '0',
      'num-slaves': '2',
      quorum: '2',
    });
    for (const name of ['last-ok-ping-reply', 'info-refresh', 'role-reported-time']) {
      expect(values[name]).toMatch(/^\d+$/);
    }
    expect(pairs(list(await ask(target(), 'SENTINEL MASTERS'))[0]).names).toBe(MASTER_FIELDS);
  });

  it('shows replicas by these fields', async () => {
    const replicas = list(await ask(target(), 'SENTINEL REPLICAS mymaster')).map(pairs);
    expect(replicas.map(({ names }) => names)).toEqual([REPLICA_FIELDS, REPLICA_FIELDS]);
    const [{ values } = { values: {} as Record<string, string> }] = replicas;
    expect(values).toMatchObject({
      name: `${values['ip']}:${values['port']}`,
      flags: 'slave',
      'role-reported': 'slave',
      'master-link-down-time': '0',
      'master-link-status': 'ok',
      'master-host': target().masterHost,
      'master-port': String(target().masterPort),
      'slave-priority': '100',
      'replica-announced': '1',
    });
  });

  it('shows other Sentinels by these fields', async () => {
    const peers = list(await ask(target(), 'SENTINEL SENTINELS mymaster')).map(pairs);
    const [{ names, values } = pairs([])] = peers;
    expect(names).toBe(SENTINEL_FIELDS);
    expect(values).toMatchObject({ name: values['runid'], flags: 'sentinel', 'voted-leader': '?' });
  });

  it('has a section in INFO', async () => {
    const text = String(await ask(target(), 'INFO sentinel'));
    const { masterHost, masterPort } = target();
    expect(text.replace(/sentinels=\d/, 'sentinels=N').split('\r\n')).toEqual([
      '# Sentinel',
      'sentinel_masters:1',
      'sentinel_tilt:0',
      'sentinel_tilt_since_seconds:-1',
      'sentinel_running_scripts:0',
      'sentinel_scripts_queue_length:0',
      'sentinel_simulate_failure_flags:0',
      `master0:name=mymaster,status=ok,address=${masterHost}:${masterPort},slaves=2,sentinels=N`,
      '',
    ]);
  });

  it('shows the times of the protocol', async () => {
    const { values } = pairs(await ask(target(), 'SENTINEL DEBUG'));
    expect(values).toMatchObject({ 'INFO-PERIOD': '10000', 'TILT-PERIOD': '30000', 'SCRIPT-RETRY-DELAY': '30000' });
  });

  it('shows its settings in this order', async () => {
    const { names } = pairs(await ask(target(), 'SENTINEL CONFIG GET *'));
    expect(names.replace(' loglevel', '')).toBe(
      'resolve-hostnames announce-hostnames announce-ip announce-port sentinel-user sentinel-pass',
    );
  });

  for (const [command, start] of TYPES) {
    it(`${command} under RESP3`, async () => {
      expect(await rawReply(target().port, 3, words(command, target()))).toMatch(start);
    });
  }
  it('has no array for an unknown name under RESP2', async () => {
    const command = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'nosuch'];
    expect(await rawReply(target().port, 2, command)).toBe('*-1\r\n');
  });
  for (const row of READS) check(row);
  for (const row of CHANGES) check(row);
}

const targets: readonly (readonly [string, () => Peer])[] = [
  ['redis-sentinel', () => requirePeer('redis-sentinel')],
  ['tanist sentinel', () => tanistSentinel],
];

describe.each(targets)('%s', (_name, program) => {
  const cleanup = new Cleanup();
  let target: Target;

  beforeAll(async () => {
    // Without it every test is left out, one by one, with the reason.
    if (findPeer('redis-sentinel').path !== null) target = await start(cleanup, program());
  });
  beforeEach((context) => {
    needs(context, 'redis-sentinel');
  });
  afterAll(() => cleanup.run());

  contract(() => target);
});

/** A master with two replicas and two Sentinels that know each other. */
async function start(cleanup: Cleanup, program: Peer): Promise<Target> {
  const [master] = await startReplicated(cleanup, { replicas: 2 });
  const config = `sentinel monitor mymaster 127.0.0.1 ${master.port} 2`;
  const sentinel = await startSentinel(cleanup, { config, program });
  await startSentinel(cleanup, { config });
  const target: Target = { port: sentinel.port, masterPort: master.port, masterHost: '127.0.0.1' };
  const complete = async () => {
    const replicas = list(await ask(target, 'SENTINEL REPLICAS mymaster')).map((each) => pairs(each).values);
    const peers = list(await ask(target, 'SENTINEL SENTINELS mymaster')).map((each) => pairs(each).values);
    const linked = replicas.every((each) => each['master-link-status'] === 'ok' && each['flags'] === 'slave');
    return replicas.length === 2 && linked && peers.length === 1 && peers[0]?.['flags'] === 'sentinel';
  };
  await until(complete, { what: 'the Sentinel to know everybody', deadline_ms: 30_000 });
  return target;
}
