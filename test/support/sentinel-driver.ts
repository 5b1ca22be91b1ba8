/**
 * One Sentinel core among scripted neighbours, for unit tests: Redis processes and peers that answer at once or not at
 * all. Time moves only when a test says so. Whole clusters of real cores are the simulator's work.
 */
import { Prng } from '../../src/base/prng.js';
import { MASTER_CONF_DEFAULTS, type MasterConf, type SentinelState } from '../../src/config/sentinel-types.js';
import { ErrorReply, type Reply } from '../../src/redis/reply.js';
import type { ConnId, Effect, Input } from '../../src/sentinel/core/io.js';
import { createSentinel } from '../../src/sentinel/core/restore.js';
import type { Group, Sentinel } from '../../src/sentinel/core/state.js';
import { nextDeadline, step } from '../../src/sentinel/core/step.js';

export const MY_ID = 'a'.repeat(40);
export const PEER_B = 'b'.repeat(40);
export const PEER_C = 'c'.repeat(40);

/** A Redis as far as a Sentinel sees it. */
export interface FakeRedis {
  state: 'up' | 'gone' | 'silent';
  /** What it answers to PING. */
  pong: Reply;
  runId: string;
  role: 'master' | 'slave';
  /** Of the one that it follows: 10.0.0.1, or nobody's. */
  masterHost: string;
  masterPort: number;
  /** Heeds no order to follow another. */
  staysWithMaster: boolean;
  linkUp: boolean;
  linkDownSince_s: number;
  offset: number;
  keys: number;
  /** Its replication history, and the one that this continues. */
  replId: string;
  replId2: string;
  secondOffset: number;
  priority: number;
  /** Answers no INFO while it is a master. */
  hidesInfo: boolean;
  /** Refuses CLIENT PAUSE, as for a user without the right to it. */
  refusesPause: boolean;
  /** Refuses FAILOVER likewise. */
  refusesHandOver: boolean;
  /** The error that it answers FAILOVER with; empty when it hands over. */
  refusesFailover: string;
  /** Hello messages published through it by the Sentinel. */
  hellos: number;
  /** Requests it was sent, in words. */
  readonly asked: string[];
}

/** Another Sentinel: answers asks by these functions; null leaves the ask unanswered. */
export interface FakePeer {
  state: 'up' | 'gone';
  answer: (epoch: number, candidate: string) => Reply | null;
}

export class SentinelDriver {
  readonly redis = new Map<number, FakeRedis>();
  readonly peers = new Map<number, FakePeer>();
  /** Events and log lines, oldest first. */
  readonly events: string[] = [];
  readonly logs: string[] = [];
  readonly scripts: string[][] = [];
  readonly snapshots: SentinelState[] = [];
  readonly answers: Reply[] = [];
  readonly sentinel: Sentinel;
  now = 1_000_000;
  readonly #conns = new Map<ConnId, number>();
  readonly #pending: Input[] = [];

  /** Port 1 is the master, ports 2 and 3 its replicas, ports 11 and 12 the peers. */
  constructor(options: Partial<MasterConf> = {}, seed = 1) {
    for (const port of [1, 2, 3]) this.redis.set(port, fakeRedis(port));
    for (const port of [11, 12]) this.peers.set(port, { state: 'up', answer: () => null });
    const master: MasterConf = {
      ...MASTER_CONF_DEFAULTS,
      name: 'm',
      host: '10.0.0.1',
      port: 1,
      quorum: 2,
      downAfter_ms: 1_000,
      failoverTimeout_ms: 60_000,
      replicas: [2, 3].map((port) => ({ host: '10.0.0.1', port })),
      sentinels: [
        { host: '10.0.0.2', port: 11, runId: PEER_B },
        { host: '10.0.0.2', port: 12, runId: PEER_C },
      ],
      ...options,
    };
    const snapshot: SentinelState = {
      myId: MY_ID,
      currentEpoch: 0,
      announceIp: '10.0.0.2',
      announcePort: 10,
      resolveHostnames: false,
      announceHostnames: false,
      denyScriptsReconfig: true,
      sentinelUser: '',
      sentinelPass: '',
      masters: [master],
    };
    const started = createSentinel(snapshot, {
      listenPort: 10,
      requirePass: '',
      names: new Map(),
      prng: new Prng(seed),
      now: this.now,
    });
    this.sentinel = started.state;
    this.#carryOut(started.effects);
  }

