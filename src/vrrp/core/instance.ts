/**
 * One virtual router: the state machine of RFC 3768 and RFC 5798 section 6.4, with keepalived's FAULT state, tracking
 * and sync groups. Only the `#become…` functions change the state.
 */
import { assert } from '../../base/assert.js';
import { compareIp } from '../../base/ip-bytes.js';
import { type Advert, type PacketFault, PRIORITY_LEAVING, PRIORITY_OWNER } from '../packet/packet.js';
import { Announcer } from './announcer.js';
import { addressKey, allAddresses, type GroupConfig, type InstanceConfig } from './config.js';
import { assess, type Health, type HostView } from './health.js';
import type { Effect, Packet, State } from './io.js';
import { Outbox } from './outbox.js';
import { refuse } from './receive.js';
import { newStats, type Stats } from './stats.js';
import { masterDown_ms, skewTime_ms } from './timing.js';

/** What the other members of a sync group impose on an instance. */
export interface Siblings {
  readonly faults: readonly string[];
  readonly pending: readonly string[];
}

const ALONE: Siblings = { faults: [], pending: [] };

/** A router that disputes our address is answered at most this often. */
const DEFENCE_GAP_MS = 1000;
/** Addresses are refreshed when this part of their lifetime has passed, so that one late refresh does no harm. */
export const REFRESH_PART = 0.45;
/** A removal waits this long at most for connections to be ended, and never beyond the end of a loan. */
const FAREWELL_MAX_MS = 20;

export class Instance {
  #config: InstanceConfig;
  #group: GroupConfig | null;
  readonly #view: HostView;
  readonly #outbox: Outbox;
  readonly #stats: Stats = newStats();
  #announcer: Announcer;
  #state: State = 'INIT';
  #reason = 'not started';
  #since = 0;
  #started = false;
  #health: Health;
  #siblings: Siblings = ALONE;
  /** The master's interval, learned from its adverts in version 3. */
  #masterInterval_ms: number;
  /** Who was last believed, and with which priority; null before the first advert. */
  #master: { source: string; priority: number; at: number } | null = null;
  /** The latest master that was not believed, since its priority is lower than ours. */
  #lower: { source: string; priority: number; at: number } | null = null;
  #masterDownAt = Number.POSITIVE_INFINITY;
  #advertAt = Number.POSITIVE_INFINITY;
  #probeAt = Number.POSITIVE_INFINITY;
  #refreshAt = Number.POSITIVE_INFINITY;
  #preemptAt: number | null = null;
  /** Who answered the probe before a take-over. */
  #disputedBy: string | null = null;
  /** The latest defence of an address, done or still to come. */
  #defendedAt = Number.NEGATIVE_INFINITY;

  /** @param effects where what is to be done goes, in the order in which it must be carried out. */
  constructor(config: InstanceConfig, group: GroupConfig | null, view: HostView, effects: Effect[]) {
    this.#config = config;
    this.#group = group;
    this.#view = view;
    this.#outbox = new Outbox(config, effects);
    this.#announcer = new Announcer(config.announce);
    this.#masterInterval_ms = config.interval_ms;
    this.#health = assess(config, group, view);
  }

  get config(): InstanceConfig {
    return this.#config;
  }

  get group(): GroupConfig | null {
    return this.#group;
  }

  get state(): State {
    return this.#state;
  }

  /** Why it is in this state. */
  get reason(): string {
    return this.#reason;
  }

  get health(): Health {
    return this.#health;
  }

  get stats(): Readonly<Stats> {
    return this.#stats;
  }

  /** When it entered this state (monotonic ms). */
  get since(): number {
    return this.#since;
  }

  /** The router whose adverts are believed, while this one is not master. */
  get master(): { readonly source: string; readonly priority: number } | null {
    return this.#state === 'MASTER' ? null : this.#master;
  }

