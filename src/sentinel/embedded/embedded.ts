/**
 * A Sentinel inside another program: it listens, votes and keeps its state as `tanist sentinel` does, but what it watches
 * is told by its host, and the process is its host's.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { TlsOptions } from 'node:tls';
import { Prng } from '../../base/prng.js';
import { writeFileAtomic } from '../../config/atomic-file.js';
import { DISK_CHECKS, loadConfFile } from '../../config/conf-files.js';
import { readSentinelConf } from '../../config/sentinel-conf.js';
import { type SentinelState, STATE_DEFAULTS } from '../../config/sentinel-types.js';
import { AclUsers } from '../../redis/acl/acl-users.js';
import type { TlsSettings } from '../../redis/endpoint.js';
import type { Reply } from '../../redis/reply.js';
import type { LogLevel } from '../core/io.js';
import type { Sentinel } from '../core/state.js';
import { sha256 } from '../daemon/load.js';
import { ConfStore } from '../runner/conf-store.js';
import { SentinelRunner } from '../runner/runner.js';
import { ScriptSpawner } from '../scripts/spawner.js';
import { SentinelServer } from '../server/server.js';

/** Clients beside the other Sentinels: applications that ask for the master, and their subscriptions. */
const MAXCLIENTS = 10_000;
const BACKLOG = 511;
const KEEPALIVE_MS = 300_000;
const ACL_LOG_LENGTH = 128;

export interface EmbeddedOptions {
  /** Where its state is kept: a sentinel.conf of its own. Absolute. */
  readonly path: string;
  /** What it starts with, from what it kept; null when nothing is kept yet. */
  readonly merge: (kept: SentinelState | null) => SentinelState;
  readonly bind: readonly string[];
  readonly port: number;
  /** What clients must log in with; empty for nothing. */
  readonly password: string;
  /** With TLS, the port speaks it alone, and Redis and the other Sentinels are spoken to by it. */
  readonly tls: { readonly server: TlsOptions; readonly client: TlsSettings } | null;
  /** Connections to others come from here. */
  readonly localAddress: string;
  readonly version: string;
  readonly log: (level: LogLevel, text: string) => void;
  /** Something may have changed: look at `state`. */
  readonly settled: () => void;
  /** Commands that the host answers itself; null for those that are the Sentinel's. */
  readonly intercept: (args: readonly string[]) => Promise<Reply> | null;
}

export class EmbeddedSentinel {
  readonly #options: EmbeddedOptions;
  readonly #scripts: ScriptSpawner;
  readonly #server: SentinelServer;
  readonly #store: ConfStore;
  readonly #first: SentinelState;
  #runner: SentinelRunner | null = null;

  /** Reads what is kept. @throws {ConfigFileError} @throws {ConfigError} when it cannot be read */
  constructor(options: EmbeddedOptions) {
    this.#options = options;
    const { path } = options;
    if (!existsSync(path)) writeFileAtomic(path, Buffer.from('# Kept by tanist. Settings belong into tanist.yml.\n'));
    const document = loadConfFile(path);
    const kept = readSentinelConf([document], { ...DISK_CHECKS, checkUser: () => null, include: () => null }).sentinel;
    this.#first = { ...STATE_DEFAULTS, ...options.merge(kept.myId === '' ? null : kept) };
    this.#store = new ConfStore(path, document, { log: options.log });
    this.#scripts = new ScriptSpawner({
      event: (_level, type, text) => this.#server.publish(type, text),
      log: options.log,
      wantsOutput: false,
    });
    this.#server = this.#createServer();
  }

  /** Listens, makes its first state durable, begins to watch. @throws {ListenError} @throws {ConfigFileError} */
  async start(): Promise<void> {
    await this.#server.listen();
    try {
      this.#store.save(this.#first);
    } catch (error) {
      this.#server.close();
      throw error;
    }
    const runner = this.#createRunner();
    this.#runner = runner;
    const { intercept } = this.#options;
    this.#server.serve({
      state: runner.state,
      command: (args, answer) => {
        const own = intercept(args);
        if (own === null) runner.command(args, answer);
        else void own.then(answer);
      },
    });
  }

  /** To look at, never to change. Only after `start`. */
  get state(): Sentinel {
    if (this.#runner === null) throw new Error('the Sentinel has not been started');
    return this.#runner.state;
  }

  /** Carries out a command of the host's own, past `intercept`. */
  command(args: readonly string[]): Promise<Reply> {
    const runner = this.#runner;
    if (runner === null) return Promise.reject(new Error('the Sentinel has not been started'));
    return new Promise((resolve) => runner.command(args, resolve));
  }

  /** Saves its state and ends all connections. */
  stop(): void {
    this.#runner?.saveNow();
    this.#runner?.stop();
    this.#scripts.stop();
    this.#server.close();
  }

  #createServer(): SentinelServer {
    const { bind, port, tls, path, version, log, password } = this.#options;
    const users = new AclUsers({ hash: sha256, pubsubDefault: 'resetchannels' });
    users.load([]);
    if (password !== '') users.setRequirepass(password);
    return new SentinelServer({
      listen: {
        port: tls === null ? port : 0,
        bind: bind.map((host) => ({ host, optional: false })),
        backlog: BACKLOG,
        tls: tls === null ? null : { port, options: tls.server },
        unixsocket: '',
        unixsocketperm: 0,
      },
      protectedMode: false,
      maxclients: MAXCLIENTS,
      timeout_ms: 0,
      keepalive_ms: KEEPALIVE_MS,
      users,
      aclFile: null,
      aclLogLength: ACL_LOG_LENGTH,
      renamedCommands: new Map(),
      about: { version, runId: randomBytes(20).toString('hex'), configFile: path, port, maxclients: MAXCLIENTS },
      scripts: this.#scripts,
      log,
      usersChanged: () => undefined,
      shutdown: () => log('warning', 'SHUTDOWN was received and is not obeyed: stop the agent instead'),
    });
  }

  #createRunner(): SentinelRunner {
    const { port, password, tls, localAddress, log, settled } = this.#options;
    return new SentinelRunner({
      snapshot: this.#first,
      start: {
        listenPort: port,
        requirePass: password,
        names: new Map(),
        prng: new Prng(randomBytes(4).readInt32LE()),
      },
      connect: { tls: tls?.client ?? null, localAddress },
      save: (state) => this.#store.save(state),
      log,
      publish: (channel, message) => this.#server.publish(channel, message),
      setVerbosity: () => undefined,
      runScript: (path, args) => this.#scripts.add(path, args),
      crash: (why) => log('warning', `SENTINEL SIMULATE-FAILURE is not obeyed in an agent: ${why}`),
      // The first step is taken while the runner is still being made.
      settled: () => {
        if (this.#runner !== null) settled();
      },
    });
  }
}