  get group(): Group {
    const group = this.sentinel.groups.get('m');
    if (group === undefined) throw new Error('the group m is gone');
    return group;
  }

  fake(port: number): FakeRedis {
    const redis = this.redis.get(port);
    if (redis === undefined) throw new Error(`no fake Redis at port ${port}`);
    return redis;
  }

  peer(port: number): FakePeer {
    const peer = this.peers.get(port);
    if (peer === undefined) throw new Error(`no fake peer at port ${port}`);
    return peer;
  }

  /** Both peers vote for whoever asks and agree that the master is down. */
  peersAgree(): void {
    for (const peer of this.peers.values()) {
      peer.answer = (epoch, candidate) => [1, candidate, candidate === '*' ? 0 : epoch];
    }
  }

  /** The process is killed: its connections are reset, new ones refused. */
  kill(port: number): void {
    this.fake(port).state = 'gone';
    for (const [conn, at] of [...this.#conns]) if (at === port) this.#drop(conn, 'reset');
    this.#settle();
  }

  /** A message on the hello channel of the Redis at `port`. */
  hello(port: number, message: string): void {
    for (const [conn, at] of this.#conns) {
      if (at === port && this.sentinel.conns.get(conn)?.conn !== this.#commandConn(conn)) {
        this.input({ on: 'hello', conn, message });
        return;
      }
    }
    throw new Error(`no hello connection to port ${port}`);
  }

  command(...args: string[]): Reply {
    this.input({ on: 'command', client: 1, args });
    return this.answers.at(-1) ?? null;
  }

  input(input: Input): void {
    this.#pending.push(input);
    this.#settle();
  }

  /** Lets time pass, ticking at each deadline on the way. */
  advance(ms: number): void {
    const end = this.now + ms;
    this.#settle();
    for (let ticks = 0; nextDeadline(this.sentinel) <= end; ticks++) {
      if (ticks > 200_000) throw new Error('the core asks for ticks without end');
      this.now = Math.max(this.now, nextDeadline(this.sentinel));
      this.input({ on: 'tick' });
    }
    this.now = end;
  }

  /** Types of the events seen, e.g. `+sdown`, those of `about` kinds only when given. */
  eventTypes(): string[] {
    return this.events.map((line) => line.split(' ')[0] ?? '');
  }

  #settle(): void {
    for (let input = this.#pending.shift(); input !== undefined; input = this.#pending.shift()) {
      this.#carryOut(step(this.sentinel, this.now, input));
    }
  }

  #carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) this.#perform(effect);
  }

  #perform(effect: Effect): void {
    switch (effect.act) {
      case 'connect':
        return this.#connect(effect.conn, effect.to.port);
      case 'close':
        this.#conns.delete(effect.conn);
        return;
      case 'send':
        return this.#send(effect.conn, effect);
      case 'event':
        this.events.push(`${effect.event.type} ${effect.event.text}`);
        return;
      case 'log':
        this.logs.push(effect.text);
        return;
      case 'script':
        this.scripts.push([effect.path, ...effect.args]);
        return;
      case 'persist':
        this.snapshots.push(effect.snapshot);
        return;
      case 'answer':
        this.answers.push(effect.reply);
        return;
      case 'resolve':
      case 'crash':
        this.logs.push(`${effect.act}`);
    }
  }

  #connect(conn: ConnId, port: number): void {
    const state = this.redis.get(port)?.state ?? this.peers.get(port)?.state ?? 'gone';
    if (state === 'gone') {
      this.#pending.push({ on: 'closed', conn, why: 'refused', detail: '' });
    } else if (state === 'up') {
      this.#conns.set(conn, port);
      this.#pending.push({ on: 'connected', conn, localIp: '10.0.0.2' });
    }
  }

  #drop(conn: ConnId, why: 'reset'): void {
    this.#conns.delete(conn);
    this.#pending.push({ on: 'closed', conn, why, detail: '' });
  }

  #commandConn(conn: ConnId): unknown {
    return this.sentinel.conns.get(conn)?.link.command;
  }

  #send(conn: ConnId, { tag, args }: Extract<Effect, { act: 'send' }>): void {
    const port = this.#conns.get(conn);
    if (port === undefined) throw new Error('sent on a connection that does not stand');
    const redis = this.redis.get(port);
    const reply = redis === undefined ? this.#peerReply(port, args) : redisReply(redis, args, this.redis);
    if (reply !== undefined) this.#pending.push({ on: 'reply', conn, tag, reply });
  }

  #peerReply(port: number, args: readonly string[]): Reply | undefined {
    const peer = this.peers.get(port);
    if (peer === undefined || peer.state === 'gone') return undefined;
    if (args[0] === 'PING') return 'PONG';
    if (args[0] === 'PUBLISH') return 1;
    return peer.answer(Number(args[4]), args[5] ?? '*') ?? undefined;
  }
}

