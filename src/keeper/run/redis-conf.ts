/**
 * The configuration that a kept Redis is started with: the user's redis.conf without the lines that would decide who it
 * is, and what Tanist says instead. The file itself is only read.
 *
 * It goes to `redis-server -` on standard input, a file in memory: so passwords are neither among the arguments, which
 * everybody sees, nor on one more disk, a full disk keeps nothing from starting, and a CONFIG REWRITE is answered with an
 * error instead of writing where nobody reads.
 */
import { ConfigFileError } from '../../config/atomic-file.js';
import { DISK_CHECKS, loadConfFile } from '../../config/conf-files.js';
import { type ConfDocument, type ConfLine, type DirectiveLine, printConfBytes } from '../../config/conf-lines.js';
import { quoteWord } from '../../config/conf-words.js';
import type { RedisSettings } from '../../config/tanist/model.js';
import type { Credentials } from '../../redis/handshake.js';
import { NOWHERE } from '../core/io.js';

export interface RedisConfOptions {
  readonly settings: RedisSettings;
  /** The host's address, which the leader record names this Redis by. */
  readonly address: string;
  readonly bind: readonly string[];
  /** Files with the texts of `settings.tls`; null without TLS, or when redis.conf names its own. */
  readonly tlsFiles: { readonly cert: string; readonly key: string; readonly ca: string | null } | null;
  readonly pidFile: string;
  /** Where it logs unless redis.conf says so. */
  readonly logFile: string;
}

export type RedisConf =
  | {
      readonly ok: true;
      readonly bytes: Uint8Array;
      /** Where the process writes its log: redis.conf's own choice, or `logFile`. */
      readonly logFile: string;
      /** What of redis.conf is not followed, and why. */
      readonly notes: readonly string[];
    }
  | { readonly ok: false; readonly why: string };

/** Lines of redis.conf that are left out, and who decides instead. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  replicaof: 'the leader record says whom it follows',
  slaveof: 'the leader record says whom it follows',
  port: 'redis.port of tanist.yml is used',
  bind: 'redis.bind of tanist.yml is used',
  dir: 'redis.directory of tanist.yml is used',
  daemonize: 'it runs beside the agent and is watched by it',
  supervised: 'it is watched by the agent',
  pidfile: 'its pid is kept in the state directory',
  'replica-read-only': 'a replica that takes writes could not be told from a master',
  'slave-read-only': 'a replica that takes writes could not be told from a master',
  'replica-announce-ip': "the host's address of tanist.yml is its name in the cluster",
  'slave-announce-ip': "the host's address of tanist.yml is its name in the cluster",
  'replica-announce-port': 'redis.port of tanist.yml is its name in the cluster',
  'slave-announce-port': 'redis.port of tanist.yml is its name in the cluster',
};
const LEFT_OUT_WITH_PASSWORD: Readonly<Record<string, string>> = {
  masterauth: 'redis.password of tanist.yml is used',
  masteruser: 'redis.user of tanist.yml is used',
};
const LEFT_OUT_WITHOUT_PASSWORD: Readonly<Record<string, string>> = {
  'protected-mode': "without a password it would turn away the other hosts' replicas",
};
const LEFT_OUT_WITH_TLS: Readonly<Record<string, string>> = {
  'tls-port': 'redis.port of tanist.yml is used',
  'tls-replication': 'redis.tls of tanist.yml is used',
};

/** Commands that Tanist, Sentinels and replicas call by these names. */
const NEEDED_COMMANDS: ReadonlySet<string> = new Set(
  (
    'auth bgsave client config debug exec info lastsave multi ping psync publish replconf replicaof role slaveof ' +
    'subscribe sync wait'
  ).split(' '),
);

/** Reads redis.conf, if there is one, and makes what is to be given to the process. */
export function makeRedisConf(options: RedisConfOptions): RedisConf {
  const { settings } = options;
  let own: ConfDocument = { file: '', lines: [], encoding: 'utf8' };
  try {
    if (settings.config !== null) own = loadConfFile(settings.config);
  } catch (error) {
    if (error instanceof ConfigFileError) return { ok: false, why: error.message };
    throw error;
  }
  const directives = [...directivesOf(own), ...includedBy(own, 0)];
  const why = directives.map((line) => refusal(line, settings)).find((reason) => reason !== null);
  if (why !== undefined) return { ok: false, why };
  const leftOut = linesToLeaveOut(settings);
  const notes: string[] = [];
  const kept = own.lines.map((line): ConfLine => {
    if (line.kind !== 'directive') return line;
    const reason = leftOut[nameOf(line)];
    if (reason === undefined) return line;
    notes.push(`${own.file}:${line.number}: ${nameOf(line)} is not followed: ${reason}`);
    // An empty line in its place keeps the numbers in Redis's own messages right.
    return { kind: 'blank', number: line.number, text: '', ending: line.ending };
  });
  const set = settingsOf(options, directives);
  const said = set.map(([name, ...words]) => [name, ...words.map((word) => quoteWord(word))].join(' '));
  const bytes = Buffer.concat([printConfBytes({ ...own, lines: kept }), Buffer.from(`\n${said.join('\n')}\n`)]);
  return { ok: true, bytes, logFile: lastValue(directives, 'logfile') || options.logFile, notes };
}

