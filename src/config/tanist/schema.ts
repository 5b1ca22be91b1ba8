/**
 * The shape of a tanist.yml, as zod has it: which keys there are, and what each one takes. The reader, the JSON Schema
 * for editors and its descriptions come from here.
 */
import { z } from 'zod';
import { DISTRIBUTION_NAMES, HASH_NAMES } from '../nutcracker-types.js';
import {
  address,
  bindAddresses,
  duration,
  flag,
  key,
  LISTEN,
  listen,
  listenWant,
  map,
  name,
  named,
  oneOf,
  path,
  port,
  secret,
  size,
  text,
  want,
} from './schema-words.js';

const serverTls = z.union(
  [
    flag,
    map(
      {
        ca: key(
          path('/etc/tanist/ca.pem'),
          "PEM file: who may have signed the other side. Default: the system's list.",
        ),
        cert: key(path('/etc/tanist/cert.pem'), 'PEM file: our certificate.'),
        key: key(path('/etc/tanist/key.pem'), 'PEM file: its key, without a passphrase.'),
        servername: key(
          text('must be a name', 'write the name in the certificate'),
          "The name that the certificate must bear. Default: the host's address.",
        ),
        insecure: key(flag, 'Accept any certificate. Default: false.'),
      },
      'write `tls: true`, or ca, cert and key below it',
    ),
  ],
  want(
    'must be true, false, or a map of ca, cert, key, servername, insecure',
    'write `tls: true`, or the keys below it',
  ),
);

const clientTls = map(
  {
    cert: path('/etc/tanist/cert.pem').meta({ description: 'PEM file: the certificate that clients are shown.' }),
    key: path('/etc/tanist/key.pem').meta({ description: 'PEM file: its key, without a passphrase.' }),
    ca: key(
      path('/etc/tanist/ca.pem'),
      "PEM file: who may have signed the certificates of clients. Default: the system's list.",
    ),
    auth_clients: key(oneOf(['yes', 'no', 'optional']), 'Must a client show a certificate? Default: yes.'),
  },
  'write cert and key below it',
);

const redis = map(
  {
    port: key(port, 'Port of Redis. Default: 6379.'),
    program: key(path('redis-server'), 'The program that is started. Default: redis-server, looked up on PATH.'),
    config: key(path('/etc/redis/redis.conf'), 'Your redis.conf. Default: none.'),
    directory: key(
      path('/var/lib/tanist/mymaster'),
      'Working directory: data, log and pid file. Default: <state_directory>/<group>.',
    ),
    attach: key(flag, 'The Redis is started by others: it is adopted, never started or stopped. Default: false.'),
    user: key(
      text('must be a user name', 'write the name of an ACL user'),
      'ACL user for the password. Default: the default user.',
    ),
    ...secret('password', 'The password of Redis'),
    tls: key(serverTls, 'Speak TLS with Redis. Default: false.'),
    bind: key(
      bindAddresses,
      "Addresses to listen on. Default: the host's address and loopback, or all when the group has a VIP.",
    ),
    hang_after: key(duration(100, 600_000), 'Without a reply for this long, Redis hangs. Default: 1s.'),
    busy_limit: key(
      duration(100, 3_600_000),
      'A Redis that hangs and burns CPU is busy: it is given this long. Default: 15s.',
    ),
    candidate_lag_max: key(size(2 ** 50), 'A replica that lags by more is not chosen. Default: no limit.'),
  },
  'write e.g. `port: 6379` below it',
);

export const VIP = /^[0-9A-Fa-f:.]+(\/\d{1,3})?$/;
const VIP_WANT = want('must be an IP address with a prefix length', 'write e.g. 10.0.0.100/24');
const vipText = z.string(VIP_WANT).regex(VIP, VIP_WANT);
const interfaceName = text('must be the name of an interface', 'write e.g. eth0').max(
  15,
  want('must be at most 15 characters', 'write e.g. eth0'),
);
const vrid = z
  .int(want('must be a number from 1 to 255', 'write a number that no other router uses'))
  .min(1, want('must be a number from 1 to 255', 'write a number that no other router uses'))
  .max(255, want('must be a number from 1 to 255', 'write a number that no other router uses'));
