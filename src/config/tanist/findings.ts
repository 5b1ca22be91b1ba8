/** What is allowed in a tanist.yml and may be regretted: one sentence each, and what to do about it. */
import { parseIp } from '../../base/ip-bytes.js';
import type { Outside } from '../outside.js';
import { isOneMachine } from './for-host.js';
import type { GroupConfig, Secret, TanistConfig } from './model.js';
import { redisConfFindings } from './redis-conf.js';
import { formatDuration } from './units.js';

export interface Finding {
  /** `warning`: likely to hurt. `note`: a choice that one should know of. */
  readonly level: 'warning' | 'note';
  /** Stable, for filters: `no-lease`. */
  readonly code: string;
  readonly message: string;
  readonly fix: string;
}

/** Less than the time in which a leader may promote: retries would run into each other. */
const FAILOVER_TIMEOUT_LOW_MS = 3_000;
const LEASE_LOW_MS = 500;
const DOWN_AFTER_LOW_MS = 1_000;

/** Warnings first. @param outside to read the redis.conf files that are named; the configuration itself is complete. */
export function findings(config: TanistConfig, outside: Pick<Outside, 'readFile'>): readonly Finding[] {
  const all = [
    ...quorumFindings(config),
    ...addressFindings(config),
    ...timeFindings(config),
    ...groupFindings(config),
    ...redisConfFindings(config, outside),
    ...secretFindings(config),
    ...doorFindings(config),
  ];
  return [...all.filter((each) => each.level === 'warning'), ...all.filter((each) => each.level === 'note')];
}

function warning(code: string, message: string, fix: string): Finding {
  return { level: 'warning', code, message, fix };
}

function note(code: string, message: string, fix: string): Finding {
  return { level: 'note', code, message, fix };
}

function quorumFindings({ mode, hosts, arbiter }: TanistConfig): Finding[] {
  const voters = hosts.length;
  if (mode === 'pair') {
    const fix = 'add a witness host and remove `mode: pair`; it needs no Redis and next to no memory';
    return arbiter === null
      ? [
          warning(
            'pair-without-arbiter',
            'Two hosts without a witness or an arbiter: if the link between them breaks, both lead, and the writes of one are lost.',
            `${fix}; or name the gateway as \`arbiter\``,
          ),
        ]
      : [
          warning(
            'pair',
            'Two hosts without a witness: if the link between them breaks and both reach the arbiter, both lead, and the writes of one are lost.',
            fix,
          ),
        ];
  }
  if (voters === 1) {
    return [
      warning(
        'one-host',
        'There is one host: nothing can take over from it.',
        'add two more, one of them may be a witness',
      ),
    ];
  }
  if (voters % 2 === 1) return [];
  const bear = Math.ceil(voters / 2) - 1;
  return [
    warning(
      'even-voters',
      `${voters} hosts vote, and bear the loss of ${bear}, as ${voters - 1} would; ${voters / 2} against ${voters / 2}, nobody leads.`,
      'add a witness, or remove a host',
    ),
  ];
}

function addressFindings(config: TanistConfig): Finding[] {
  const found: Finding[] = [];
  if (isOneMachine(config)) {
    found.push(
      note(
        'one-machine',
        'All hosts are addresses of this machine: good for a trial, and gone with it.',
        'give each host a machine',
      ),
    );
  }
  const vips = config.groups.flatMap((group) =>
    group.vips.map((vip) => ({ what: `the VIP of ${group.name}`, ...vip })),
  );
  for (const { what, address } of [...config.hosts.map((host) => ({ what: `host ${host.name}`, ...host })), ...vips]) {
    if (isExample(address)) {
      found.push(
        warning(
          'example-address',
          `${address}, ${what}, is an address for examples: nothing answers there.`,
          'write the right one',
        ),
      );
    }
  }
  return found;
}

/** RFC 5737 and RFC 3849. */
function isExample(address: string): boolean {
  const bytes = parseIp(address) ?? new Uint8Array();
  const starts = (...first: number[]): boolean => first.every((byte, i) => bytes[i] === byte);
  if (bytes.length === 16) return starts(0x20, 0x01, 0x0d, 0xb8);
  return starts(192, 0, 2) || starts(198, 51, 100) || starts(203, 0, 113);
}

function timeFindings({ mode, lease, sentinel }: TanistConfig): Finding[] {
  const found: Finding[] = [];
  if (mode === 'quorum' && lease.ttl_ms === null) {
    found.push(
      warning(
        'no-lease',
        'The lease is off: a master that is cut off goes on taking writes, and they are lost when it returns.',
        'remove `lease: off` once no redis-sentinel votes any more',
      ),
    );
    if (sentinel.downAfter_ms < DOWN_AFTER_LOW_MS) {
      found.push(
        warning(
          'down-after-low',
          `Without a lease, a master that is busy for ${formatDuration(sentinel.downAfter_ms)} is failed over.`,
          'write `down_after: 5s` below `sentinel`',
        ),
      );
    }
  }
  if (lease.ttl_ms !== null && lease.ttl_ms < LEASE_LOW_MS) {
    found.push(
      warning(
        'lease-low',
        `A lease of ${formatDuration(lease.ttl_ms)}: a host that stands still for less than that loses its master.`,
        'write 500ms or more',
      ),
    );
  }
  if (sentinel.failoverTimeout_ms < FAILOVER_TIMEOUT_LOW_MS) {
    found.push(
      warning(
        'failover-timeout-low',
        `A failover is given up after ${formatDuration(sentinel.failoverTimeout_ms)}, before a replica may be promoted.`,
        'write `failover_timeout: 10s` below `sentinel`',
      ),
    );
  }
  return found;
}

