/** What the operator, other agents and clients may ask of this agent, and the answers. */
import type { GroupConfig, HostConfig, TanistConfig } from '../config/tanist/model.js';
import type { LeaderRecord, Place } from '../keeper/core/io.js';
import type { LogLevel } from '../observe/log.js';
import { ErrorReply, OK, type Reply } from '../redis/reply.js';
import type { EmbeddedSentinel } from '../sentinel/embedded/embedded.js';
import { choiceNow, type GroupPicture, pictureOf } from '../sentinel/embedded/picture.js';
import { clusterView, groupView, type KeeperWord } from './cluster-view.js';
import type { Conditions } from './conditions.js';
import { explain } from './explain.js';
import { FailbackWatch } from './failback.js';
import type { GroupRoom } from './group-room.js';
import { type ChangeHands, change, type HandoverOrder, handOver } from './handover.js';
import type { History } from './history.js';
import { printWord, readWord } from './keeper-word.js';
import type { Peers } from './peers.js';
import { whenServed } from './served.js';
import type { AgentControl, ClusterView, Explanation, GroupView, HistoryEntry, Outcome, VoterView } from './view.js';

const WORD_MS = 500;
/** A switchover is carried out by the master's agent; it answers when it is over. */
const SWITCHOVER_MS = 20_000;
const PAUSE_MS = 2_000;
/** Before the agent ends: how long the master's place may take to find another. */
const LEAVE_MS = 8_000;

type Refusal = Extract<Outcome, { ok: false }>;

export interface ControlOptions {
  readonly config: TanistConfig;
  readonly self: HostConfig;
  readonly version: string;
  readonly sentinel: EmbeddedSentinel;
  readonly peers: Peers;
  readonly rooms: ReadonlyMap<string, GroupRoom>;
  readonly history: History;
  readonly conditions: Conditions;
  readonly log: (level: LogLevel, text: string) => void;
  /** Who leads a group, by the Sentinel of this host. */
  readonly recordOf: (group: string) => LeaderRecord | null;
  /** What else an operator should know. */
  readonly warnings: () => readonly string[];
  /** What other agents are told of this one's file. */
  readonly fileWord: () => string;
}

export class Control implements AgentControl {
  readonly #options: ControlOptions;
  readonly #failback = new Map<string, FailbackWatch>();
  readonly #advice = new Map<string, string>();
  /** Groups whose master is being changed from here. */
  readonly #busy = new Set<string>();

  constructor(options: ControlOptions) {
    this.#options = options;
    for (const { name, failback, hosts } of options.config.groups) {
      this.#failback.set(name, new FailbackWatch(failback, hosts[0] ?? ''));
    }
  }

