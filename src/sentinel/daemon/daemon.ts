/** A running Sentinel: its parts put together, its start and its end. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { errorText } from '../../base/error-text.js';
import { Prng } from '../../base/prng.js';
import type { SentinelState } from '../../config/sentinel-types.js';
import { type ServiceManager, serviceManager } from '../../net/service-manager.js';
import { Log, type LogLevel } from '../../observe/log.js';
import type { TlsSettings } from '../../redis/endpoint.js';
import { ConfStore } from '../runner/conf-store.js';
import { resolveNames } from '../runner/names.js';
import { SentinelRunner } from '../runner/runner.js';
import { startState } from '../runner/start-state.js';
import { ScriptSpawner } from '../scripts/spawner.js';
import { ListenError } from '../server/listen.js';
import { SentinelServer } from '../server/server.js';
import { type Loaded, StartError } from './load.js';
import { Pidfile } from './pidfile.js';
import { tlsClientSettings, tlsServerOptions } from './tls-files.js';

/** What `SENTINEL SIMULATE-FAILURE` makes the process end with, as in redis-sentinel. */
const SIMULATED_CRASH_CODE = 99;
/** A fault of ours: sysexits(3)'s EX_SOFTWARE. */
const FAULT_CODE = 70;

/** Starts a Sentinel. It ends the process itself: on a signal, on SHUTDOWN, on a fault. @throws {StartError} */
export async function startSentinel(loaded: Loaded): Promise<void> {
  const daemon = new Daemon(loaded);
  await daemon.start();
}

class Daemon {
  readonly #loaded: Loaded;
  readonly #log: Log;
  readonly #store: ConfStore;
  readonly #pidfile: Pidfile;
  readonly #scripts: ScriptSpawner;
  readonly #server: SentinelServer;
  /** How Redis and other Sentinels are spoken to; null without TLS. */
  readonly #clientTls: TlsSettings | null;
  #runner: SentinelRunner | null = null;
  #manager: ServiceManager | null = null;
  #ending = false;