const vip = z.union(
  [
    vipText,
    map(
      {
        address: vipText.meta({ description: 'The address, with its prefix length: 10.0.0.100/24.' }),
        interface: key(interfaceName, "Where it is put. Default: the host's interface."),
        vrid: key(vrid, "VRRP's virtual router id. Default: the last byte of the address."),
      },
      'write 10.0.0.100/24, or address, interface and vrid below it',
    ),
  ],
  VIP_WANT,
);
const vips = z.union(
  [vip, z.array(vip)],
  want('must be an address, a map of address, interface, vrid, or a list of these', 'write e.g. 10.0.0.100/24'),
);

const failback = z.union(
  [
    z.enum(['never', 'manual']),
    map(
      { after: duration(0, 7 * 86_400_000).meta({ description: 'How long the preferred host must have been well.' }) },
      'write `after: 10m` below it',
    ),
  ],
  want('must be never, manual, or `after` with a duration', 'write never, manual, or {after: 10m}'),
);

const durability = oneOf(['async', 'replicated']);

const DURABILITY = 'When a write counts as safe. replicated: once a replica has it. Default: async.';
const FAILBACK =
  "Whether the first host takes the master's place back once it is well: never, manual, {after: 10m}. Default: never.";

const names = z.array(
  z.string(want('must be a name', 'write a name')),
  want('must be a list of names', 'write e.g. [a, b]'),
);

const group = map(
  {
    hosts: key(
      names.min(1, want('must name a host', 'write e.g. [a, b]')),
      'Hosts that keep a Redis of it, the preferred one first. Default: all that are no witnesses.',
    ),
    redis: key(redis, 'What differs from the top-level `redis`.'),
    vip: key(vips, 'The address that follows its master. Default: none.'),
    durability: key(durability, DURABILITY),
    failback: key(failback, FAILBACK),
  },
  'write `hosts: [a, b]` below it',
);

const shard = z.union(
  [
    z.string(),
    map(
      {
        group: z.string().meta({ description: 'The group that keeps these keys.' }),
        name: key(
          text('must be a name', 'write what nutcracker had, e.g. 10.0.0.1:6379'),
          "What is hashed onto the ring; keep it and the keys stay where they are. Default: the group's name.",
        ),
        weight: key(
          z
            .int(want('must be a whole number from 1', 'write 1'))
            .min(1, want('must be a whole number from 1', 'write 1'))
            .max(1_000_000, want('must be at most 1000000', 'write 1')),
          'Its share of the keys. Default: 1.',
        ),
      },
      'write the name of a group, or group, name and weight',
    ),
  ],
  want('must be the name of a group, or a map of group, name, weight', 'write e.g. shard-1'),
);

const hold = z.union(
  [
    duration(0, 600_000),
    map(
      {
        time: key(duration(0, 600_000), 'How long a request waits for a shard without a master. Default: 5s.'),
        size: key(size(2 ** 32), 'How many bytes of requests are kept. Default: 64mb.'),
      },
      'write `hold: 5s`, or time and size below it',
    ),
  ],
  want('must be a duration, or a map of time and size', 'write `hold: 5s`, or time and size below it'),
);

