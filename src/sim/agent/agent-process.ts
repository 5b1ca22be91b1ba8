/** The agent of a host, as `src/agent/agent.ts`: the Sentinel, a room for each group, and what they tell each other. */
import { FailbackWatch } from '../../agent/failback.js';
import { helloFor } from '../../agent/pair-record.js';
import { RecordWatch } from '../../agent/records.js';
import { MASTER_CONF_DEFAULTS, type SentinelState, STATE_DEFAULTS } from '../../config/sentinel-types.js';
import { pairLeader } from '../../keeper/core/pair.js';
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';
import { pictureOf } from '../../sentinel/embedded/picture.js';
import { Gate } from '../gate.js';
import type { SentinelManners } from '../sentinel-process.js';
import { SentinelProcess } from '../sentinel-process.js';
import type { AgentHost } from './agent-host.js';
import { Leaving } from './leaving.js';
import { Room } from './room.js';
import { Switchover } from './switchover.js';

export const SENTINEL_PORT = 26_379;
const SIBLINGS_PERIOD_MS = 1_000;
const TURN_MS = 0.02;
const ROUTER_RESTART_MS = 75;

export class AgentProcess {
  readonly gate = new Gate();
  alive = false;
  /** Which start this is. */
  life = 0;
  /** When it was last killed, frozen, or came back from either. */
  disturbedAt = Number.NEGATIVE_INFINITY;
  readonly manners: SentinelManners = { drift: 0, disk_ms: 0 };
  readonly rooms = new Map<string, Room>();
  readonly sentinel: SentinelProcess;
  #records = new RecordWatch();
  #switchovers = new Map<string, Switchover>();
  #failback = new Map<string, FailbackWatch>();
  #leaving: Leaving | null = null;

  constructor(readonly host: AgentHost) {
    const { world, context, name } = host;
    this.sentinel = new SentinelProcess(
      context,
      `s${name}`,
      host.host,
      SENTINEL_PORT,
      this.manners,
      world.groupOf,
      world.nameOf,
      firstState(host),
      {
        gate: this.gate,
        clock: host.clock,
        settled: () => this.#settled(),
        intercept: (args, answer) => this.#intercept(args, answer),
      },
    );
  }

