/** The settings of the server that a Sentinel is (everything but `sentinel …` and `user …` lines). */

export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning' | 'nothing';

export interface BindAddress {
  /** An address, or `*` / `::*` for every IPv4 / IPv6 address. */
  readonly host: string;
  /** Written with a leading `-`: it may be missing on this host. */
  readonly optional: boolean;
}

export interface TlsSettings {
  /** 0: no TLS listener. */
  readonly port: number;
  readonly certFile: string;
  readonly keyFile: string;
  readonly keyFilePass: string;
  /** The certificate for connections that we open; empty: the server's. */
  readonly clientCertFile: string;
  readonly clientKeyFile: string;
  readonly clientKeyFilePass: string;
  readonly caCertFile: string;
  readonly caCertDir: string;
  readonly dhParamsFile: string;
  readonly authClients: 'yes' | 'no' | 'optional';
  /** Connections to masters, replicas and other Sentinels use TLS. */
  readonly replication: boolean;
  /** Any of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3; empty: the library's own choice. */
  readonly protocols: readonly string[];
  readonly ciphers: string;
  readonly ciphersuites: string;
  readonly preferServerCiphers: boolean;
  readonly sessionCaching: boolean;
  readonly sessionCacheSize: number;
  readonly sessionCacheTimeout_s: number;
}

export interface ServerSettings {
  /** 0: no plain listener. */
  readonly port: number;
  readonly bind: readonly BindAddress[];
  /** The source address of connections that we open; empty: the system's choice. */
  readonly bindSourceAddr: string;
  /** Empty: the directory in which the program was started. */
  readonly dir: string;
  /** Empty: standard output. */
  readonly logfile: string;
  readonly pidfile: string;
  readonly daemonize: boolean;
  readonly loglevel: LogLevel;
  readonly syslogEnabled: boolean;
  readonly syslogIdent: string;
  readonly syslogFacility: string;
  /** Empty: the default user needs no password. */
  readonly requirepass: string;
  readonly protectedMode: boolean;
  readonly tcpBacklog: number;
  /** Seconds after which an idle client is closed; 0: never. */
  readonly timeout_s: number;
  readonly tcpKeepalive_s: number;
  readonly maxclients: number;
  readonly unixsocket: string;
  /** A file mode; 0: as the umask gives it. */
  readonly unixsocketperm: number;
  readonly supervised: 'no' | 'systemd' | 'upstart' | 'auto';
  readonly aclfile: string;
  readonly acllogMaxLen: number;
  readonly aclPubsubDefault: 'allchannels' | 'resetchannels';
  /** Upper-case name of a command of ours to its new name; an empty one takes the command away. */
  readonly renamedCommands: ReadonlyMap<string, string>;
  readonly tls: TlsSettings;
}

/** What redis-sentinel 7.0 does without a directive. */
export const SERVER_DEFAULTS: ServerSettings = {
  port: 26_379,
  bind: [
    { host: '*', optional: false },
    { host: '::*', optional: true },
  ],
  bindSourceAddr: '',
  dir: '',
  logfile: '',
  pidfile: '',
  daemonize: false,
  loglevel: 'notice',
  syslogEnabled: false,
  syslogIdent: 'redis',
  syslogFacility: 'local0',
  requirepass: '',
  protectedMode: false,
  tcpBacklog: 511,
  timeout_s: 0,
  tcpKeepalive_s: 300,
  maxclients: 10_000,
  unixsocket: '',
  unixsocketperm: 0,
  supervised: 'no',
  aclfile: '',
  acllogMaxLen: 128,
  aclPubsubDefault: 'resetchannels',
  renamedCommands: new Map(),
  tls: {
    port: 0,
    certFile: '',
    keyFile: '',
    keyFilePass: '',
    clientCertFile: '',
    clientKeyFile: '',
    clientKeyFilePass: '',
    caCertFile: '',
    caCertDir: '',
    dhParamsFile: '',
    authClients: 'yes',
    replication: false,
    protocols: [],
    ciphers: '',
    ciphersuites: '',
    preferServerCiphers: false,
    sessionCaching: true,
    sessionCacheSize: 20_480,
    sessionCacheTimeout_s: 300,
  },
};