  async view(): Promise<ClusterView> {
    const { config } = this.#options;
    const groups = await Promise.all(
      config.groups.map(async (group) => this.#groupView(group, await this.#words(group.name), 'all')),
    );
    return this.#clusterView(groups.filter((each) => each !== null));
  }

  local(): ClusterView {
    const { config } = this.#options;
    const groups = config.groups.map((group) => this.#groupView(group, this.#ownWord(group.name), 'local'));
    return this.#clusterView(groups.filter((each) => each !== null));
  }

  history(group: string | null, limit: number): readonly HistoryEntry[] {
    return this.#options.history.list(group, limit);
  }

  subscribe(listener: (entry: HistoryEntry) => void): () => void {
    return this.#options.history.subscribe(listener);
  }

  async explain(name: string): Promise<Explanation> {
    const { config } = this.#options;
    const group = config.groups.find((each) => each.name === name);
    const view = group === undefined ? null : this.#groupView(group, await this.#words(name), 'all');
    return explain(name, view, this.#voters());
  }

  async switchover(group: string, to: string | null): Promise<Outcome> {
    return whenServed(await this.#change(group, to, false), () => this.#isServed(group));
  }

  async failover(group: string, to: string | null): Promise<Outcome> {
    return whenServed(await this.#change(group, to, true), () => this.#isServed(group));
  }

  pause(group: string | null): Promise<Outcome> {
    return this.#setPaused(group, true);
  }

  resume(group: string | null): Promise<Outcome> {
    return this.#setPaused(group, false);
  }

  /** What the Sentinel of this host knows of a group; null for one that it does not watch. */
  picture(name: string): GroupPicture | null {
    const { state } = this.#options.sentinel;
    const group = state.groups.get(name);
    return group === undefined ? null : pictureOf(state, group, performance.now());
  }

  /** Whether the last change of a group's master was asked for from here. */
  wasPlanned(group: string): boolean {
    return this.#busy.has(group);
  }

  /** Commands on the Sentinel's port that are the agent's; null for all others. */
  intercept(args: readonly string[]): Promise<Reply> | null {
    if (args[0]?.toUpperCase() !== 'SENTINEL') return null;
    const [, subcommand = '', group = '', ...rest] = args;
    switch (subcommand.toUpperCase()) {
      case 'AGENT':
        return Promise.resolve(this.#options.fileWord());
      case 'KEEPER':
        return Promise.resolve(this.#keeperReply(group));
      case 'SWITCHOVER':
        return this.#switchoverHere(group, rest);
      case 'FAILOVER':
        return this.#plainFailover(group, rest);
      case 'PAUSE': {
        const fault = this.#pairFault();
        return fault === null ? null : Promise.resolve(errorOf(fault));
      }
      default:
        return null;
    }
  }

  /** Before the agent ends: every master here is given to somebody who can take it. */
  async handOverAll(): Promise<void> {
    const leaving = [...this.#options.rooms.values()].filter((room) => room.leads);
    await Promise.all(
      leaving.map(async (room) => {
        const late = new Promise<Outcome>((resolve) => {
          setTimeout(() => resolve(refused(`not done within ${LEAVE_MS} ms`)), LEAVE_MS).unref();
        });
        const outcome = await Promise.race([this.#handOverHere(room, null, false), late]);
        const level = outcome.ok ? 'notice' : 'warning';
        this.#options.log(level, `${room.group.name}: handing over before the end: ${outcome.text}`);
      }),
    );
  }

  /** Gives the preferred host its place back when the policy says so. Called every second. */
  lookAtFailback(room: GroupRoom): void {
    const { name, hosts } = room.group;
    const preferred = hosts[0] ?? '';
    const advice = this.#failback.get(name)?.look(performance.now(), {
      leads: room.leads,
      preferred: preferred === this.#options.self.name,
      obstacle: this.#obstacle(room.group, preferred),
      paused: this.picture(name)?.paused ?? true,
    });
    if (advice?.do === 'tell') this.#advice.set(name, `${name}: ${advice.text}`);
    else this.#advice.delete(name);
    if (advice?.do !== 'switch-over' || this.#busy.has(name)) return;
    void this.#handOverHere(room, this.#placeOf(room.group, preferred), false).then(({ ok, text }) =>
      this.#options.log(ok ? 'notice' : 'warning', `${name}: failback to ${preferred}: ${text}`),
    );
  }

  #groupView(group: GroupConfig, words: ReadonlyMap<string, KeeperWord>, asked: 'local' | 'all'): GroupView | null {
    const { config, sentinel } = this.#options;
    const known = sentinel.state.groups.get(group.name);
    if (known === undefined) return null;
    const now = performance.now();
    return groupView(config, {
      config: group,
      picture: pictureOf(sentinel.state, known, now),
      choice: choiceNow(sentinel.state, known, now),
      words,
      asked,
    });
  }

  #clusterView(groups: readonly GroupView[]): ClusterView {
    const { config, self, version } = this.#options;
    const at = new Date().toISOString();
    const view = clusterView({ config, self, version, at, groups, voters: this.#voters() });
    return { ...view, warnings: [...view.warnings, ...this.#options.warnings(), ...this.#advice.values()] };
  }

  #voters(): VoterView[] {
    const { config, self, version, peers } = this.#options;
    return config.hosts.map(({ name, address, witness }) => ({
      host: name,
      address,
      port: config.sentinel.port,
      witness,
      answers: name === self.name || peers.isUp(name),
      version: name === self.name ? version : '',
    }));
  }

  #ownWord(group: string): ReadonlyMap<string, KeeperWord> {
    const room = this.#options.rooms.get(group);
    return new Map(room === undefined ? [] : [[this.#options.self.name, room.word()]]);
  }

  async #words(group: string): Promise<ReadonlyMap<string, KeeperWord>> {
    const { peers } = this.#options;
    const replies = await peers.askAll(['SENTINEL', 'KEEPER', group], WORD_MS);
    const words = new Map(this.#ownWord(group));
    for (const [host, reply] of replies) {
      const word = readWord(reply);
      if (word !== null) words.set(host, word);
    }
    return words;
  }

  async #wordOf(host: string, group: string): Promise<KeeperWord | null> {
    const { self, peers } = this.#options;
    if (host === self.name) return this.#ownWord(group).get(host) ?? null;
    return readWord(await peers.ask(host, ['SENTINEL', 'KEEPER', group], WORD_MS));
  }

  #keeperReply(group: string): Reply {
    const room = this.#options.rooms.get(group);
    return room === undefined ? new ErrorReply(`ERR no Redis of '${group}' is kept here`) : printWord(room.word());
  }

  /** A change of master that an operator asks for, wherever the master is. */
  async #change(name: string, to: string | null, force: boolean): Promise<Outcome> {
    const { config, self, rooms, peers } = this.#options;
    const group = config.groups.find((each) => each.name === name);
    const picture = this.picture(name);
    if (group === undefined || picture === null) return { ok: false, status: 404, text: `no group is named '${name}'` };
    const fault = this.#pairFault() ?? this.#targetFault(group, to, picture);
    if (fault !== null) return fault;
    const target = to === null ? null : this.#placeOf(group, to);
    const master = this.#hostAt(group, picture.master);
    const room = rooms.get(name);
    if (master === self.name && room?.leads === true) return this.#handOverHere(room, target, force);
    const args = ['SENTINEL', 'SWITCHOVER', name, ...(target === null ? [] : [target.host, String(target.port)])];
    if (master !== null && master !== self.name && peers.isUp(master)) {
      return outcomeOf(await peers.order(master, force ? [...args, 'FORCE'] : args, SWITCHOVER_MS));
    }
    if (force) {
      const order = { group: name, to: target, force };
      return this.#oneAtATime(order, (hands) => change(hands, order));
    }
    const who = master === null ? 'the master' : `the agent on ${master}, which keeps the master,`;
    return {
      ok: false,
      status: 503,
      text: `${who} does not answer`,
      fix: '`tanist failover --force` goes on without it, and may lose writes',
    };
  }

  /** Whether the group's master leads by its own word, with the VIPs. */
  async #isServed(name: string): Promise<boolean> {
    const group = this.#options.config.groups.find((each) => each.name === name);
    const picture = this.picture(name);
    if (group === undefined || picture === null) return false;
    const host = this.#hostAt(group, picture.master);
    const word = host === null ? null : await this.#wordOf(host, name);
    return word?.state === 'master' && word.vips.length === group.vips.length;
  }

  /** In a pair VRRP decides: an order to the Sentinels would part the master from its VIP. */
  #pairFault(): Refusal | null {
    if (this.#options.config.mode !== 'pair') return null;
    return refused(
      'in pair mode VRRP decides who leads',
      'to move the master, or to leave one host alone, stop its agent: `systemctl stop tanist`',
    );
  }

  #targetFault(group: GroupConfig, to: string | null, { master }: GroupPicture): Outcome | null {
    if (to === null) return null;
    if (!group.hosts.includes(to)) {
      const text = `${group.name} has no Redis on '${to}': one of ${group.hosts.join(', ')}`;
      return { ok: false, status: 404, text };
    }
    if (this.#hostAt(group, master) !== to) return null;
    return refused(`${to} leads ${group.name} already`, 'nothing needs to be done; to move it, name another host');
  }

  /** The change of a master that is kept here. */
  async #handOverHere(room: GroupRoom, to: Place | null, force: boolean): Promise<Outcome> {
    const order = { group: room.group.name, to, force };
    return this.#oneAtATime(order, (hands) =>
      handOver(
        {
          ...hands,
          consent: (times) => room.consent(times),
          consentOver: () => room.tell({ on: 'hand-over-over' }),
        },
        order,
      ),
    );
  }

  async #oneAtATime(order: HandoverOrder, carryOut: (hands: ChangeHands) => Promise<Outcome>): Promise<Outcome> {
    const { group } = order;
    const { sentinel, conditions } = this.#options;
    if (this.#busy.has(group)) return refused(`another change of ${group} is under way`);
    this.#busy.add(group);
    try {
      return await carryOut({
        command: (args) => sentinel.command(args),
        record: () => this.#options.recordOf(group),
        whyGivenUp: () => sentinel.state.groups.get(group)?.givenUp ?? null,
        underWay: () => sentinel.state.groups.get(group)?.failover != null,
        now: () => performance.now(),
        conditions,
      });
    } finally {
      this.#busy.delete(group);
    }
  }

  async #switchoverHere(name: string, rest: readonly string[]): Promise<Reply> {
    const force = rest.at(-1)?.toUpperCase() === 'FORCE';
    const [host, port] = force ? rest.slice(0, -1) : rest;
    const room = this.#options.rooms.get(name);
    if (room === undefined) return new ErrorReply(`ERR no Redis of '${name}' is kept here`);
    const fault = this.#pairFault();
    if (fault !== null) return errorOf(fault);
    if (!room.leads) return new ErrorReply(`ERR the Redis here does not lead ${name}: ${room.word().reason}`);
    const to = host === undefined ? null : { host, port: Number(port) };
    const outcome = await this.#handOverHere(room, to, force);
    return outcome.ok ? outcome.text : errorOf(outcome);
  }

  /** A client's SENTINEL FAILOVER, as it would be sent to any Sentinel. */
  #plainFailover(name: string, rest: readonly string[]): Promise<Reply> | null {
    const { config } = this.#options;
    if ((config.lease.ttl_ms === null && config.mode !== 'pair') || this.picture(name) === null) return null;
    const words = rest.map((word) => word.toUpperCase());
    const at = words.indexOf('TO');
    const place = at === -1 ? null : { host: rest[at + 1] ?? '', port: Number(rest[at + 2]) };
    const group = config.groups.find((each) => each.name === name);
    const to = place === null || group === undefined ? null : this.#hostAt(group, place);
    if (place !== null && to === null) return Promise.resolve(new ErrorReply('ERR TO names no Redis of the group'));
    return this.#change(name, to, words.includes('FORCE')).then((outcome) => (outcome.ok ? OK : errorOf(outcome)));
  }

  async #setPaused(group: string | null, on: boolean): Promise<Outcome> {
    const { config, self, sentinel, peers } = this.#options;
    if (group !== null && !config.groups.some(({ name }) => name === group)) {
      return { ok: false, status: 404, text: `no group is named '${group}'` };
    }
    const fault = this.#pairFault();
    if (fault !== null) return fault;
    const args = ['SENTINEL', 'PAUSE', group ?? '*', on ? 'on' : 'off'];
    const own = await sentinel.command(args);
    if (own instanceof ErrorReply) return refused(own.message);
    const replies = await peers.askAll(args, PAUSE_MS);
    const silent = [...replies].filter(([, reply]) => reply instanceof ErrorReply).map(([host]) => host);
    const what = `${group ?? 'all groups'} ${on ? 'paused: no automatic failover' : 'resumed'}`;
    this.#note(group ?? '', on, what);
    if (silent.length === 0) return { ok: true, text: what };
    if (silent.length + 1 > config.hosts.length / 2) {
      return { ok: false, status: 503, text: `only ${self.name} and few others took note; not ${silent.join(', ')}` };
    }
    return { ok: true, text: `${what}; ${silent.join(', ')} did not answer and must be told again` };
  }

  #note(group: string, on: boolean, text: string): void {
    const { history, self } = this.#options;
    const at = new Date().toISOString();
    history.add({ at, group, host: self.name, epoch: 0, what: on ? 'pause' : 'resume', text });
  }

  /** Why the preferred host could not take the master's place now; null when it could. */
  #obstacle(group: GroupConfig, host: string): string | null {
    const place = this.#placeOf(group, host);
    const node = this.picture(group.name)?.nodes.find((each) => each.host === place?.host && each.port === place.port);
    if (node === undefined) return 'it is not known';
    if (!node.answers) return node.trouble;
    return node.follows ? null : 'it does not follow the master yet';
  }

  #placeOf(group: GroupConfig, name: string): Place | null {
    const host = this.#options.config.hosts.find((each) => each.name === name);
    return host === undefined ? null : { host: host.address, port: group.redis.port };
  }

  #hostAt(group: GroupConfig, { host, port }: Place): string | null {
    const found = this.#options.config.hosts.find(({ address }) => address === host);
    return found !== undefined && group.redis.port === port && group.hosts.includes(found.name) ? found.name : null;
  }
}

function refused(text: string, fix?: string): Refusal {
  return { ok: false, status: 409, text, ...(fix === undefined ? {} : { fix }) };
}

/** As a Sentinel's client reads it. */
function errorOf({ text, fix }: Refusal): ErrorReply {
  return new ErrorReply(`ERR ${text}${fix === undefined ? '' : `: ${fix}`}`);
}

/** What another agent answered to SENTINEL SWITCHOVER. */
function outcomeOf(reply: Reply): Outcome {
  if (reply instanceof ErrorReply) return refused(reply.message.replace(/^[A-Z]+ /, ''));
  return { ok: true, text: typeof reply === 'string' ? reply : 'done' };
}
