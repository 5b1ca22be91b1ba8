/** The proxy as a process: configuration, log, pid file, statistics port, signals. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { errorText } from '../base/error-text.js';
import { type NutcrackerConfig, NutcrackerConfigError } from '../config/nutcracker-types.js';
import { type ServiceManager, serviceManager } from '../net/service-manager.js';
import { ConfigReload } from './config-reload.js';
import { ProxyLog } from './log.js';
import { ProxyServer } from './proxy-server.js';
import { readProxyConfig } from './read-config.js';
import { createStatsServer } from './stats-server.js';
import { WORKER_MARK } from './workers/messages.js';
import { Supervisor } from './workers/supervisor.js';
import { runWorker } from './workers/worker.js';

export interface ProxyOptions {
  readonly file: string;
  /** Check the configuration and end. */
  readonly testOnly: boolean;
  readonly daemonize: boolean;
  /** Read the configuration again when its file has changed. */
  readonly watch: boolean;
  /** 0 to 11. */
  readonly logLevel: number;
  /** Null for stderr. */
  readonly logFile: string | null;
  readonly statsPort: number;
  readonly statsAddress: string;
  readonly pidFile: string | null;
  /** How many processes share the work. */
  readonly workers: number;
}

/** For `systemctl status`. */
const SERVES = 'serves';

/** The version in the statistics: of the program this one stands in for. */
const VERSION = '0.5.0';

const STATS_TEXT = `pool stats:
  client_eof          "# eof on client connections"
  client_err          "# errors on client connections"
  client_connections  "# active client connections"
  server_ejects       "# times backend server was ejected"
  forward_error       "# times we encountered a forwarding error"
  fragments           "# fragments created from a multi-vector request"

server stats:
  server_eof          "# eof on server connections"
  server_err          "# errors on server connections"
  server_timedout     "# timeouts on server connections"
  server_connections  "# active server connections"
  server_ejected_at   "timestamp when server was ejected in usec since epoch"
  requests            "# requests"
  request_bytes       "total request bytes"
  responses           "# responses"
  response_bytes      "total response bytes"
  in_queue            "# requests in incoming queue"
  in_queue_bytes      "current request bytes in incoming queue"
  out_queue           "# requests in outgoing queue"
  out_queue_bytes     "current request bytes in outgoing queue"
`;

/** What --describe-stats prints: the names of the statistics and their meaning. */
export function describeStats(): string {
  return STATS_TEXT;
}

/** Reads the configuration; problems go to stderr. */
function readConfig(file: string): { readonly config: NutcrackerConfig; readonly text: string } | null {
  try {
    const text = readFileSync(file, 'utf8');
    return { config: readProxyConfig(text, file), text };
  } catch (error) {
    if (error instanceof NutcrackerConfigError) {
      process.stderr.write(`${error.message}\ntanist: configuration file '${file}' syntax is invalid\n`);
    } else {
      process.stderr.write(`tanist: cannot read configuration file '${file}': ${errorText(error)}\n`);
    }
    return null;
  }
}

/** The log; null after saying why there is none. */
function openLog({ logLevel, logFile }: ProxyOptions): ProxyLog | null {
  try {
    return new ProxyLog(logLevel, logFile);
  } catch (error) {
    process.stderr.write(`tanist: cannot open log file: ${errorText(error)}\n`);
    return null;
  }
}

/** Set for the process that --daemonize leaves behind. */
const DAEMON_MARK = 'TANIST_PROXY_DAEMON';

/** Starts this program again, detached, and leaves. */
function leaveToDaemon(): number {
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, [DAEMON_MARK]: '1' },
  });
  child.unref();
  return 0;
}

function listenForStats(server: Server, options: ProxyOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.statsPort, options.statsAddress, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Waits for a signal to end; meanwhile, others change the log and the configuration. */
function untilStopped(
  log: ProxyLog,
  reload: ConfigReload,
  proxy: AnyProxy,
  manager: ServiceManager,
): Promise<NodeJS.Signals> {
  const supervisor = proxy instanceof Supervisor ? proxy : null;
  process.on('SIGTTIN', () => {
    log.louder();
    void supervisor?.logLevelChanged();
  });
  process.on('SIGTTOU', () => {
    log.quieter();
    void supervisor?.logLevelChanged();
  });
  process.on('SIGHUP', () => {
    void supervisor?.reopenLogs();
    try {
      log.reopen();
    } catch (error) {
      log.error(`cannot open the log file again: ${errorText(error)}`);
    }
    manager.reloading();
    void reload.now().then(() => manager.ready(SERVES));
  });
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
}

/** The proxy in this process, or in workers of it. */
type AnyProxy = ProxyServer | Supervisor;

function newProxy(workers: number, log: ProxyLog): AnyProxy {
  return workers > 1
    ? new Supervisor({ version: VERSION, log, workers, doubted: () => {} })
    : new ProxyServer({ version: VERSION, log });
}

/**
 * Runs the proxy until it is told to end.
 * @returns the exit code: 0; 1 when the configuration cannot be used or something cannot be listened on.
 */
export async function runProxy(options: ProxyOptions): Promise<number> {
  // What a worker serves comes from its parent: the file may have been broken since.
  if (process.env[WORKER_MARK] !== undefined) {
    const own = openLog(options);
    return own === null ? 1 : runWorker(VERSION, own);
  }
  const read = readConfig(options.file);
  if (read === null) return 1;
  if (options.testOnly) {
    process.stderr.write(`tanist: configuration file '${options.file}' syntax is ok\n`);
    return 0;
  }
  if (options.daemonize && process.env[DAEMON_MARK] === undefined) return leaveToDaemon();
  const log = openLog(options);
  if (log === null) return 1;
  const proxy = newProxy(options.workers, log);
  const stats = createStatsServer(proxy);
  try {
    await listenForStats(stats, options);
    await proxy.start(read.config);
    if (options.pidFile !== null) writeFileSync(options.pidFile, `${process.pid}\n`);
  } catch (error) {
    stats.close();
    await proxy.stop();
    process.stderr.write(`tanist: ${errorText(error)}\n`);
    return 1;
  }
  log.notice(`tanist proxy started on pid ${process.pid}`);
  const manager = await serviceManager((trouble) => log.error(trouble));
  const { file } = options;
  const reload = new ConfigReload({ file, text: read.text, log, apply: (config) => proxy.reload(config) });
  if (options.watch) reload.watch();
  const stopped = untilStopped(log, reload, proxy, manager);
  // Whoever is told may send signals at once, and one that nobody heeds yet would end the process.
  manager.ready(SERVES);
  const signal = await stopped;
  manager.stopping(signal);
  reload.stop();
  log.notice(`${signal}: done`);
  stats.close();
  await proxy.stop();
  if (options.pidFile !== null) rmSync(options.pidFile, { force: true });
  return 0;
}
