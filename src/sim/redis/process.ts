/** A Redis process: its life, its role, its configuration file. */
import { ErrorReply, OK, type Reply } from '../../redis/reply.js';
import type { Context } from '../context.js';
import { Gate } from '../gate.js';
import type { End, Host, Listener } from '../network.js';
import { Clients } from './clients.js';
import { Dataset, hex40 } from './dataset.js';
import { Handover } from './handover.js';
import { Replicas } from './replicas.js';
import { Upstream } from './upstream.js';

export interface Place {
  readonly ip: string;
  readonly port: number;
}

/** How this Redis is set up and how fast it is. */
export interface RedisOptions {
  readonly priority: number;
  /** FAILOVER is known (Redis 6.2 and later). */
  readonly failoverCommand: boolean;
  /** CLIENT PAUSE … WRITE is known. */
  readonly pauseCommand: boolean;
  /** CONFIG REWRITE works. */
  readonly rewrites: boolean;
  /** Data survives a crash. */
  readonly keepsData: boolean;
  /** replica-serve-stale-data no. */
  readonly masterDownReply: boolean;
  /** How long it takes to read the data after a start or a full resync. */
  readonly load_ms: number;
  /** How long the snapshot for a full resync takes. */
  readonly snapshot_ms: number;
}

const CRON_MS = 1_000;
/** A master that does not exist: whoever follows it takes no writes and loses nothing. */
export const NOWHERE: Place = { ip: '127.0.0.1', port: 1 };

export class RedisProcess implements Listener {
  readonly gate = new Gate();
  readonly data: Dataset;
  readonly replicas = new Replicas(this);
  readonly upstream = new Upstream(this);
  readonly handover = new Handover(this);
  readonly clients = new Clients(this);
  alive = false;
  runId = '';
  startedAt = 0;
  role: 'master' | 'replica' = 'master';
  /** When it took that role. */
  roleSince = 0;
  following: Place | null = null;
  /** When it was told to follow that one. */
  followingSince = 0;
  /** Writes are taken until then: the end of the lease, or never without leases. */
  leasedUntil = Number.POSITIVE_INFINITY;
  /** A write is acknowledged once so many replicas have it. */
  ackReplicas = 0;
  /** Started again it follows nobody, whatever its file says, until its keeper knows who it is. */
  quarantined = false;
  /** Whoever started this process is told of its end. */
  onDeath: (() => void) | null = null;
  /** What it finds on its disk when it is started again; null: what `options` say. */
  onReload: ((data: Dataset) => void) | null = null;
  /** min-replicas-to-write and min-replicas-max-lag: how it is configured now. */
  minReplicas = { count: 0, lag_s: 10 };
  /** A replica in a pause does not carry out what its master sends, as redis-server 7 does not. */
  pauseHoldsStream = false;
  /** And of its becoming a master. */
  onPromotion: (() => void) | null = null;
  #loadedAt = 0;
  #life = 0;
  /** What its configuration file says. */
  #configured: Place | null;

  constructor(
    readonly context: Context,
    readonly name: string,
    readonly group: string,
    readonly host: Host,
    readonly port: number,
    readonly options: RedisOptions,
    replicaOf: Place | null,
  ) {
    this.data = new Dataset(context.prng);
    this.#configured = replicaOf;
    context.network.listen(this);
  }

  get address(): string {
    return `${this.host.ip}:${this.port}`;
  }

  get loading(): boolean {
    return this.context.loop.now < this.#loadedAt;
  }

  /** Whether the lease, if there is one, is held now. */
  get leased(): boolean {
    return this.context.loop.now < this.leasedUntil;
  }

  /** Whether a client that wrote now would be told that it has been done. */
  get writable(): boolean {
    return this.alive && this.clients.writeLimitation() === null && !this.clients.writesWait();
  }

  start(): void {
    const { loop, prng } = this.context;
    const first = this.#life === 0;
    this.alive = true;
    this.#life += 1;
    this.runId = hex40(prng);
    this.startedAt = loop.now;
    const place = this.quarantined && !first ? NOWHERE : this.#configured;
    this.role = place === null ? 'master' : 'replica';
    this.following = place;
    this.minReplicas = { count: 0, lag_s: 10 };
    if (!first) {
      if (this.onReload === null) this.data.restart(this.options.keepsData);
      else this.onReload(this.data);
      this.#loadedAt = loop.now + this.options.load_ms;
    }
    const life = this.#life;
    const cron = (): void => {
      if (life !== this.#life || !this.alive) return;
      this.gate.pass(() => this.#cron());
      loop.after(CRON_MS, cron);
    };
    loop.after(first ? 0 : this.options.load_ms, cron);
  }

  #cron(): void {
    if (!this.alive) return;
    this.replicas.ping();
    this.replicas.dropSilent();
    if (this.role === 'replica') this.upstream.cron();
  }

  /** kill -9; with `silently` the host goes too, and no peer is told. */
  crash(silently: boolean): void {
    this.alive = false;
    this.#life += 1;
    this.gate.reset(silently);
    for (const { end } of this.replicas.all) {
      if (silently) end.vanish();
      else end.reset();
    }
    this.replicas.all = [];
    this.replicas.attachedSince = null;
    this.upstream.reset();
    this.clients.forget(silently);
    this.handover.end();
    if (!silently) this.onDeath?.();
  }

  accept(end: End): void {
    this.clients.add(end);
  }

  slaveof(host: string, port: string, by: string): Reply {
    if (this.loading) return new ErrorReply('LOADING Redis is loading the dataset in memory');
    if (this.handover.state !== 'no-failover') return new ErrorReply('ERR REPLICAOF not allowed while failing over.');
    const noOne = host.toUpperCase() === 'NO' && port.toUpperCase() === 'ONE';
    const follows = noOne ? '' : `${host}:${port}`;
    this.context.fact({ kind: 'ordered', redis: this.name, address: this.address, follows, by });
    if (noOne) {
      if (this.role === 'replica') this.becomeMaster(true);
    } else if (this.following?.ip !== host || this.following.port !== Number(port)) {
      const nobody = host === NOWHERE.ip && Number(port) === NOWHERE.port;
      this.follow(nobody ? NOWHERE : { ip: host, port: Number(port) }, false);
    }
    return OK;
  }

  /** @param branch whether it begins a history of its own */
  becomeMaster(branch: boolean): void {
    this.role = 'master';
    this.roleSince = this.context.loop.now;
    this.following = null;
    this.upstream.stop();
    if (branch) this.data.branch();
    this.replicas.disconnect();
    this.context.note(1, this.name, () => `is a master now, offset ${this.data.offset}`);
    this.onPromotion?.();
  }

  follow(master: Place, handover: boolean): void {
    if (this.role === 'master') this.roleSince = this.context.loop.now;
    this.role = 'replica';
    this.following = master;
    this.followingSince = this.context.loop.now;
    this.replicas.disconnect();
    this.clients.dropUnacknowledged();
    this.context.note(1, this.name, () => `follows ${master.ip}:${master.port} now`);
    this.upstream.restart(handover);
  }

  rewriteConfig(): Reply {
    if (!this.options.rewrites) return new ErrorReply('ERR Rewriting config file: Permission denied');
    this.#configured = this.following;
    return OK;
  }
}
