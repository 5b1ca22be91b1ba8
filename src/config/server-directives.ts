/** The generic directives that a Sentinel obeys: arity, check, and the field each sets. */
import type { ConfWord } from './conf-words.js';
import { type Arity, exactly, type LineReader } from './line-reader.js';
import type { BindAddress, ServerSettings, TlsSettings } from './server-settings.js';

type Writable<T> = { -readonly [K in keyof T]: T[K] };
/** Settings while a file is being read. */
export type SettingsDraft = Writable<Omit<ServerSettings, 'tls' | 'renamedCommands'>> & {
  tls: Writable<TlsSettings>;
  renamedCommands: Map<string, string>;
};

/** Checks that need the disk; the reader itself touches none. */
export interface FileChecks {
  /** True for a file that exists and that this process may execute. */
  readonly isExecutable: (path: string) => boolean;
  readonly isDirectory: (path: string) => boolean;
  /** Why nothing can be appended to a file, which need not exist yet; null when it can. */
  readonly appendFault: (path: string) => string | null;
}

export interface ServerDirective {
  readonly arity: Arity;
  /** The arguments, for an error's fix. */
  readonly usage: string;
  readonly secret: boolean;
  readonly apply: (draft: SettingsDraft, args: readonly ConfWord[], reader: LineReader, checks: FileChecks) => void;
}

const INT_MAX = 2_147_483_647;

/** What a value changes. */
type Patch = Partial<Omit<SettingsDraft, 'tls'>> & { readonly tls?: Partial<TlsSettings> };
type Put<T> = (value: T) => Patch;

function change(draft: SettingsDraft, { tls, ...rest }: Patch): void {
  Object.assign(draft, rest);
  Object.assign(draft.tls, tls);
}

function flag(put: Put<boolean>): ServerDirective {
  return one('yes|no', (draft, word, reader) => {
    const value = reader.yesNo(word, 'the value');
    if (value !== null) change(draft, put(value));
  });
}

function integer(low: number, high: number, put: Put<number>): ServerDirective {
  return one(`<${low}..${high}>`, (draft, word, reader) => {
    const value = reader.integer(word, low, high, 'the value');
    if (value !== null) change(draft, put(value));
  });
}

function text(put: Put<string>, usage = '<text>'): ServerDirective {
  return one(usage, (draft, word) => change(draft, put(word.text)));
}

function secret(put: Put<string>): ServerDirective {
  return { ...text(put, '<password>'), secret: true };
}

function choice<T extends string>(values: readonly T[], put: Put<T>): ServerDirective {
  return one(values.join('|'), (draft, word, reader) => {
    const value = values.find((v) => v === word.text.toLowerCase());
    if (value === undefined)
      reader.fail(word, 'not one of the values of this directive', `one of: ${values.join(', ')}`);
    else change(draft, put(value));
  });
}

function one(
  usage: string,
  apply: (draft: SettingsDraft, word: ConfWord, reader: LineReader, checks: FileChecks) => void,
): ServerDirective {
  return {
    arity: exactly(1),
    usage,
    secret: false,
    apply: (draft, args, reader, checks) => {
      const [word] = args;
      if (word !== undefined) apply(draft, word, reader, checks);
    },
  };
}

const bind: ServerDirective = {
  arity: { min: 1, max: null, comments: true },
  usage: '<address> [<address> …]',
  secret: false,
  apply: (draft, args) => {
    draft.bind = args.filter((word) => word.text !== '').map((word) => bindAddress(word.text));
  },
};

function bindAddress(word: string): BindAddress {
  return word.startsWith('-') ? { host: word.slice(1), optional: true } : { host: word, optional: false };
}

const dir = one('<directory>', (draft, word, reader, checks) => {
  if (checks.isDirectory(word.text)) draft.dir = word.text;
  else reader.fail(word, 'no such directory', 'create it, or name one that exists');
});

const logfile = one('<path or "">', (draft, word, reader, checks) => {
  const fault = word.text === '' ? null : checks.appendFault(word.text);
  if (fault === null) draft.logfile = word.text;
  else
    reader.fail(
      word,
      `the log cannot be written: ${fault}`,
      'name a file that this user may write, or "" for standard output',
    );
});

const unixsocketperm = one('<octal mode>', (draft, word, reader) => {
  if (/^[0-7]{1,4}$/.test(word.text) && Number.parseInt(word.text, 8) <= 0o777) {
    draft.unixsocketperm = Number.parseInt(word.text, 8);
  } else reader.fail(word, 'not a file mode', 'an octal number from 0 to 777');
});

const TLS_PROTOCOLS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
const tlsProtocols = one('"TLSv1.2 TLSv1.3"', (draft, word, reader) => {
  const names = word.text.split(' ').filter((name) => name !== '');
  const known = names.map((name) => TLS_PROTOCOLS.find((p) => p.toLowerCase() === name.toLowerCase()));
  const bad = names[known.indexOf(undefined)];
  if (bad !== undefined) reader.fail(word, `unknown protocol ${bad}`, `any of: ${TLS_PROTOCOLS.join(' ')}, in quotes`);
  else draft.tls.protocols = known.filter((p) => p !== undefined);
});