/** One finding for all groups that it is true of. */
function groupFindings(config: TanistConfig): Finding[] {
  const local = isOneMachine(config);
  const found: Finding[] = [];
  const where = (is: (group: GroupConfig) => boolean, say: (names: string) => Finding): void => {
    const names = config.groups.filter(is).map((group) => group.name);
    if (names.length > 0) found.push(say(names.join(', ')));
  };
  where(
    ({ hosts }) => hosts.length === 1 && config.hosts.length > 1,
    (names) =>
      warning(
        'no-replica',
        `One host alone keeps ${names}: nothing can take over from it.`,
        'add a host to its `hosts`',
      ),
  );
  where(
    ({ redis }) => redis.attach,
    (names) =>
      warning(
        'attach',
        `The Redis of ${names} is started by others: until the agent has seen it, it may come up as an empty master and take writes.`,
        'remove `attach: true`, and let the agent start it',
      ),
  );
  where(
    ({ redis }) => redis.auth === null && !local,
    (names) =>
      warning(
        'no-password',
        `The Redis of ${names} has no password: whoever reaches its port may do everything.`,
        'add `password_file` below `redis`',
      ),
  );
  where(
    ({ redis }) => redis.tls?.insecure === true,
    (names) =>
      warning(
        'tls-insecure',
        `For ${names}, any certificate is accepted: whoever can redirect the traffic reads and changes it.`,
        'name the `ca` instead of `insecure: true`',
      ),
  );
  where(
    ({ durability, hosts }) => durability === 'replicated' && hosts.length === 2,
    (names) =>
      warning(
        'replicated-two-hosts',
        `Two hosts keep ${names}, which is replicated: while one of them is down, no write is taken.`,
        'add a third host to it, or write `durability: async`',
      ),
  );
  where(
    ({ durability, hosts }) => durability === 'async' && hosts.length > 1,
    (names) =>
      note(
        'async',
        `In ${names}, a write is acknowledged before a replica has it: when its master's host dies, the last few milliseconds of writes may be lost.`,
        'write `durability: replicated` if they must not be',
      ),
  );
  where(
    ({ durability }) => durability === 'replicated' && config.proxy === null,
    (names) =>
      note(
        'replicated-without-proxy',
        `For ${names}, only the proxy waits for a replica: clients of the VIP must send WAIT themselves.`,
        'add `proxy: 22121`',
      ),
  );
  where(
    ({ vips }) => vips.length === 0 && config.proxy === null,
    (names) =>
      note(
        'no-plain-address',
        `There is neither a VIP of ${names} nor a proxy: clients must speak the Sentinel protocol.`,
        'add `vip`, or `proxy: 22121`',
      ),
  );
  return found;
}

function secretFindings(config: TanistConfig): Finding[] {
  const secrets: [string, Secret | null | undefined][] = [
    ...config.groups.map((group): [string, Secret | undefined] => [
      `the password of ${group.name}`,
      group.redis.auth?.password,
    ]),
    ['the password of the Sentinels', config.sentinel.auth],
    ['the token of the API', config.api.token],
    ...(config.proxy?.pools ?? []).map((pool): [string, Secret | null] => [
      `the password of the pool ${pool.name}`,
      pool.auth,
    ]),
  ];
  const inline = secrets.filter(([, secret]) => secret?.from === 'inline').map(([what]) => what);
  if (inline.length === 0) return [];
  const [verb, word] = inline.length === 1 ? ['stands', 'it'] : ['stand', 'them'];
  return [
    warning(
      'secret-in-file',
      `${capital(inline.join(', '))} ${verb} in the file: whoever may read it knows ${word}.`,
      'write password_file (token_file) with a path, and chmod 600 what it names',
    ),
  ];
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function doorFindings(config: TanistConfig): Finding[] {
  const found: Finding[] = [];
  for (const pool of config.proxy?.pools ?? []) {
    const locked = config.groups.some((group) => pool.groups.includes(group.name) && group.redis.auth !== null);
    if (locked && pool.auth === null && pool.users === null) {
      found.push(
        warning(
          'pool-without-password',
          `The pool ${pool.name} logs in to Redis for its clients and asks nothing of them: whoever reaches port ${pool.listen.port} is in.`,
          'add `password_file` to the pool',
        ),
      );
    }
  }
  if (config.api.token === null) {
    found.push(
      note(
        'no-api-token',
        'The API has no token: every user of a host may switch over and pause.',
        'add `token_file` below `api`',
      ),
    );
  }
  return found;
}
