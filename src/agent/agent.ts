/**
 * The node agent: one host of a cluster. It starts the rooms and passes what one says to the next. One decision leads them
 * all: the leader record of this host's Sentinel, from which role, VIP and routes are derived.
 */
import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import { placeName } from '../base/place.js';
import type { HostConfig, TanistConfig } from '../config/tanist/model.js';
import { AmbientRights, CAP_NET_RAW } from '../net/ambient-rights.js';
import type { Log, LogLevel } from '../observe/log.js';
import { type AgentProxy, startAgentProxy } from '../proxy/agent/agent-proxy.js';
import { endProxies } from '../proxy/agent/end-proxies.js';
import { aloneSettings, fromTanist } from '../proxy/agent/from-tanist.js';
import { tlsSettings } from '../proxy/tls-settings.js';
import { EmbeddedSentinel } from '../sentinel/embedded/embedded.js';
import { voterOf } from '../sentinel/embedded/picture.js';
import { planVips } from '../vrrp/from-tanist.js';
import { thisHost, vipRightsFault } from '../vrrp/host-facts.js';
import { VipKeeper } from '../vrrp/run/vip-keeper.js';
import { ApiServer } from './api/server.js';
import { Arbiter, findPing } from './arbiter.js';
import { Conditions } from './conditions.js';
import { Control } from './control.js';
import { FileWatch } from './file-watch.js';
import type { FileWord } from './file-word.js';
import { GroupRoom } from './group-room.js';
import { History } from './history.js';
import { Hooks } from './hooks/hooks.js';
import { type LastRun, rememberRun } from './last-run.js';
import { AgentMetrics } from './metrics/metrics.js';
import { pairNews } from './pair-record.js';
import { Parts } from './parts.js';
import { Peers } from './peers.js';
import { proxyDirectory } from './proxy-directory.js';
import { untilVoter } from './readiness.js';
import { type RecordChange, RecordWatch } from './records.js';
import { sentinelStateFor } from './sentinel-state.js';
import { SiblingLinks } from './sibling-links.js';
import { strangerWarnings } from './strangers.js';
import { tlsOf } from './tls.js';
import type { HistoryEntry } from './view.js';
import { VipGate } from './vip-gate.js';

/** How often the keepers are told of the others although nothing has happened. */
const SIBLINGS_PERIOD_MS = 1_000;
/** Hooks may finish what they do. */
const HOOKS_STOP_MS = 5_000;
/** How soon the other host of a pair must show that it can be reached. */
const PEER_REACHED_MS = 1_000;

export interface AgentOptions {
  readonly config: TanistConfig;
  readonly self: HostConfig;
  /** What others are told of the file. */
  readonly file: FileWord;
  /** Null when none is known. */
  readonly lastRun: LastRun | null;
  readonly version: string;
  readonly log: Log;
}

export class Agent {
  readonly #options: AgentOptions;
  /** Redis, hooks and proxies, which the agent starts too, have no business with raw sockets and addresses. */
  readonly #rights = new AmbientRights();
  readonly #conditions = new Conditions();
  readonly #records = new RecordWatch();
  readonly #rooms = new Map<string, GroupRoom>();
  readonly #sentinel: EmbeddedSentinel;
  readonly #peers: Peers;
  readonly #vip: VipKeeper;
  readonly #files: FileWatch;
  readonly #arbiter: Arbiter | null;
  readonly #gate: VipGate;
  readonly #history: History;
  readonly #control: Control;
  readonly #metrics: AgentMetrics;
  readonly #api: ApiServer;
  #hooks: Hooks | null = null;
  #proxy: AgentProxy | null = null;
  #timer: NodeJS.Timeout | null = null;
  #stopping = false;

