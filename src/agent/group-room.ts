/** One group on this host: its keeper, joined to the Sentinel that decides, the VIP that follows and the proxy. */
import { randomBytes } from 'node:crypto';
import { Prng } from '../base/prng.js';
import type { GroupConfig, HostConfig, TanistConfig } from '../config/tanist/model.js';
import type { Input, KeeperState, Place } from '../keeper/core/io.js';
import { pairLeader } from '../keeper/core/pair.js';
import { type KeeperSnapshot, snapshot } from '../keeper/core/snapshot.js';
import type { Keeper } from '../keeper/core/state.js';
import { createKeeper, nextDeadline, step } from '../keeper/core/step.js';
import type { Voter } from '../keeper/run/lease-voters.js';
import { MemoryFile } from '../keeper/run/memory-file.js';
import { KeeperRunner, type LogLevel } from '../keeper/run/runner.js';
import { bootTime_ms } from '../net/clock.js';
import { tlsSettings } from '../proxy/tls-settings.js';
import type { Reply } from '../redis/reply.js';
import type { KeeperWord } from './cluster-view.js';
import type { Conditions } from './conditions.js';
import { RoleNotes } from './role-notes.js';
import { placesOf } from './sentinel-state.js';
import type { SiblingLinks } from './sibling-links.js';
import { tlsOf } from './tls.js';
import type { HistoryEntry } from './view.js';

export interface GroupRoomOptions {
  readonly config: TanistConfig;
  readonly self: HostConfig;
  readonly group: GroupConfig;
  readonly version: string;
  readonly log: (level: LogLevel, text: string) => void;
  /** Asks the Sentinel of this host. */
  readonly askOwn: (args: readonly string[]) => Promise<Reply>;
  readonly vip: {
    grant(until_ns: bigint): void;
    revoke(reason: string): void;
    holds(): boolean;
  };
  readonly siblings: SiblingLinks;
  readonly note: (entry: Pick<HistoryEntry, 'what' | 'text'>) => void;
  /** The Redis here has become the master. */
  readonly leads: () => void;
  readonly conditions: Conditions;
}

export class GroupRoom {
  readonly group: GroupConfig;
  readonly place: Place;
  readonly #options: GroupRoomOptions;
  readonly #keeper: Keeper;
  readonly #runner: KeeperRunner;
  readonly #notes: RoleNotes;
  #asking = false;
  #askAgain = false;