  start(): void {
    const { host } = this;
    this.alive = true;
    this.life += 1;
    this.#leaving = null;
    this.disturbedAt = host.context.loop.now;
    this.#records = new RecordWatch();
    this.#switchovers = new Map();
    this.#failback = new Map(
      host.world.plan.groups.map(({ name, failback }) => [name, new FailbackWatch(failback, name)]),
    );
    for (const router of host.routers.values()) router.start();
    for (const [name, redis] of host.redises) {
      const router = host.routers.get(name);
      if (router !== undefined) this.rooms.set(name, new Room(host, redis, router));
    }
    for (const proxy of host.proxies.values()) proxy.start();
    this.sentinel.start();
    this.#everySecond();
  }

  /** kill -9; `silently` with the host. */
  crash(silently: boolean): void {
    if (!this.alive) return;
    const { host } = this;
    host.leave();
    this.alive = false;
    this.#leaving = null;
    this.life += 1;
    this.disturbedAt = host.context.loop.now;
    for (const room of this.rooms.values()) room.close(silently);
    this.rooms.clear();
    this.sentinel.crash(silently);
    if (silently) return;
    for (const router of host.routers.values()) router.orphan();
    for (const proxy of host.proxies.values()) proxy.orphan();
  }

  /** It was told to end, and has not yet. */
  get isLeaving(): boolean {
    return this.#leaving !== null;
  }

  /** SIGTERM: masters are handed over, the leases given back; then it ends. */
  stop(done: () => void): void {
    if (this.#leaving !== null) return;
    this.#leaving = new Leaving(this, () => {
      this.crash(false);
      done();
    });
    this.#leaving.begin();
  }

  /** A command to its own Sentinel; answered in a later turn of the event loop. */
  askOwn(args: readonly string[], answer: (reply: Reply) => void): void {
    const { host, life } = this;
    host.later(TURN_MS, () =>
      this.sentinel.ask(args, (reply) =>
        host.later(TURN_MS, () => {
          if (this.life === life) answer(reply);
        }),
      ),
    );
  }

  /** A planned change of the master that is kept here. */
  switchOver(
    group: string,
    to: { host: string; port: number } | null,
    force: boolean,
    done: (text: string) => void,
  ): void {
    const room = this.rooms.get(group);
    if (room === undefined || room.keeper.state !== 'master') return done('it does not lead');
    if (this.#switchovers.has(group)) return done('another change is under way');
    this.host.world.handOvers.begins(group);
    this.host.note(1, `hands ${group} over${to === null ? '' : ` to ${to.host}`}${force ? ' by force' : ''}`);
    const switchover = new Switchover(room, this, to, force, (text) => {
      this.#switchovers.delete(group);
      this.host.note(1, `hand-over of ${group}: ${text}`);
      if (text === '' && !force) this.host.world.onHandedOver(room);
      done(text);
    });
    this.#switchovers.set(group, switchover);
    switchover.begin();
  }

  /** Something has happened: whoever waits for it looks. */
  look(): void {
    for (const switchover of [...this.#switchovers.values()]) switchover.look();
    this.#leaving?.look();
  }

  /** In a pair: what VRRP has decided reaches the Sentinel as news of the other host's. */
  tellPair(group: string): void {
    const { world, index } = this.host;
    const room = this.rooms.get(group);
    if (world.plan.mode !== 'pair' || room === undefined) return;
    const other = 1 - index;
    const from = { host: world.ipOf(other), port: SENTINEL_PORT, runId: [...world.nameOf.keys()][other] ?? '' };
    const news = helloFor(from, group, pairLeader(room.keeper), this.#records.of(group));
    if (news !== null) this.askOwn(news, () => undefined);
  }

  /** As `control.ts` does. */
  #lookAtFailback(room: Room): void {
    const { world, index, now } = this.host;
    const { group, redis } = room;
    const [preferred = 0] = redis.group.hosts;
    const known = this.sentinel.state?.groups.get(group);
    if (world.plan.mode === 'pair' || this.sentinel.state === null || known === undefined) return;
    const place = world.placeOf(redis.group, preferred);
    const node = pictureOf(this.sentinel.state, known, now).nodes.find(({ host }) => host === place.host);
    const advice = this.#failback.get(group)?.look(now, {
      leads: room.keeper.state === 'master',
      preferred: preferred === index,
      obstacle: node?.answers === true && node.follows ? null : 'it does not follow the master yet',
      paused: known.paused,
    });
    if (advice?.do === 'switch-over') this.switchOver(group, place, false, () => undefined);
  }

  routerDied(group: string): void {
    const { host } = this;
    host.later(ROUTER_RESTART_MS + host.context.prng.below(50), () => {
      const router = host.routers.get(group);
      if (router === undefined || router.alive) return;
      router.start();
      router.disturbedAt = host.context.loop.now;
      const vipUntil = this.rooms.get(group)?.keeper.vipUntil ?? null;
      router.lend(vipUntil === null ? null : host.virtual(vipUntil));
    });
  }

  #settled(): void {
    const { state } = this.sentinel;
    if (state === null) return;
    const { mode } = this.host.world.plan;
    for (const { group, record, paused } of this.#records.look(state)) {
      this.rooms.get(group)?.deliver({ on: 'record', record, paused: paused && mode === 'quorum' });
      this.#tellProxy(group);
    }
    for (const group of this.#records.leasesFreed(state)) this.rooms.get(group)?.deliver({ on: 'lease-freed' });
    for (const { group, for_ms } of this.#records.handOvers(state)) this.host.proxies.get(group)?.hold(for_ms);
    this.look();
  }

  #everySecond(): void {
    this.host.later(SIBLINGS_PERIOD_MS, () => {
      for (const room of this.rooms.values()) {
        room.askSiblings();
        this.tellPair(room.group);
        this.#lookAtFailback(room);
      }
      for (const name of this.host.proxies.keys()) this.#tellProxy(name);
      this.#everySecond();
    });
  }

  #tellProxy(group: string): void {
    const record = this.#records.of(group);
    if (record !== null) this.host.proxies.get(group)?.route(record.epoch, record.master);
  }

  #intercept(args: readonly string[], answer: (reply: Reply) => void): boolean {
    if ((args[1] ?? '').toUpperCase() !== 'SWITCHOVER') return false;
    const [, , group = '', host, port] = args;
    this.switchOver(group, host === undefined ? null : { host, port: Number(port) }, false, (text) =>
      answer(text === '' ? OK : new ErrorReply(`ERR ${text}`)),
    );
    return true;
  }
}

/** As `sentinelStateFor`: everybody knows everybody from the file. */
function firstState({ world, index }: AgentHost): SentinelState {
  const { plan } = world;
  const ids = [...world.nameOf.keys()];
  return {
    ...STATE_DEFAULTS,
    myId: ids[index] ?? '',
    announceIp: world.ipOf(index),
    announcePort: SENTINEL_PORT,
    masters: plan.groups.map((group) => {
      const [first, ...rest] = group.hosts.map((each) => world.placeOf(group, each));
      if (first === undefined) throw new Error('a group has a host');
      return {
        ...MASTER_CONF_DEFAULTS,
        name: group.name,
        ...first,
        quorum: Math.floor(plan.hosts / 2) + 1,
        downAfter_ms: plan.downAfter_ms,
        failoverTimeout_ms: plan.failoverTimeout_ms,
        parallelSyncs: group.hosts.length,
        fastDown: true,
        leaseTtl_ms: plan.mode === 'pair' ? 0 : plan.ttl_ms,
        paused: plan.mode === 'pair',
        ackReplicas: group.durability === 'replicated' ? 1 : 0,
        replicas: rest,
        sentinels: ids
          .map((runId, each) => ({ host: world.ipOf(each), port: SENTINEL_PORT, runId }))
          .filter((_, each) => each !== index),
      };
    }),
  };
}