  private constructor(options: AgentOptions, history: History, ping: string | null) {
    this.#options = options;
    this.#history = history;
    const { config, self, version, log } = options;
    const tls = tlsOf(config);
    this.#vip = new VipKeeper(
      planVips(config, self.name, thisHost),
      {
        held: (group, held) => this.#vipHeld(group, held),
        role: (group, role) => this.#rooms.get(group)?.tell({ on: 'pair', state: role }),
        givenUp: () => log.write('warning', 'the router process cannot be kept alive: the VIPs of this host are gone'),
      },
      (level, instance, text) => log.write(vipLevel(level), `vip: ${instance === null ? '' : `${instance}: `}${text}`),
      this.#rights,
    );
    this.#peers = new Peers(config, self, tls?.client ?? null);
    this.#files = new FileWatch({
      own: options.file,
      peers: this.#peers,
      log: (level, text) => log.write(level, text),
    });
    this.#arbiter = this.#makeArbiter(options, ping);
    this.#gate = new VipGate(this.#vip, this.#arbiter?.objection ?? null);
    this.#sentinel = new EmbeddedSentinel({
      path: join(config.stateDirectory, 'sentinel.conf'),
      merge: (kept) => sentinelStateFor(config, self, kept, options.lastRun?.mode ?? config.mode),
      bind: sentinelAddresses(self.address),
      port: config.sentinel.port,
      password: config.sentinel.auth?.value ?? '',
      tls,
      localAddress: self.address,
      version,
      log: (level, text) => log.write(level, text),
      settled: () => this.#settled(),
      intercept: (args) => this.#control.intercept(args),
    });
    this.#control = new Control({
      config,
      self,
      version,
      sentinel: this.#sentinel,
      peers: this.#peers,
      rooms: this.#rooms,
      history,
      conditions: this.#conditions,
      log: (level, text) => log.write(level, text),
      recordOf: (group) => this.#records.of(group),
      warnings: () => this.#warnings(),
      fileWord: () => this.#files.word,
    });
    this.#metrics = new AgentMetrics(this.#control, {
      hooks: () => this.#hooks?.counts() ?? [],
      eventReaders: () => this.#api.eventReaders,
    });
    this.#api = new ApiServer({
      control: this.#control,
      metrics: { contentType: this.#metrics.contentType, text: () => this.#metricsText() },
      token: config.api.token?.value ?? null,
      log,
    });
  }

  /**
   * Starts everything that one host does.
   * @throws {Error} with what is wrong and the fix; then nothing of it runs
   */
  static async start(options: AgentOptions): Promise<Agent> {
    const { config, self, log } = options;
    const fault = config.groups.some(({ vips, hosts }) => vips.length > 0 && hosts.includes(self.name))
      ? vipRightsFault()
      : null;
    if (fault !== null) throw new Error(fault);
    // Only a pair asks an arbiter: elsewhere a majority decides.
    const ping = config.mode === 'pair' && config.arbiter !== null ? findPing() : null;
    const history = await History.open({ directory: config.stateDirectory, log });
    const agent = new Agent(options, history, ping);
    try {
      await agent.#start();
    } catch (error) {
      await agent.#proxy?.undo();
      await agent.#end();
      throw error;
    }
    return agent;
  }

  /** One line for the service manager's status. */
  get statusLine(): string {
    return [...this.#rooms.values()].map((room) => `${room.group.name}: ${room.word().state}`).join(', ') || 'witness';
  }

  /** Settles when this host's Sentinel counts again after the start: soon after the lease's ttl. */
  async ready(): Promise<void> {
    await untilVoter(() => voterOf(this.#sentinel.state, performance.now()), this.#conditions);
  }

  async #start(): Promise<void> {
    const { config, self, lastRun } = this.#options;
    await this.#sentinel.start();
    // Before it can have answered anybody: requests come in with the next turn of the event loop.
    rememberRun(config, lastRun);
    this.#vip.start();
    this.#arbiter?.start();
    for (const group of config.groups) if (group.hosts.includes(self.name)) this.#open(group.name);
    if (config.proxy !== null) this.#proxy = await this.#startProxy(config);
    else await endProxies(proxyDirectory(config));
    await this.#api.listen(config.api);
    this.#settled();
    this.#hooks = new Hooks({
      hooks: config.hooks,
      control: this.#control,
      log: this.#options.log,
      failed: ({ level, text }) => this.#note(level.group, { what: 'hook', text }),
      seed: randomInt(2 ** 31),
    });
    this.#timer = setInterval(() => this.#everySecond(), SIBLINGS_PERIOD_MS);
  }

  /**
   * Leaves in order: a master is handed over first where somebody can take it, then the lease and the VIP are given back.
   * Redis goes on running, as a replica, and so does the proxy, with its clients.
   */
  async stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const parts = new Parts(() => performance.now());
    await parts.take('hand-over', this.#control.handOverAll());
    await parts.take('hooks', this.#hooks?.stop(HOOKS_STOP_MS));
    await this.#end(parts);
    this.#options.log.write('notice', `Let go in ${parts}`);
  }

  async #end(parts = new Parts(() => performance.now())): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#arbiter?.stop();
    await parts.take('keepers', Promise.all([...this.#rooms.values()].map((room) => room.stop())));
    await parts.take('VIPs', this.#vip.stop());
    await parts.take('API', this.#api.close());
    this.#metrics.stop();
    this.#sentinel.stop();
    this.#peers.close();
    await parts.take('history', this.#history.flush());
    // Last, so that it has heard who leads now.
    await parts.take('proxy', this.#proxy?.letGo());
  }

  #open(name: string): void {
    const { config, self, version, log } = this.#options;
    const group = config.groups.find((each) => each.name === name);
    if (group === undefined) return;
    const room = new GroupRoom({
      config,
      self,
      group,
      version,
      log: (level, text) => log.write(level, text),
      askOwn: (args) => this.#sentinel.command(args),
      siblings: new SiblingLinks(config, self, group, tlsSettings(group.redis.tls)),
      vip: {
        grant: (until_ns) => this.#gate.grant(name, until_ns),
        revoke: (reason) => this.#gate.revoke(name, reason),
        holds: () => this.#vip.holds(name),
      },
      note: (entry) => this.#note(name, entry),
      leads: () => this.#tellPair(name),
      conditions: this.#conditions,
    });
    this.#rooms.set(name, room);
  }

  #makeArbiter({ config: { arbiter: address }, log }: AgentOptions, ping: string | null): Arbiter | null {
    const [peer] = this.#peers.hosts;
    if (ping === null || address === null || peer === undefined) return null;
    return new Arbiter({
      address,
      ping,
      lendRights: (start) => this.#rights.lend(start, [CAP_NET_RAW]),
      peer,
      askPeer: () => this.#peers.reaches(peer, PEER_REACHED_MS),
      changed: () => this.#heedArbiter(),
      log,
    });
  }

  #warnings(): readonly string[] {
    const { config } = this.#options;
    const pictures = config.groups.map(({ name }) => this.#control.picture(name));
    const all = [this.#arbiter?.warning ?? null, ...this.#files.warnings, ...strangerWarnings(config, pictures)];
    return all.filter((each) => each !== null);
  }

  #heedArbiter(): void {
    if (this.#arbiter === null) return;
    this.#gate.set(this.#arbiter.objection);
    this.#note('', { what: 'vip', text: this.#arbiter.warning ?? this.#arbiter.sentence });
  }

  #startProxy(config: TanistConfig): Promise<AgentProxy> {
    const { log, self } = this.#options;
    return startAgentProxy({
      config: fromTanist(config),
      workers: config.proxy?.workers ?? 1,
      stats: config.proxy?.stats ?? null,
      directory: proxyDirectory(config),
      alone: aloneSettings(config, self, tlsOf(config)?.client ?? null),
      log: (level, text) => log.write(proxyLevel(level), `proxy: ${text}`),
    });
  }

  /** The Sentinel has taken a step. */
  #settled(): void {
    for (const change of this.#records.look(this.#sentinel.state)) {
      const { group, record, paused } = change;
      // A pair's Sentinels are always paused, since VRRP decides; that is no maintenance.
      const maintenance = paused && this.#options.config.mode !== 'pair';
      this.#rooms.get(group)?.tell({ on: 'record', record, paused: maintenance });
      this.#tellProxy(group);
      this.#noteChange(change);
    }
    for (const group of this.#records.leasesFreed(this.#sentinel.state))
      this.#rooms.get(group)?.tell({ on: 'lease-freed' });
    for (const hold of this.#records.handOvers(this.#sentinel.state)) this.#proxy?.hold(hold);
    this.#conditions.changed();
  }

  /** An election that promoted nobody gives the old master a new epoch: no failover, but worth knowing. */
  #noteChange({ group, record, before, planned }: RecordChange): void {
    if (before === null || before.epoch === record.epoch) return;
    const from = placeName(before.master);
    const to = placeName(record.master);
    if (from === to) return this.#note(group, { what: 'config', text: `${to} stays the master: nobody was promoted` });
    // Without a lease nobody else hears of the plan than the host that carries it out.
    const what = planned || this.#control.wasPlanned(group) ? 'switchover' : 'failover';
    this.#note(group, { what, text: `${from} -> ${to}` });
  }

  #everySecond(): void {
    void this.#files.look();
    for (const room of this.#rooms.values()) {
      room.askSiblings();
      this.#tellPair(room.group.name);
      this.#control.lookAtFailback(room);
    }
    for (const { name } of this.#options.config.groups) this.#tellProxy(name);
  }

  #tellProxy(group: string): void {
    const record = this.#records.of(group);
    if (record === null || this.#proxy === null) return;
    this.#proxy.route({ group, epoch: record.epoch, ...record.master });
  }

  /**
   * In pair mode the record follows what VRRP has decided; else the Sentinels have decided. Looked at again every second:
   * the other host's Sentinel may tell of another master, from when the hosts were cut off from each other.
   */
  #tellPair(group: string): void {
    const { config, self } = this.#options;
    const room = this.#rooms.get(group);
    if (config.mode !== 'pair' || room === undefined) return;
    const news = pairNews(config, self, group, room.pairLeader, this.#records.of(group));
    if (news !== null) void this.#sentinel.command(news);
  }

  #vipHeld(group: string, held: boolean): void {
    this.#rooms.get(group)?.tell({ on: 'vip', held });
    this.#note(group, { what: 'vip', text: held ? 'the VIP is on this host' : 'the VIP has left this host' });
  }

  #note(group: string, entry: Pick<HistoryEntry, 'what' | 'text'>): void {
    const epoch = this.#records.of(group)?.epoch ?? 0;
    const at = new Date().toISOString();
    this.#history.add({ at, group, host: this.#options.self.name, epoch, ...entry });
  }

  async #metricsText(): Promise<string> {
    const own = await this.#metrics.text();
    return own + ((await this.#proxy?.metrics()) ?? '');
  }
}

/** On the host's address; and on loopback too, for those who look from the host itself. */
function sentinelAddresses(address: string): readonly string[] {
  if (address.startsWith('127.') || address === '::1') return [address];
  return [address, address.includes(':') ? '::1' : '127.0.0.1'];
}

function vipLevel(level: 'debug' | 'info' | 'warn' | 'error'): LogLevel {
  if (level === 'debug') return 'debug';
  return level === 'info' ? 'notice' : 'warning';
}

function proxyLevel(level: 'error' | 'warn' | 'notice' | 'info'): LogLevel {
  if (level === 'info') return 'verbose';
  return level === 'notice' ? 'notice' : 'warning';
}