  /** Begins to keep the Redis at once. */
  constructor(options: GroupRoomOptions) {
    const { config, self, group, log } = options;
    this.#options = options;
    this.#notes = new RoleNotes(options.note);
    this.group = group;
    this.place = { host: self.address, port: group.redis.port };
    const memory = new MemoryFile(config.stateDirectory, group.name, log);
    const settings = {
      group: group.name,
      self: this.place,
      siblings: placesOf(config, group).filter(({ host }) => host !== self.address),
      voters: config.hosts.map(({ name }) => name),
      ttl_ms: config.lease.ttl_ms,
      durability: group.durability,
      hangAfter_ms: group.redis.hangAfter_ms,
      busyLimit_ms: group.redis.busyLimit_ms,
      attach: group.redis.attach,
      mode: config.mode,
    };
    const keeper = createKeeper(settings, memory.load(), new Prng(randomBytes(4).readInt32LE()), bootTime_ms());
    this.#keeper = keeper;
    this.#runner = new KeeperRunner({
      core: { step: (now, input) => step(keeper, now, input), nextDeadline: () => nextDeadline(keeper) },
      process: {
        group: group.name,
        settings: group.redis,
        address: self.address,
        hasVip: group.vips.length > 0,
        stateDirectory: config.stateDirectory,
      },
      place: this.place,
      auth: group.redis.auth === null ? null : { user: group.redis.auth.user, pass: group.redis.auth.password.value },
      tls: tlsSettings(group.redis.tls),
      voters: this.#voters(),
      memory,
      hooks: {
        grantVip: (until) => options.vip.grant(monotonic_ns(until)),
        revokeVip: (reason) => options.vip.revoke(reason),
        became: (state, from, reason) => this.#became(state, from, reason),
        askSiblings: () => this.askSiblings(),
        saved: (path) => options.note({ what: 'saved', text: `the data set was put aside as ${path}` }),
        log,
      },
    });
  }

  /** Of its Redis; null when none runs. */
  get pid(): number | null {
    return this.#runner.pid;
  }

  /** The lease is held: this Redis takes the writes. */
  get leads(): boolean {
    return this.#snapshot().state === 'master';
  }

  /** In pair mode: who leads, as VRRP has decided; null while that is under way. */
  get pairLeader(): Place | null {
    return pairLeader(this.#keeper);
  }

  tell(input: Input): void {
    this.#runner.deliver(input);
    this.#options.conditions.changed();
  }

  /** Asks the others of the group what they hold, and tells the keeper. Asked again meanwhile, it is asked once more. */
  askSiblings(): void {
    if (this.#asking) {
      this.#askAgain = true;
      return;
    }
    this.#asking = true;
    void this.#options.siblings.ask().then((siblings) => {
      this.#asking = false;
      this.tell({ on: 'siblings', siblings });
      if (this.#askAgain) {
        this.#askAgain = false;
        this.askSiblings();
      }
    });
  }

  /** Lets the others elect while this one still leads. @returns whether a majority has heard of it in time */
  async consent(times: { readonly heardWithin_ms: number; readonly lasts_ms: number }): Promise<boolean> {
    this.tell({ on: 'hand-over', deadline_ms: times.lasts_ms });
    return this.#options.conditions.until(() => this.#snapshot().handOver?.ready === true, times.heardWithin_ms);
  }

  /** What other agents are told. */
  word(): KeeperWord {
    const { vip, group, version } = this.#options;
    const { state, reason, lease, redis } = this.#snapshot();
    return {
      state,
      reason,
      lease_ms: lease?.left_ms ?? null,
      vips: vip.holds() ? group.vips.map(({ address }) => address) : [],
      pid: this.#runner.pid,
      keys: redis.keys,
      offset: redis.offset,
      version: redis.version,
      agent: version,
    };
  }

  /** Lets go: the lease is given back, the VIP leaves, Redis stays. */
  async stop(): Promise<void> {
    await this.#runner.stop();
    this.#notes.stop();
    this.#options.siblings.close();
  }

  #snapshot(): KeeperSnapshot {
    return snapshot(this.#keeper, bootTime_ms());
  }

  #became(state: KeeperState, from: KeeperState, reason: string): void {
    const { group, log, conditions } = this.#options;
    const isRoutine = (each: KeeperState): boolean => each === 'replica' || each === 'quarantined';
    const level = isRoutine(state) && isRoutine(from) ? 'notice' : 'warning';
    log(level, `${group.name}: ${from} -> ${state}: ${reason}`);
    this.#notes.became({ state, from, reason });
    if (state === 'master') this.#options.leads();
    conditions.changed();
  }

  #voters(): Voter[] {
    const { config, self, askOwn } = this.#options;
    const password = config.sentinel.auth?.value ?? '';
    const tls = tlsOf(config)?.client ?? null;
    return config.hosts.map(({ name, address }): Voter => {
      if (name === self.name) return { id: name, by: { ask: askOwn } };
      const to = { host: address, port: config.sentinel.port };
      const auth = password === '' ? null : { user: '', pass: password };
      return { id: name, by: { link: { to, auth, tls, localAddress: self.address } } };
    });
  }
}

/** A time of the keeper's clock on CLOCK_MONOTONIC, as the VIP's keeper wants it. */
function monotonic_ns(time: number): bigint {
  return process.hrtime.bigint() + BigInt(Math.round((time - bootTime_ms()) * 1e6));
}