const pool = map(
  {
    listen: listen.meta({ description: 'Port, or address and port, that clients connect to.' }),
    groups: key(
      z
        .array(shard, want('must be a list of groups', 'write e.g. [shard-1, shard-2]'))
        .min(1, want('must name a group', 'write e.g. [shard-1]')),
      'The shards, in the order of the ring. Default: all groups.',
    ),
    hash: key(oneOf(HASH_NAMES), 'Hash function. Default: fnv1a_64.'),
    hash_tag: key(
      text('must be two characters', 'write e.g. "{}"').refine(
        (word) => [...word].length === 2,
        want('must be two characters', 'write e.g. "{}"'),
      ),
      'Two characters: what stands between them alone is hashed. Default: none.',
    ),
    distribution: key(oneOf(DISTRIBUTION_NAMES), 'How hashes find their shard. Default: ketama.'),
    ...secret('password', 'The password of clients'),
    users: key(
      z.array(
        z.string(want('must be a name and its rules', 'write e.g. - "alice on >secret ~* +@all"')),
        want('must be a list of users', 'write e.g. - "alice on >secret ~* +@all"'),
      ),
      "Who may log in: a name and ACL rules, as in Redis's ACL files. Default: whoever has the password.",
    ),
    tls: key(clientTls, 'Clients speak TLS. Default: no.'),
    timeout: key(duration(1, 3_600_000), 'Waiting for a connection or a reply of a Redis. Default: for ever.'),
    client_connections: key(
      z
        .int(want('must be a whole number from 0', 'write 0 for no limit'))
        .min(0, want('must be a whole number from 0', 'write 0 for no limit'))
        .max(1_000_000, want('must be at most 1000000', 'write 0 for no limit')),
      'How many clients at most; 0 for no limit. Default: 0.',
    ),
    hold: key(hold, 'What waits while a shard has no master. Default: 5s and 64mb.'),
    read_from: key(oneOf(['master', 'prefer_replica']), 'Who answers reads. Default: master.'),
    replica_lag_max: key(duration(1_000, 3_600_000), 'A replica that lags longer answers no reads. Default: 5s.'),
  },
  'write `listen: 22121` below it',
);

const proxyMap = map(
  {
    workers: key(
      z
        .int(want('must be a number from 1 to 64', 'write 1'))
        .min(1, want('must be a number from 1 to 64', 'write 1'))
        .max(64, want('must be a number from 1 to 64', 'write 1')),
      'Processes that share the work. Default: 1.',
    ),
    stats: key(
      z.union(
        [z.literal('off'), port, z.string().regex(LISTEN, listenWant)],
        want('must be off, a port, or an IP address and a port', 'write 22222 or off'),
      ),
      "nutcracker's statistics. Default: 127.0.0.1:22222.",
    ),
    pools: named(pool, 'pool').meta({ description: 'Listeners that share the keys over groups.' }),
  },
  'write a port, or `pools:` below it',
);

const EVENTS = ['role', 'vip', 'leader', 'failover', 'fence', 'health'] as const;
const event = oneOf(EVENTS);

const hook = map(
  {
    name: key(name, 'What logs call it. Default: hook-1, hook-2, ...'),
    on: key(
      z.union(
        [event, z.array(event).min(1, want('must name an event', `write e.g. [${EVENTS.join(', ')}]`))],
        want(`must be one or a list of ${EVENTS.join(', ')}`, 'write e.g. [role, vip]'),
      ),
      `Which events: ${EVENTS.join(', ')}. Default: all.`,
    ),
    run: key(
      z
        .array(
          z.string(want('must be text', 'put it into quotes')),
          want(
            'must be a list: a program and its arguments; there is no shell',
            'write e.g. ["/usr/local/bin/tell", "ops"]',
          ),
        )
        .min(1, want('must name a program', 'write e.g. ["/usr/local/bin/tell"]')),
      'Program and arguments, run without a shell.',
    ),
    post: key(
      z.string(want('must be a URL', 'write e.g. https://example.org/hook')),
      'URL that a JSON event is posted to.',
    ),
    timeout: key(duration(100, 600_000), 'After this long it is ended. Default: 10s.'),
  },
  'write name, on and run or post',
);

const apiMap = map(
  {
    listen: key(listen, 'Port, or address and port. Default: 127.0.0.1:8008.'),
    ...secret('token', 'The token for all that changes something'),
  },
  'write a port, or listen and token below it',
);