function linesToLeaveOut({ auth, tls }: RedisSettings): Readonly<Record<string, string>> {
  return {
    ...LEFT_OUT,
    ...(auth === null ? LEFT_OUT_WITHOUT_PASSWORD : LEFT_OUT_WITH_PASSWORD),
    ...(auth?.user === '' ? { requirepass: 'redis.password of tanist.yml is used' } : {}),
    ...(tls === null ? {} : LEFT_OUT_WITH_TLS),
  };
}

type Located = DirectiveLine & { readonly file: string };

function directivesOf(doc: ConfDocument): Located[] {
  return doc.lines.flatMap((line) => (line.kind === 'directive' ? [{ ...line, file: doc.file }] : []));
}

/** What is included; what cannot be read is left to Redis to complain of. */
function includedBy(doc: ConfDocument, depth: number): Located[] {
  if (depth > 8) return [];
  const patterns = directivesOf(doc).filter((line) => nameOf(line) === 'include');
  const docs = patterns.flatMap((line) => DISK_CHECKS.include(line.words[1]?.text ?? '') ?? []);
  return docs.flatMap((each) => [...directivesOf(each), ...includedBy(each, depth + 1)]);
}

function nameOf(line: DirectiveLine): string {
  return (line.words[0]?.text ?? '').toLowerCase();
}

function lastValue(directives: readonly Located[], name: string): string {
  return directives.findLast((line) => nameOf(line) === name)?.words[1]?.text ?? '';
}

/** Why a Redis with this line cannot be kept; null when it can. */
function refusal(line: Located, settings: RedisSettings): string | null {
  const where = `${line.file}:${line.number}`;
  const value = line.words[1]?.text ?? '';
  switch (nameOf(line)) {
    case 'cluster-enabled':
      if (value.toLowerCase() !== 'yes') return null;
      return `${where}: cluster-enabled yes: Redis Cluster chooses its masters by itself; remove the line`;
    case 'sentinel':
      return `${where}: "sentinel ${value}" belongs to a Sentinel, not to a Redis; remove the line`;
    case 'rename-command':
      if (!NEEDED_COMMANDS.has(value.toLowerCase())) return null;
      return `${where}: ${value} must keep its name, since Tanist and replicas use it; deny it to users by ACL instead`;
    case 'requirepass':
      if (settings.auth !== null || value === '') return null;
      return `${where}: requirepass is set, but tanist.yml has no password: add redis.password to tanist.yml`;
    default:
      return null;
  }
}

/** What is said after redis.conf: of a directive that is there twice, Redis follows the last. */
function settingsOf(options: RedisConfOptions, directives: readonly Located[]): string[][] {
  const { settings, address, bind } = options;
  const { port, auth, tls, directory } = settings;
  return [
    ['dir', directory],
    ['port', tls === null ? String(port) : '0'],
    ['bind', ...bind],
    ['daemonize', 'no'],
    ['supervised', 'no'],
    ['pidfile', options.pidFile],
    // A replica that waits for others to copy along is no heir for as long.
    ...(lastValue(directives, 'repl-diskless-sync-delay') === '' ? [['repl-diskless-sync-delay', '0']] : []),
    ...(lastValue(directives, 'logfile') === '' ? [['logfile', options.logFile]] : []),
    ['replicaof', NOWHERE.host, String(NOWHERE.port)],
    ['replica-read-only', 'yes'],
    ['replica-announce-ip', address],
    ['replica-announce-port', String(port)],
    ...(tls === null ? [] : tlsSettings(options)),
    ...(auth === null ? [['protected-mode', 'no']] : loginSettings(auth, directives)),
  ];
}

function tlsSettings({ settings, tlsFiles }: RedisConfOptions): string[][] {
  const files =
    tlsFiles === null
      ? []
      : [
          ['tls-cert-file', tlsFiles.cert],
          ['tls-key-file', tlsFiles.key],
          ...(tlsFiles.ca === null ? [] : [['tls-ca-cert-file', tlsFiles.ca]]),
        ];
  return [['tls-port', String(settings.port)], ['tls-replication', 'yes'], ...files];
}

/** What a Redis logs in with to the one that it follows, as settings. */
export function masterLogin({ user, pass }: Credentials): [name: string, value: string][] {
  return [
    ['masteruser', user],
    ['masterauth', pass],
  ];
}

/** A named user is made unless redis.conf has users of its own; then nobody gets in without a name any more. */
function loginSettings(auth: NonNullable<RedisSettings['auth']>, directives: readonly Located[]): string[][] {
  const pass = auth.password.value;
  // No user is what Redis starts with; named all the same, one from before there were users would not start.
  const replication = masterLogin({ user: auth.user, pass }).filter(([, value]) => value !== '');
  if (auth.user === '') return [['requirepass', pass], ...replication];
  if (directives.some((line) => nameOf(line) === 'user' || nameOf(line) === 'aclfile')) return replication;
  const hasDefaultPassword = lastValue(directives, 'requirepass') !== '';
  return [
    ...replication,
    ...(hasDefaultPassword ? [] : [['user', 'default', 'reset']]),
    ['user', auth.user, 'on', `>${pass}`, '~*', '&*', '+@all'],
  ];
}