const renameCommand: ServerDirective = {
  arity: exactly(2),
  usage: '<command> <new name or "">',
  secret: false,
  apply: (draft, args, reader) => {
    const [from, to] = args;
    if (from === undefined || to === undefined) return;
    if (/\s/.test(to.text)) reader.fail(to, 'a command name has no spaces', 'choose another name');
    else draft.renamedCommands.set(from.text.toUpperCase(), to.text);
  },
};

const SYSLOG_FACILITIES = ['user', ...Array.from({ length: 8 }, (_, i) => `local${i}`)];

/** By lower-case name. */
export const SERVER_DIRECTIVES: ReadonlyMap<string, ServerDirective> = new Map<string, ServerDirective>([
  ['port', integer(0, 65_535, (v) => ({ port: v }))],
  ['bind', bind],
  ['bind-source-addr', text((v) => ({ bindSourceAddr: v }), '<address>')],
  ['dir', dir],
  ['logfile', logfile],
  ['pidfile', text((v) => ({ pidfile: v }), '<path>')],
  ['daemonize', flag((v) => ({ daemonize: v }))],
  ['loglevel', choice(['debug', 'verbose', 'notice', 'warning', 'nothing'], (v) => ({ loglevel: v }))],
  ['syslog-enabled', flag((v) => ({ syslogEnabled: v }))],
  ['syslog-ident', text((v) => ({ syslogIdent: v }))],
  ['syslog-facility', choice(SYSLOG_FACILITIES, (v) => ({ syslogFacility: v }))],
  ['requirepass', secret((v) => ({ requirepass: v }))],
  ['protected-mode', flag((v) => ({ protectedMode: v }))],
  ['tcp-backlog', integer(0, INT_MAX, (v) => ({ tcpBacklog: v }))],
  ['timeout', integer(0, INT_MAX, (v) => ({ timeout_s: v }))],
  ['tcp-keepalive', integer(0, INT_MAX, (v) => ({ tcpKeepalive_s: v }))],
  ['maxclients', integer(1, 4_294_967_295, (v) => ({ maxclients: v }))],
  ['unixsocket', text((v) => ({ unixsocket: v }), '<path>')],
  ['unixsocketperm', unixsocketperm],
  ['supervised', choice(['no', 'systemd', 'upstart', 'auto'], (v) => ({ supervised: v }))],
  ['aclfile', text((v) => ({ aclfile: v }), '<path>')],
  ['acllog-max-len', integer(0, Number.MAX_SAFE_INTEGER, (v) => ({ acllogMaxLen: v }))],
  ['acl-pubsub-default', choice(['allchannels', 'resetchannels'], (v) => ({ aclPubsubDefault: v }))],
  ['rename-command', renameCommand],
  ['tls-port', integer(0, 65_535, (v) => ({ tls: { port: v } }))],
  ['tls-cert-file', text((v) => ({ tls: { certFile: v } }), '<path>')],
  ['tls-key-file', text((v) => ({ tls: { keyFile: v } }), '<path>')],
  ['tls-key-file-pass', secret((v) => ({ tls: { keyFilePass: v } }))],
  ['tls-client-cert-file', text((v) => ({ tls: { clientCertFile: v } }), '<path>')],
  ['tls-client-key-file', text((v) => ({ tls: { clientKeyFile: v } }), '<path>')],
  ['tls-client-key-file-pass', secret((v) => ({ tls: { clientKeyFilePass: v } }))],
  ['tls-ca-cert-file', text((v) => ({ tls: { caCertFile: v } }), '<path>')],
  ['tls-ca-cert-dir', text((v) => ({ tls: { caCertDir: v } }), '<directory>')],
  ['tls-dh-params-file', text((v) => ({ tls: { dhParamsFile: v } }), '<path>')],
  ['tls-auth-clients', choice(['no', 'yes', 'optional'], (v) => ({ tls: { authClients: v } }))],
  ['tls-replication', flag((v) => ({ tls: { replication: v } }))],
  ['tls-protocols', tlsProtocols],
  ['tls-ciphers', text((v) => ({ tls: { ciphers: v } }))],
  ['tls-ciphersuites', text((v) => ({ tls: { ciphersuites: v } }))],
  ['tls-prefer-server-ciphers', flag((v) => ({ tls: { preferServerCiphers: v } }))],
  ['tls-session-caching', flag((v) => ({ tls: { sessionCaching: v } }))],
  ['tls-session-cache-size', integer(0, INT_MAX, (v) => ({ tls: { sessionCacheSize: v } }))],
  ['tls-session-cache-timeout', integer(0, INT_MAX, (v) => ({ tls: { sessionCacheTimeout_s: v } }))],
]);