/** The whole file. */
export const fileSchema = z.strictObject(
  {
    cluster: key(name, 'Name of the cluster. Default: tanist.'),
    mode: key(oneOf(['quorum', 'pair']), 'Who decides: a majority of the hosts, or VRRP between two. Default: quorum.'),
    hosts: named(
      z.union(
        [
          address,
          map(
            {
              address: address.meta({ description: 'IP address of the host.' }),
              witness: key(flag, 'It votes and keeps no Redis. Default: false.'),
              interface: key(interfaceName, 'Where VIPs are put. Default: the interface that carries the address.'),
            },
            'write an IP address, or address, witness and interface below it',
          ),
        ],
        want('must be an IP address, or a map of address, witness, interface', 'write e.g. `a: 10.0.0.1`'),
      ),
      'host',
    ).meta({
      description: 'Every host of the cluster by name, with its IP address. The first one is preferred as master.',
    }),
    redis: key(redis, 'How Redis is kept, for all groups.'),
    vip: key(vips, 'The address that follows the master, when there is one group.'),
    groups: key(
      named(group, 'group'),
      'Shards: one master and its replicas each. Default: one group `mymaster` on all hosts.',
    ),
    lease: key(
      z.union(
        [
          z.literal('off'),
          duration(200, 60_000),
          map(
            {
              ttl: z
                .union(
                  [z.literal('off'), duration(200, 60_000)],
                  want('must be off, or a duration from 200ms to 1m', 'write e.g. 1s'),
                )
                .meta({ description: 'How long a grant lasts.' }),
            },
            'write `lease: 1s`',
          ),
        ],
        want('must be off, or a duration from 200ms to 1m', 'write e.g. `lease: 1s`'),
      ),
      'A master may write only while a majority has granted it this lease: how long a grant lasts, 200ms to 1m, or off. Default: 1s.',
    ),
    durability: key(durability, DURABILITY),
    failback: key(failback, FAILBACK),
    sentinel: key(
      map(
        {
          port: key(port, "Port of the Sentinel API on each host's address. Default: 26379."),
          ...secret('password', 'The password of Sentinels and their clients'),
          down_after: key(
            duration(100, 600_000),
            'A master that is silent for this long is down. Default: 1s; 5s without a lease.',
          ),
          failover_timeout: key(
            duration(1_000, 3_600_000),
            'A failover that takes longer is given up and tried anew. Default: 10s.',
          ),
        },
        'write e.g. `port: 26379` below it',
      ),
      'The Sentinel API.',
    ),
    proxy: key(
      z.union(
        [port, z.string().regex(LISTEN, listenWant), proxyMap],
        want('must be a port, or a map of workers, stats, pools', 'write e.g. `proxy: 22121`'),
      ),
      'The proxy on each host: a port for one pool of all groups, or pools by name. Default: none.',
    ),
    api: key(
      z.union(
        [port, z.string().regex(LISTEN, listenWant), apiMap],
        want('must be a port, or a map of listen and token', 'write e.g. `api: 8008`'),
      ),
      'The HTTP API. Default: 127.0.0.1:8008.',
    ),
    arbiter: key(
      address,
      'Pair mode: an address (a gateway); a host that reaches neither it nor the other host gives up the VIP. Default: none.',
    ),
    hooks: key(
      z.array(hook, want('must be a list of hooks', 'write e.g. - {on: role, run: ["/usr/local/bin/tell"]}')),
      'What is told of events.',
    ),
    state_directory: key(path('/var/lib/tanist'), 'State, never configuration. Default: /var/lib/tanist.'),
    log_level: key(oneOf(['debug', 'verbose', 'notice', 'warning']), 'Default: notice.'),
  },
  want('must be a map', 'write `hosts:` with the hosts below it'),
);

/** A file that has the right shape: durations in milliseconds, sizes in bytes, all else as written. */
export type FileShape = z.output<typeof fileSchema>;
export type RedisShape = NonNullable<FileShape['redis']>;
export type VipShape = NonNullable<FileShape['vip']>;
export type GroupShape = NonNullable<FileShape['groups']>[string];
export type ProxyShape = Exclude<FileShape['proxy'], number | string | undefined>;
export type PoolShape = ProxyShape['pools'][string];
export type HookShape = NonNullable<FileShape['hooks']>[number];
