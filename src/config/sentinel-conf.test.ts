import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CommandLineError, commandLineOverrides } from './command-line.js';
import { type ConfDocument, parseConf, parseConfBytes } from './conf-lines.js';
import { ConfigError, type ConfigProblem } from './config-error.js';
import { NO_CHECKS, type ReadOptions, readSentinelConf, type SentinelConf } from './sentinel-conf.js';
import { SERVER_DEFAULTS } from './server-settings.js';

const MONITOR = 'sentinel monitor m 127.0.0.1 6379 2\n';
const ID = 'ab'.repeat(20);

function read(text: string, options: Partial<ReadOptions> = {}): SentinelConf {
  return readSentinelConf([parseConf(text, 's.conf')], { ...NO_CHECKS, ...options });
}

function problemsOf(documents: readonly ConfDocument[], options: Partial<ReadOptions> = {}): readonly ConfigProblem[] {
  try {
    readSentinelConf(documents, { ...NO_CHECKS, ...options });
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

function problems(text: string, options: Partial<ReadOptions> = {}): readonly ConfigProblem[] {
  return problemsOf([parseConf(text, 's.conf')], options);
}

function seed(name: string): SentinelConf {
  const path = new URL(`../../test/fixtures/seeds/${name}`, import.meta.url);
  return readSentinelConf([parseConfBytes(readFileSync(path), name)], NO_CHECKS);
}

describe('the files of published set-ups, unchanged', () => {
  it('takes comments behind values', () => {
    const conf = seed('002-sentinel.conf');
    expect(conf.server).toMatchObject({
      port: 26_379,
      daemonize: true,
      dir: '/data/nosql/sentinel',
      pidfile: '/data/nosql/sentinel/sentinel.pid',
      loglevel: 'notice',
      logfile: '/data/nosql/sentinel/sentinel.log',
    });
    const options = { host: '192.168.16.22', quorum: 2, downAfter_ms: 2500, failoverTimeout_ms: 10_000 };
    expect(conf.sentinel.masters).toMatchObject([
      { name: 'redis_14555_g1_4500', port: 4500, ...options },
      { name: 'redis_14555_g2_4501', port: 4501, ...options },
    ]);
    expect(conf.notes).toEqual([]);
  });

  it('takes a host name without resolve-hostnames, and says so', () => {
    const conf = seed('004-sentinel.conf');
    expect(conf.sentinel.masters).toMatchObject([{ name: 'redis-ha', host: 'master', port: 6379, downAfter_ms: 5000 }]);
    expect(conf.namesToResolve).toEqual(['master']);
    expect(conf.notes).toMatchObject([{ file: '004-sentinel.conf', line: 3, column: 27 }]);
  });
});

describe('readSentinelConf', () => {
  it('gives the defaults for an empty file', () => {
    const conf = read('');
    expect(conf.server).toEqual(SERVER_DEFAULTS);
    expect(conf.sentinel).toMatchObject({ myId: '', currentEpoch: 0, masters: [] });
  });

  it('reads every option of a master', () => {
    const conf = read(`
      SENTINEL Down-After-Milliseconds m 1000  # before the monitor line
      sentinel failover-timeout m 2000
      sentinel parallel-syncs m 3
      sentinel auth-user m "a b"
      sentinel auth-pass m #secret   # a comment
      sentinel notification-script m /bin/a
      sentinel client-reconfig-script m /bin/b
      sentinel master-reboot-down-after-period m 4000
      sentinel rename-command m config CONF # don't
      sentinel config-epoch m 5
      sentinel leader-epoch m 7
      sentinel known-slave m 10.0.0.1 1
      sentinel known-replica m ::1 2
      sentinel known-sentinel m 10.0.0.3 3 ${ID}
      sentinel known-sentinel m 10.0.0.3 4
      # tanist: sentinel fast-down m yes
      # tanist: sentinel lease-ttl m 900
      # tanist: sentinel ack-replicas m 1
      # tanist: sentinel paused m yes
      # tanist: sentinel candidate-lag-max m 65536
      # tanist: sentinel voted-leader m ${ID} 7
      sentinel monitor m 10.0.0.9 6379 2
      sentinel current-epoch 4
      sentinel myid ${ID}`);
    expect(conf.sentinel).toMatchObject({ myId: ID, currentEpoch: 5 });
    expect(conf.sentinel.masters).toEqual([
      {
        name: 'm',
        host: '10.0.0.9',
        port: 6379,
        quorum: 2,
        downAfter_ms: 1000,
        failoverTimeout_ms: 2000,
        parallelSyncs: 3,
        authUser: 'a b',
        authPass: '#secret',
        notificationScript: '/bin/a',
        clientReconfigScript: '/bin/b',
        masterRebootDownAfter_ms: 4000,
        fastDown: true,
        leaseTtl_ms: 900,
        ackReplicas: 1,
        paused: true,
        candidateLagMax_bytes: 65_536,
        renamedCommands: { CONFIG: 'CONF' },
        configEpoch: 5,
        leaderEpoch: 7,
        votedLeader: ID,
        replicas: [
          { host: '10.0.0.1', port: 1 },
          { host: '::1', port: 2 },
        ],
        sentinels: [{ host: '10.0.0.3', port: 3, runId: ID }],
      },
    ]);
  });

  it('forgets a vote whose epoch another Sentinel has passed', () => {
    const lines = `${MONITOR}sentinel leader-epoch m 8\n# tanist: sentinel voted-leader m ${ID} 7\n`;
    expect(read(lines).sentinel.masters[0]?.votedLeader).toBe('');
  });

  it('reads the settings of the server', () => {
    const { server, users, sentinel } = read(`bind 127.0.0.1 -::1 * # all
port 0
requirepass #x
unixsocketperm 700
tls-port 26380
tls-cert-file c
tls-key-file k
tls-auth-clients No
tls-protocols "tlsv1.2 TLSv1.3"
rename-command SHUTDOWN ""
user alice on >x ~* +@all
sentinel announce-ip 1.2.3.4
sentinel announce-hostnames yes
sentinel
`);
    expect(server).toMatchObject({
      port: 0,
      requirepass: '#x',
      unixsocketperm: 0o700,
      tls: { port: 26_380, certFile: 'c', authClients: 'no', protocols: ['TLSv1.2', 'TLSv1.3'] },
    });
    expect(server.bind).toEqual([
      { host: '127.0.0.1', optional: false },
      { host: '::1', optional: true },
      { host: '*', optional: false },
    ]);
    expect([...server.renamedCommands]).toEqual([['SHUTDOWN', '']]);
    expect(users).toEqual([{ name: 'alice', rules: ['on', '>x', '~*', '+@all'] }]);
    expect(sentinel).toMatchObject({ announceIp: '1.2.3.4', announceHostnames: true });
  });

  it('accepts what redis.conf knows and a Sentinel does not need, with a note', () => {
    const conf = read('appendonly yes\nreplicaof a 1\nsave 1 1 2 2\nlatency-tracking-info-percentiles 50 99 99.9\n');
    expect(conf.notes.map((note) => note.line)).toEqual([1, 2, 3]);
  });

  it('lets later documents win, and does not take `sentinel` lines from included files', () => {
    const include = (name: string): ConfDocument[] => [parseConf(name === 'a' ? 'loglevel debug' : MONITOR, name)];
    expect(read('include a\n', { include }).server.loglevel).toBe('debug');
    expect(problems('include b\n', { include })).toMatchObject([{ file: 'b', line: 1, column: 1 }]);
    const circle = (name: string): ConfDocument[] => [parseConf('include a', name)];
    expect(problems('include a\n', { include: circle })).toMatchObject([
      { message: expect.stringContaining('deeply') },
    ]);
  });
});

describe('faults', () => {
  const absent = { isExecutable: () => false, isDirectory: () => false, appendFault: () => 'no such directory' };
  it.each([
    ['foo bar', 1, 1, 'unknown directive'],
    ['\nprot 1', 2, 1, 'unknown directive'],
    ['port', 1, 1, 'wrong number of arguments'],
    ['port 1 2', 1, 8, 'wrong number of arguments'],
    ['port 1 2 # x', 1, 8, 'wrong number of arguments'],
    ['port 1x', 1, 6, 'not a whole number'],
    ['  port 70000 ## c', 1, 8, 'out of range'],
    ['port "1', 1, 6, 'unbalanced quotes'],
    ['port "1"2', 1, 9, 'text after a closing quote'],
    ['"', 1, 1, 'unbalanced quotes'],
    ['daemonize maybe', 1, 11, 'yes or no'],
    ['loglevel loud', 1, 10, 'not one of the values'],
    ['logfile /none/x.log', 1, 9, 'the log cannot be written: no such directory'],
    ['maxclients 0', 1, 12, 'out of range'],
    ['unixsocketperm 999', 1, 16, 'not a file mode'],
    ['dir /nope', 1, 5, 'no such directory'],
    ['tls-protocols SSLv3', 1, 15, 'unknown protocol'],
    ['tls-port 1', 0, 0, 'TLS is on'],
    ['include /nope', 1, 9, 'cannot be read'],
    ['user', 1, 1, 'wrong number of arguments'],
    ['user a on\nuser a off', 2, 6, 'defined twice'],
    ['sentinel foo', 1, 10, 'unknown option'],
    ['sentinel "foo', 1, 10, 'unbalanced quotes'],
    ['sentinel myid abc', 1, 15, 'malformed Sentinel id'],
    ['sentinel current-epoch -1', 1, 24, 'out of range'],
    ['sentinel current-epoch 9007199254740993', 1, 24, 'out of range'],
    ['sentinel announce-port 65536', 1, 24, 'out of range'],
    ['sentinel resolve-hostnames perhaps', 1, 28, 'yes or no'],
    ['sentinel monitor m 127.0.0.1 6379', 1, 1, 'wrong number of arguments'],
    ['sentinel monitor m 127.0.0.1 6379 2 2', 1, 37, 'wrong number of arguments'],
    ['sentinel monitor m 127.0.0.1 6379 0', 1, 35, 'out of range'],
    ['sentinel monitor m 127.0.0.1 66666 1', 1, 30, 'out of range'],
    ['sentinel monitor m 127.0.0.256 6379 1', 1, 20, 'not an IPv4 address'],
    ['sentinel monitor m host/ 6379 1', 1, 20, 'neither an IP address nor'],
    ['sentinel monitor "m x" 127.0.0.1 6379 1', 1, 18, 'a master name'],
    [`${MONITOR}${MONITOR}`, 2, 18, 'duplicate master name'],
    [`${MONITOR}sentinel down-after-milliseconds x 5`, 2, 34, 'no such master'],
    [`${MONITOR}sentinel down-after-milliseconds m 0`, 2, 36, 'out of range'],
    [`${MONITOR}sentinel failover-timeout m 5s`, 2, 29, 'not a whole number'],
    [`${MONITOR}sentinel parallel-syncs m -1`, 2, 27, 'out of range'],
    [`${MONITOR}sentinel notification-script m /nope`, 2, 32, 'not executable'],
    [`${MONITOR}sentinel client-reconfig-script m /nope`, 2, 35, 'not executable'],
    [`${MONITOR}sentinel known-replica m 1.1.1.1 99999`, 2, 34, 'out of range'],
    [`${MONITOR}sentinel known-replica m 1.1.1.1 1\nsentinel known-slave m 1.1.1.1 1`, 3, 24, 'duplicate replica'],
    [`${MONITOR}sentinel known-sentinel m 1.1.1.1 1 abc`, 2, 37, 'malformed run id'],
    [`${MONITOR}sentinel rename-command m GET G\nsentinel rename-command m get H`, 3, 27, 'renamed twice'],
    [`${MONITOR}sentinel fast-down m maybe`, 2, 22, 'yes or no'],
    [`${MONITOR}# tanist: sentinel fast-down m maybe`, 2, 32, 'yes or no'],
    [`${MONITOR}sentinel lease-ttl m 60001`, 2, 22, 'out of range'],
    [`${MONITOR}sentinel auth-pass m foo bar`, 2, 26, 'wrong number of arguments'],
  ])('%j', (text, line, column, message) => {
    expect(problems(text, absent)).toMatchObject([
      { file: 's.conf', line, column, message: expect.stringContaining(message) },
    ]);
  });

  it('reports all of them at once, in order, and no echo of one of them', () => {
    const found = problems('sentinel parallel-syncs m 1\nsentinel monitor m 127.0.0.1 6379 0\nport x\nprot 1\n');
    expect(found.map((p) => [p.line, p.column])).toEqual([
      [2, 35],
      [3, 6],
      [4, 1],
    ]);
  });

  it('prints the place, the line, a mark and a fix', () => {
    try {
      read('# top\nloglevel loud # quiet\n');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      expect(error).toMatchObject({ code: 'ERR_CONFIG' });
      expect(error instanceof ConfigError ? error.format() : '').toBe(
        [
          's.conf:2:10: not one of the values of this directive',
          '    loglevel loud # quiet',
          '             ^^^^',
          '  fix: one of: debug, verbose, notice, warning, nothing',
        ].join('\n'),
      );
    }
  });

  it('shows no password', () => {
    const text = `${MONITOR}requirepass hunter2 x\nsentinel auth-pass m hunter2 x\nsentinel auth-pass q hunter2\nuser u >hunter2\nmasterauth hunter2 x`;
    const found = problems(text, { checkUser: () => 'bad rule' });
    expect(found).toHaveLength(5);
    expect(new ConfigError(found).format()).not.toContain('hunter2');
  });

  it('suggests the nearest word', () => {
    expect(problems('loglvel x')[0]?.fix).toBe('did you mean `loglevel`?');
    expect(problems('sentinel moniter a b 1 1')[0]?.fix).toBe('did you mean `monitor`?');
  });

  it('allows other encodings in comments only', () => {
    const bytes = (text: string): ConfDocument => parseConfBytes(Buffer.from(text, 'latin1'), 's.conf');
    expect(problemsOf([bytes('# \xff\nport 1 # \xfe\n')])).toEqual([]);
    expect(problemsOf([bytes('port 1\npidfile /a\xff\n')])).toMatchObject([{ line: 2, column: 9 }]);
  });

  it('survives random text', () => {
    const words = [
      'sentinel',
      'monitor',
      'm',
      '1.1.1.1',
      '1',
      '"',
      "'",
      '#',
      '\n',
      'port',
      'user',
      '# tanist: sentinel fast-down',
      'include',
    ];
    const piece = fc.oneof(fc.constantFrom(...words), fc.string({ unit: 'binary', maxLength: 5 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), fc.constantFrom('', ' '), (pieces, glue) => {
        problems(pieces.join(glue));
      }),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (b) => void problemsOf([parseConfBytes(b, 'f')])));
  });
});

describe('the command line', () => {
  const main = parseConf(`port 1\n${MONITOR}`, 's.conf');
  const withArgs = (...args: string[]): SentinelConf =>
    readSentinelConf([main, commandLineOverrides(args).document], NO_CHECKS);

  it('overrides the file', () => {
    const conf = withArgs('--port', '26380', '--sentinel', 'announce-ip', '1.2.3.4', '--bind', '1.1.1.1', '-::1');
    expect(conf.server).toMatchObject({ port: 26_380, bind: [{ host: '1.1.1.1' }, { host: '::1', optional: true }] });
    expect(conf.sentinel.announceIp).toBe('1.2.3.4');
  });

  it('takes option and value as one argument, and values with spaces', () => {
    const { server } = withArgs('--loglevel verbose', '--syslog-ident', 'a b');
    expect(server).toMatchObject({ loglevel: 'verbose', syslogIdent: 'a b' });
  });

  it('drops the flag --sentinel', () => {
    expect(withArgs('--sentinel', '--protected-mode', 'no').server.protectedMode).toBe(false);
    expect(withArgs('--sentinel').sentinel.masters).toHaveLength(1);
  });

  it('knows - for standard input', () => {
    expect(commandLineOverrides(['--port', '1', '-'])).toMatchObject({ stdin: true, document: { lines: [{}] } });
    expect(commandLineOverrides([]).stdin).toBe(false);
  });

  it.each([
    [['--port', '1', '--loglevel', 'loud'], 21, 'not one of the values'],
    [['--port', '1', '--loglevel loud'], 22, 'not one of the values'],
    [['--foo', '1'], 1, 'unknown directive'],
    [['--port', '--loglevel', 'debug'], 1, 'wrong number of arguments'],
  ])('points into %j', (args, column, message) => {
    const found = problemsOf([main, commandLineOverrides(args).document]);
    const place = { file: '<command line>', line: 1, column };
    expect(found).toMatchObject([{ ...place, message: expect.stringContaining(message) }]);
  });

  it('refuses a value without an option', () => {
    expect(() => commandLineOverrides(['loglevel', 'debug'])).toThrow(CommandLineError);
  });
});