function fakeRedis(port: number): FakeRedis {
  return {
    state: 'up',
    pong: 'PONG',
    runId: String(port).repeat(40).slice(0, 40),
    role: port === 1 ? 'master' : 'slave',
    masterHost: '10.0.0.1',
    masterPort: 1,
    staysWithMaster: false,
    linkUp: true,
    linkDownSince_s: 1,
    offset: 100,
    keys: 10,
    replId: 'd'.repeat(40),
    replId2: '0'.repeat(40),
    secondOffset: -1,
    priority: 100,
    hidesInfo: false,
    refusesPause: false,
    refusesFailover: '',
    refusesHandOver: false,
    hellos: 0,
    asked: [],
  };
}

function redisReply(redis: FakeRedis, args: readonly string[], all: ReadonlyMap<number, FakeRedis>): Reply | undefined {
  if (redis.state !== 'up') return undefined;
  const words = args.join(' ');
  if (!/^(PING|INFO|PUBLISH)/.test(words)) redis.asked.push(words);
  const [name, ...rest] = args;
  switch (name) {
    case 'PING':
      return redis.pong;
    case 'INFO':
      return redis.hidesInfo && redis.role === 'master' ? undefined : infoText(redis, all);
    case 'EXEC':
      return redis.staysWithMaster ? [new ErrorReply('ERR it stays')] : ['OK'];
    case 'SLAVEOF':
      if (redis.staysWithMaster) return 'QUEUED';
      redis.role = rest[0] === 'NO' ? 'master' : 'slave';
      if (redis.role === 'slave') [redis.masterHost, redis.masterPort] = [rest[0] ?? '', Number(rest[1])];
      return 'QUEUED';
    case 'FAILOVER':
      return redis.refusesFailover === ''
        ? handOver(redis, Number(rest[2]), all)
        : new ErrorReply(redis.refusesFailover);
    case 'CLIENT':
      if (rest[0] !== 'PAUSE') return 'OK';
      return redis.refusesPause ? new ErrorReply('NOPERM this user has no permissions to pause') : 'OK';
    case 'PUBLISH':
      redis.hellos += 1;
      return 1;
    default:
      return 'OK';
  }
}

function handOver(redis: FakeRedis, to: number, all: ReadonlyMap<number, FakeRedis>): Reply {
  const target = all.get(to);
  if (redis.refusesHandOver) return new ErrorReply('NOPERM this user has no permissions to hand over');
  if (target === undefined) return new ErrorReply('ERR FAILOVER target HOST and PORT is not a replica.');
  redis.role = 'slave';
  redis.masterPort = to;
  target.role = 'master';
  return 'OK';
}

function infoText(redis: FakeRedis, all: ReadonlyMap<number, FakeRedis>): string {
  const lines = [`run_id:${redis.runId}`, `role:${redis.role}`, `master_replid:${redis.replId}`];
  lines.push(`master_replid2:${redis.replId2}`, `second_repl_offset:${redis.secondOffset}`);
  if (redis.role === 'master') {
    lines.push(`master_repl_offset:${redis.offset}`);
    let index = 0;
    for (const [port, other] of all) {
      if (other.role === 'slave' && other.state === 'up') {
        lines.push(`slave${index++}:ip=10.0.0.1,port=${port},state=online,offset=${other.offset},lag=0`);
      }
    }
  } else {
    const linkUp = redis.linkUp && redis.masterHost === '10.0.0.1';
    lines.push(`master_host:${redis.masterHost}`, `master_port:${redis.masterPort}`);
    lines.push(`master_link_status:${linkUp ? 'up' : 'down'}`);
    if (!linkUp) lines.push(`master_link_down_since_seconds:${redis.linkDownSince_s}`);
    lines.push(`slave_repl_offset:${redis.offset}`, `slave_priority:${redis.priority}`);
  }
  lines.push('# Keyspace', `db0:keys=${redis.keys},expires=0,avg_ttl=0`);
  return lines.join('\r\n');
}