  nextDeadline(): number {
    switch (this.#state) {
      case 'INIT':
      case 'FAULT':
        return Number.POSITIVE_INFINITY;
      case 'BACKUP':
        return Math.min(this.#masterDownAt, this.#probeAt);
      case 'MASTER':
        return Math.min(this.#advertAt, this.#refreshAt, this.#announcer.nextDeadline());
    }
  }

  start(now: number): void {
    this.#started = true;
    this.#since = now;
  }

  /** Looks at the host again, and leaves or enters FAULT accordingly. */
  settle(now: number, siblings: Siblings = ALONE): void {
    const before = this.#health;
    this.#siblings = siblings;
    this.#health = assess(this.#config, this.#group, this.#view);
    if (!this.#started) return;
    if (before.priority !== this.#health.priority) this.#priorityChanged(before.priority);
    const faults = [...this.#health.faults, ...siblings.faults];
    if (faults.length > 0) {
      if (this.#state !== 'FAULT') this.#becomeFault(now, faults.join('; '));
      else this.#reason = faults.join('; ');
      return;
    }
    if (this.#state === 'BACKUP' || this.#state === 'MASTER') return;
    const pending = [...this.#health.pending, ...siblings.pending];
    if (pending.length > 0) {
      this.#reason = `waiting for the first result of ${pending.join(', ')}`;
      return;
    }
    const why = this.#state === 'INIT' ? 'started' : 'all faults are gone';
    const right = this.#config.leased ? 'has been lent the addresses' : 'owns the addresses';
    if (this.#health.priority === PRIORITY_OWNER) this.#becomeMaster(now, `${why}, and ${right}`);
    else this.#becomeBackup(now, why);
  }

  tick(now: number): void {
    if (this.#state === 'BACKUP') this.#tickBackup(now);
    else if (this.#state === 'MASTER') this.#tickMaster(now);
  }

  /** An advert for this VRID arrived. */
  advert(now: number, packet: Packet, advert: Advert): void {
    this.#stats.advertsReceived++;
    const refusal = refuse(this.#config, this.#source(), packet, advert, this.#master?.source ?? null);
    if (refusal !== null) {
      this.#stats.dropped[refusal.code] = (this.#stats.dropped[refusal.code] ?? 0) + 1;
      if (refusal.code === 'own') return;
      const text = `dropped an advert from ${packet.source}: ${refusal.reason}`;
      this.#outbox.logOnce(now, 'warn', `${refusal.code} ${packet.source}`, text);
      return;
    }
    if (advert.priority === PRIORITY_LEAVING) this.#stats.priorityZeroReceived++;
    if (this.#state === 'BACKUP') this.#stepBackup(now, packet, advert);
    else if (this.#state === 'MASTER') this.#stepMaster(now, packet, advert);
  }

  /** A packet with this VRID that is not an advert arrived. */
  damaged(now: number, source: string, fault: PacketFault): void {
    this.#stats.dropped[fault] = (this.#stats.dropped[fault] ?? 0) + 1;
    this.#outbox.logOnce(now, 'warn', `${fault} ${source}`, `dropped a packet from ${source}: ${fault}`);
  }

  /** The interface has its carrier back: whoever sat behind it may have been told otherwise meanwhile. */
  linkReturned(now: number): void {
    if (this.#state !== 'MASTER') return;
    this.#outbox.log('info', `the link of ${this.#config.interface} is back: announcing the addresses again`);
    this.#sendAdvert(this.#health.priority);
    this.#advertAt = now + this.#config.interval_ms;
    this.#announcer.again(now);
    this.#announceDue(now);
  }

  addressLost(now: number, ip: string, device: string): void {
    if (this.#state !== 'MASTER') return;
    const address = allAddresses(this.#config).find((a) => a.ip === ip && a.device === device);
    if (address === undefined || address.noTrack) return;
    this.#stats.addressesRestored++;
    this.#outbox.logOnce(now, 'warn', `lost ${ip}`, `somebody removed ${ip} from ${device}: putting it back`);
    this.#outbox.claim([address]);
    this.#outbox.announce([address]);
  }

  conflict(now: number, ip: string, mac: string): void {
    if (this.#state === 'BACKUP') {
      if (this.#probeAt === Number.POSITIVE_INFINITY && now >= this.#masterDownAt - this.#skew())
        this.#disputedBy = mac;
      return;
    }
    if (this.#state !== 'MASTER') return;
    this.#stats.addressConflicts++;
    // The old master's last words may still be under way just after a take-over.
    if (now - this.#since > this.#config.interval_ms) {
      this.#outbox.logOnce(
        now,
        'warn',
        `conflict ${ip} ${mac}`,
        `${mac} uses our address ${ip} too: announcing it again`,
      );
    }
    // A defence may be under way already; its probe is answered again for as long as the other holds the address.
    if (this.#defendedAt > now) return;
    this.#defendedAt = Math.max(now, this.#defendedAt + DEFENCE_GAP_MS);
    this.#announcer.defend(this.#defendedAt);
  }

  sendFailed(now: number, error: string): void {
    this.#stats.sendErrors++;
    this.#outbox.logOnce(
      now,
      'error',
      `send ${error}`,
      `an advert could not be sent, so others may take over: ${error}`,
    );
  }

  /** Another member of the sync group has become master or backup, so this one does. */
  follow(now: number, state: 'MASTER' | 'BACKUP', leader: string): void {
    if (this.#state === state || this.#state === 'FAULT' || this.#state === 'INIT') return;
    const reason = `${leader}, of the same sync group, has become ${state}`;
    if (state === 'MASTER') this.#becomeMaster(now, reason);
    else this.#becomeBackup(now, reason);
  }

  /** Takes new settings without leaving the state; what tells virtual routers apart must be the same. */
  reconfigure(now: number, config: InstanceConfig, group: GroupConfig | null): void {
    const old = new Map(allAddresses(this.#config).map((a) => [addressKey(a), a]));
    const kept = new Set(allAddresses(config).map(addressKey));
    this.#config = config;
    this.#outbox.setConfig(config);
    this.#group = group;
    this.#announcer = new Announcer(config.announce);
    if (this.#state === 'BACKUP') this.#armBackup(now, masterDown_ms(config, this.#health.priority, this.#interval()));
    if (this.#state !== 'MASTER') return;
    const dropped = [...old].filter(([key]) => !kept.has(key)).map(([, address]) => address);
    this.#outbox.release(dropped, this.#farewell_ms(now));
    this.#outbox.claim(allAddresses(config));
    this.#scheduleRefresh(now);
    this.#sendAdvert(this.#health.priority);
    this.#advertAt = now + config.interval_ms;
    this.#announcer.becameMaster(now);
    this.#announceDue(now);
  }

  setGroup(group: GroupConfig | null): void {
    this.#group = group;
  }

  /** Leaves for good: addresses go, and a master says so with priority 0 (RFC 5798 section 6.4.3). */
  stop(now: number, notify: 'STOP' | 'DELETED'): void {
    if (!this.#started) return;
    this.#leaveMaster(now);
    this.#started = false;
    this.#enter(now, 'INIT', 'stopped');
    this.#notify(notify);
  }

  #tickBackup(now: number): void {
    if (now >= this.#probeAt && now < this.#masterDownAt) {
      this.#probeAt = Number.POSITIVE_INFINITY;
      this.#outbox.probe();
    }
    if (now < this.#masterDownAt) return;
    const lower = this.#lower;
    if (lower !== null && now - lower.at <= this.#config.downAdverts * this.#interval()) {
      this.#becomeMaster(now, `takes over from ${lower.source}, whose priority ${lower.priority} is lower`);
      return;
    }
    const heard = this.#master;
    const why =
      heard === null
        ? `no advert since ${Math.round(now - this.#since)} ms`
        : `no advert to wait for since ${Math.round(now - heard.at)} ms (the last was from ${heard.source})`;
    if (this.#disputedBy !== null) {
      this.#outbox.log(
        'warn',
        `${this.#disputedBy} still answers for our addresses, but sends no adverts: taking over all the same`,
      );
    }
    this.#becomeMaster(now, why);
  }

  #tickMaster(now: number): void {
    if (now >= this.#refreshAt) {
      this.#outbox.claim(allAddresses(this.#config));
      this.#scheduleRefresh(now);
    }
    if (now >= this.#advertAt) {
      this.#sendAdvert(this.#health.priority);
      // From the deadline, not from now, so that lateness does not add up; but never a burst after a stall.
      const next = this.#advertAt + this.#config.interval_ms;
      this.#advertAt = next > now ? next : now + this.#config.interval_ms;
    }
    this.#announceDue(now);
  }

  /** RFC 5798 section 6.4.2. */
  #stepBackup(now: number, packet: Packet, advert: Advert): void {
    if (advert.priority === PRIORITY_LEAVING) {
      this.#outbox.log('info', `${packet.source} leaves`);
      this.#armBackup(now, this.#skew());
      return;
    }
    const lower = advert.priority < this.#health.priority;
    if (!lower) this.#preemptAt = null;
    else if (this.#config.preempt && !this.#waitsToPreempt(now)) {
      const text = `ignored the advert of ${packet.source}: its priority ${advert.priority} is lower than ours`;
      this.#outbox.logOnce(now, 'info', `lower ${packet.source}`, text);
      this.#lower = { source: packet.source, priority: advert.priority, at: now };
      return;
    }
    this.#lower = null;
    this.#master = { source: packet.source, priority: advert.priority, at: now };
    if (this.#config.version === 3) this.#masterInterval_ms = Math.max(10, advert.interval_ms);
    this.#armBackup(now, masterDown_ms(this.#config, this.#health.priority, this.#interval()));
  }

  /** True while a lower master is still to be left alone. The delay starts with its first advert. */
  #waitsToPreempt(now: number): boolean {
    if (this.#config.preemptDelay_ms === 0) return false;
    this.#preemptAt ??= now + this.#config.preemptDelay_ms;
    return now < this.#preemptAt;
  }

  /** RFC 5798 section 6.4.3; what happens on a lower priority is RFC 9568's and keepalived's. */
  #stepMaster(now: number, packet: Packet, advert: Advert): void {
    if (advert.priority === PRIORITY_LEAVING) {
      this.#sendAdvert(this.#health.priority);
      this.#advertAt = now + this.#config.interval_ms;
      return;
    }
    const ours = this.#health.priority;
    if (this.#config.leased && advert.priority >= ours) {
      this.#contested(now, packet);
      return;
    }
    const own = this.#source();
    const loses =
      advert.priority > ours || (advert.priority === ours && own !== null && compareIp(packet.source, own) > 0);
    if (!loses) {
      this.#assertRole(now, packet, advert);
      return;
    }
    if (this.#config.higherPrioSendAdvert) this.#sendAdvert(ours);
    this.#master = { source: packet.source, priority: advert.priority, at: now };
    if (this.#config.version === 3) this.#masterInterval_ms = Math.max(10, advert.interval_ms);
    const why =
      advert.priority > ours
        ? `a higher priority: ${advert.priority} > ${ours}`
        : 'equal priority and a higher address';
    this.#becomeBackup(now, `${packet.source} has ${why}`);
  }

  #assertRole(now: number, packet: Packet, advert: Advert): void {
    const text = `${packet.source} is master too, with priority ${advert.priority}: holding on`;
    this.#outbox.logOnce(now, 'warn', `lower ${packet.source}`, text);
    this.#outbox.lowerHeard(this.#health.priority);
    if (this.#config.lowerPrioNoAdvert) return;
    this.#sendAdvert(this.#health.priority);
    this.#advertAt = now + this.#config.interval_ms;
    this.#announcer.again(now);
    this.#announceDue(now);
  }

  /** Who holds the loan is master; two that both think so must not answer each other without end. */
  #contested(now: number, packet: Packet): void {
    const text = `${packet.source} is master too, as an owner of the addresses: ours are lent to us, so holding on`;
    this.#outbox.logOnce(now, 'error', `contested ${packet.source}`, text);
    if (this.#defendedAt > now) return;
    this.#defendedAt = Math.max(now, this.#defendedAt + DEFENCE_GAP_MS);
    this.#announcer.defend(this.#defendedAt);
  }

  #becomeBackup(now: number, reason: string): void {
    assert(this.#health.priority !== PRIORITY_OWNER || this.#state === 'MASTER', 'an owner waits for nobody');
    if (this.#state === 'MASTER') this.#dropAddresses(now);
    else this.#master = null;
    if (this.#state !== 'MASTER') this.#masterInterval_ms = this.#config.interval_ms;
    this.#preemptAt = null;
    this.#lower = null;
    this.#disputedBy = null;
    this.#enter(now, 'BACKUP', reason);
    this.#armBackup(now, masterDown_ms(this.#config, this.#health.priority, this.#interval()));
    this.#notify('BACKUP');
  }

  #becomeMaster(now: number, reason: string): void {
    assert(this.#siblings.faults.length === 0, 'no member of a sync group is master while another is in fault');
    this.#stats.becameMaster++;
    this.#enter(now, 'MASTER', reason);
    this.#sendAdvert(this.#health.priority);
    this.#advertAt = now + this.#config.interval_ms;
    this.#outbox.claim(allAddresses(this.#config));
    this.#scheduleRefresh(now);
    this.#announcer.becameMaster(now);
    this.#announceDue(now);
    this.#disputedBy = null;
    this.#notify('MASTER');
  }

  #becomeFault(now: number, reason: string): void {
    this.#leaveMaster(now);
    this.#enter(now, 'FAULT', reason);
    this.#notify('FAULT');
  }

  /** The addresses go first: whoever takes over on our priority 0 must not meet them. */
  #leaveMaster(now: number): void {
    if (this.#state !== 'MASTER') return;
    this.#dropAddresses(now);
    this.#sendAdvert(PRIORITY_LEAVING);
    this.#stats.priorityZeroSent++;
  }

  #dropAddresses(now: number): void {
    this.#stats.releasedMaster++;
    this.#announcer.stop();
    this.#refreshAt = Number.POSITIVE_INFINITY;
    this.#outbox.release(allAddresses(this.#config), this.#farewell_ms(now));
  }

  /** When a loan has run out the addresses go first, and what is left of their connections is seen to afterwards. */
  #farewell_ms(now: number): number | null {
    if (!this.#config.farewell) return null;
    return Math.max(0, Math.min(FAREWELL_MAX_MS, this.#view.promised_ms(this.#config.tracks, now)));
  }

  #enter(now: number, state: State, reason: string): void {
    this.#outbox.log('info', `${this.#state} -> ${state}: ${reason}`);
    this.#state = state;
    this.#reason = reason;
    this.#since = now;
  }

  #armBackup(now: number, wait_ms: number): void {
    this.#masterDownAt = now + wait_ms;
    // Half of the skew before the end nothing can come any more that was sent on time.
    this.#probeAt = this.#masterDownAt - this.#skew() / 2;
    this.#disputedBy = null;
  }

  #scheduleRefresh(now: number): void {
    const lifetime = this.#config.vipLifetime_s;
    this.#refreshAt = lifetime === null ? Number.POSITIVE_INFINITY : now + lifetime * 1000 * REFRESH_PART;
  }

  #interval(): number {
    return this.#config.version === 3 ? this.#masterInterval_ms : this.#config.interval_ms;
  }

  #skew(): number {
    return skewTime_ms(this.#config.version, this.#health.priority, this.#interval());
  }

  #source(): string | null {
    return this.#config.source ?? this.#view.source(this.#config.interface, this.#config.family);
  }

  #priorityChanged(before: number): void {
    const { priority } = this.#health;
    this.#outbox.log('info', `priority ${before} -> ${priority}`);
    this.#outbox.priority(this.#state, priority);
  }

  #announceDue(now: number): void {
    const due = this.#announcer.due(now);
    for (let n = due; n > 0; n--) this.#outbox.announce(allAddresses(this.#config));
    // Hosts do not answer an announcement, but one that has kept an address answers a probe.
    if (due > 0) this.#outbox.probe();
  }

  #sendAdvert(priority: number): void {
    const source = this.#source();
    if (source !== null) this.#stats.advertsSent += this.#outbox.advert(priority, source);
  }

  #notify(state: 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP' | 'DELETED'): void {
    this.#outbox.notify(state, this.#health.priority, this.#reason);
  }
}