  constructor(loaded: Loaded) {
    this.#loaded = loaded;
    const { server } = loaded.conf;
    this.#log = new Log({ level: server.loglevel, file: server.logfile });
    this.#store = new ConfStore(loaded.path, loaded.doc, { log: this.#write });
    this.#pidfile = new Pidfile(server.pidfile, server.daemonize);
    this.#scripts = new ScriptSpawner({
      event: (level, type, text) => this.#event(level, type, text),
      log: this.#write,
      wantsOutput: this.#log.takes('debug'),
    });
    this.#server = this.#createServer();
    this.#clientTls = server.tls.replication ? tlsClientSettings(server.tls) : null;
  }

  async start(): Promise<void> {
    const { conf, path } = this.#loaded;
    this.#write('warning', `tanist sentinel ${VERSION} is starting`);
    this.#write('notice', `Configuration read from ${path}`);
    for (const note of conf.notes) {
      this.#write('notice', `${note.file}:${note.line}:${note.column}: ${note.message}`);
    }
    const { snapshot, names } = await this.#firstSnapshot();
    await this.#listen();
    this.#saveFirst(snapshot);
    this.#write('notice', `Running mode=sentinel, port=${listenPort(this.#loaded)}.`);
    this.#write('warning', `Sentinel ID is ${snapshot.myId}`);
    this.#watchProcess();
    this.#runner = this.#createRunner(snapshot, names);
    this.#server.serve(this.#runner);
    const trouble = this.#pidfile.write();
    if (trouble !== null) this.#write('warning', `The pidfile could not be written: ${trouble}`);
    this.#manager = await serviceManager((text) => this.#write('warning', text));
    this.#manager.ready(`watches ${count(snapshot.masters.length, 'master')}`);
  }

  /** The kept state, with a run id, and the addresses of the names in it. */
  async #firstSnapshot(): Promise<{ snapshot: SentinelState; names: ReadonlyMap<string, string> }> {
    const { sentinel, namesToResolve } = this.#loaded.conf;
    const fixed = await resolveNames(namesToResolve);
    const missing = namesToResolve.find((name) => !fixed.has(name));
    if (missing !== undefined) {
      throw new StartError(
        `${this.#loaded.path}: the host name ${missing} has no address\n` +
          '  fix: write an IP address, or `sentinel resolve-hostnames yes` to have names looked up again and again',
      );
    }
    const snapshot = startState(sentinel, randomBytes(20).toString('hex'), fixed);
    if (!snapshot.resolveHostnames) return { snapshot, names: new Map() };
    const hosts = snapshot.masters.flatMap((master) =>
      [master, ...master.replicas, ...master.sentinels].map((each) => each.host),
    );
    return { snapshot, names: await resolveNames(hosts) };
  }

  async #listen(): Promise<void> {
    try {
      await this.#server.listen();
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      this.#write('warning', error.message);
      throw new StartError(error.message);
    }
  }

  /** The file is written once before anything is done, so that a Sentinel that cannot keep its state does not start. */
  #saveFirst(snapshot: SentinelState): void {
    try {
      this.#store.save(snapshot);
    } catch (error) {
      const message = errorText(error);
      this.#write('warning', message);
      throw new StartError(message);
    }
  }

  #createServer(): SentinelServer {
    const { conf, users, path } = this.#loaded;
    const { server } = conf;
    const { aclfile } = server;
    return new SentinelServer({
      listen: {
        port: server.port,
        bind: server.bind,
        backlog: server.tcpBacklog,
        tls: server.tls.port === 0 ? null : { port: server.tls.port, options: tlsServerOptions(server.tls) },
        unixsocket: server.unixsocket,
        unixsocketperm: server.unixsocketperm,
      },
      protectedMode: server.protectedMode,
      maxclients: server.maxclients,
      timeout_ms: server.timeout_s * 1_000,
      keepalive_ms: server.tcpKeepalive_s * 1_000,
      users,
      aclFile:
        aclfile === ''
          ? null
          : { read: () => readFileSync(aclfile, 'utf8'), write: (text) => writeFileSync(aclfile, text) },
      aclLogLength: server.acllogMaxLen,
      renamedCommands: server.renamedCommands,
      about: {
        version: VERSION,
        runId: randomBytes(20).toString('hex'),
        configFile: path,
        port: server.port === 0 ? server.tls.port : server.port,
        maxclients: server.maxclients,
      },
      scripts: this.#scripts,
      log: this.#write,
      usersChanged: () => {
        if (aclfile !== '') return;
        this.#store.setUsers(users.rules());
        this.#runner?.saveNow();
      },
      shutdown: () => this.#end('SHUTDOWN was received'),
    });
  }

  #createRunner(snapshot: SentinelState, names: ReadonlyMap<string, string>): SentinelRunner {
    const { server } = this.#loaded.conf;
    return new SentinelRunner({
      snapshot,
      start: {
        listenPort: listenPort(this.#loaded),
        requirePass: server.requirepass,
        verbosity: server.loglevel,
        names,
        prng: new Prng(randomBytes(4).readInt32LE()),
      },
      connect: {
        tls: this.#clientTls,
        localAddress: server.bindSourceAddr,
      },
      save: (state) => this.#store.save(state),
      log: this.#write,
      publish: (channel, message) => this.#server.publish(channel, message),
      setVerbosity: (verbosity) => {
        this.#log.setLevel(verbosity);
        this.#store.setSetting('loglevel', verbosity);
        this.#runner?.saveNow();
      },
      runScript: (path, args) => this.#scripts.add(path, args),
      crash: (why) => {
        this.#write('warning', `Ending at once: ${why}`);
        process.exit(SIMULATED_CRASH_CODE);
      },
    });
  }

  #event(level: LogLevel, type: string, text: string): void {
    this.#write(level, `${type} ${text}`);
    if (level !== 'debug') this.#server.publish(type, text);
  }

  readonly #write = (level: LogLevel, text: string): void => this.#log.write(level, text);

  #watchProcess(): void {
    process.on('SIGTERM', () => this.#end('SIGTERM was received'));
    process.on('SIGINT', () => this.#end('SIGINT was received'));
    // The log is opened for each line: there is nothing to be reopened.
    process.on('SIGHUP', () => this.#write('notice', 'SIGHUP was received: the log is already written to its path'));
    // Left alone, Node would open its debugger to everybody on this host.
    process.on('SIGUSR1', () => this.#write('notice', 'SIGUSR1 was received: it has no meaning here'));
    // Whoever read our output is gone; the Sentinel goes on.
    process.stdout.on('error', () => undefined);
    process.stderr.on('error', () => undefined);
    process.on('uncaughtException', (error) => {
      this.#write('warning', `A fault in tanist itself: ${error.stack ?? error.message}`);
      this.#pidfile.remove();
      process.exit(FAULT_CODE);
    });
  }

  #end(why: string): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#write('warning', `${why}: saving the state and ending`);
    this.#manager?.stopping(why);
    this.#runner?.saveNow();
    this.#runner?.stop();
    this.#scripts.stop();
    this.#server.close();
    this.#pidfile.remove();
    this.#write('warning', 'tanist sentinel has ended');
    process.exit(0);
  }
}

/** The port that we tell others: that of TLS when Redis and Sentinels are spoken to by TLS. */
function listenPort({ conf }: Loaded): number {
  const { port, tls } = conf.server;
  return tls.replication && tls.port !== 0 ? tls.port : port;
}

function count(n: number, what: string): string {
  return n === 1 ? `1 ${what}` : `${n} ${what}s`;
}

const VERSION = readVersion();

function readVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
