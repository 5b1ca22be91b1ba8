/** The groups of a tanist.yml, and how their Redis processes are kept. */
import { join, resolve } from 'node:path';
import { canonicalIp } from '../../base/ip-bytes.js';
import { DEFAULTS } from './defaults.js';
import type { Failback, GroupConfig, HostConfig, RedisCredentials, RedisSettings, Secret } from './model.js';
import { type Context, readSecret, readServerTls } from './read-secrets.js';
import { type PlacedVip, readVips } from './read-vips.js';
import type { FileShape, GroupShape, RedisShape } from './schema.js';
import type { Path } from './yaml-tree.js';

/** A group with the places of what is checked against other groups. */
export interface PlacedGroup extends Omit<GroupConfig, 'vips'> {
  readonly path: Path;
  /** Where its Redis's port was written; where the group was, if it was not. */
  readonly portPath: Path;
  readonly vips: readonly PlacedVip[];
}

export function readGroups(
  context: Context,
  file: FileShape,
  hosts: readonly HostConfig[],
  stateDirectory: string,
): PlacedGroup[] {
  const top = readRedis(context, ['redis'], file.redis ?? {});
  const reader = new GroupReader(context, file, hosts, stateDirectory, top);
  const given = context.reporter.entries(['groups'], file.groups ?? {});
  if (file.groups === undefined) return [reader.single()];
  if (given.length === 0 && !context.reporter.touched('groups')) {
    context.reporter.key(
      ['groups'],
      'there is no group',
      'name one, or remove `groups`: then there is one on all hosts',
    );
  }
  if (file.vip !== undefined) {
    context.reporter.key(
      ['vip'],
      '`vip` beside `groups`: it is not said which master it follows',
      'write it below a group',
    );
  }
  return given.map(([name, group]) => reader.named(name, group, given.length));
}

/** The keys of one `redis` map, secrets and files read; `undefined` where it says nothing. */
interface RedisPart {
  readonly path: Path;
  readonly shape: RedisShape;
  readonly password: Secret | null;
  readonly tls: RedisSettings['tls'] | undefined;
}

function readRedis(context: Context, path: Path, shape: RedisShape): RedisPart {
  const password = readSecret(context, path, shape, 'password');
  const tls = shape.tls === undefined ? undefined : readServerTls(context, [...path, 'tls'], shape.tls);
  return { path, shape, password, tls };
}

class GroupReader {
  readonly #context: Context;
  readonly #file: FileShape;
  readonly #hosts: readonly HostConfig[];
  readonly #stateDirectory: string;
  readonly #top: RedisPart;

  constructor(context: Context, file: FileShape, hosts: readonly HostConfig[], stateDirectory: string, top: RedisPart) {
    this.#context = context;
    this.#file = file;
    this.#hosts = hosts;
    this.#stateDirectory = stateDirectory;
    this.#top = top;
  }

  /** The one group of a file without `groups`. */
  single(): PlacedGroup {
    const vips = readVips(this.#context, ['vip'], this.#file.vip);
    return this.#group(DEFAULTS.group, {}, [], 1, vips, this.#top);
  }

  named(name: string, given: GroupShape, count: number): PlacedGroup {
    const path = ['groups', name];
    const vips = readVips(this.#context, [...path, 'vip'], given.vip);
    const own = readRedis(this.#context, [...path, 'redis'], given.redis ?? {});
    return this.#group(name, given, path, count, vips, own);
  }

  #group(
    name: string,
    given: GroupShape,
    path: Path,
    count: number,
    vips: readonly PlacedVip[],
    own: RedisPart,
  ): PlacedGroup {
    const { durability = this.#file.durability, failback = this.#file.failback } = given;
    return {
      name,
      hosts: this.#hostsOf(given, path),
      redis: this.#redis(name, own, count),
      vips,
      durability: durability ?? 'async',
      failback: readFailback(failback),
      path,
      portPath: this.#portPath(own, path),
    };
  }

  #hostsOf(given: GroupShape, path: Path): string[] {
    if (given.hosts === undefined) return this.#hosts.filter((host) => !host.witness).map((host) => host.name);
    const { reporter } = this.#context;
    const names: string[] = [];
    for (const [i, name] of given.hosts.entries()) {
      const at = [...path, 'hosts', i];
      const host = this.#hosts.find((each) => each.name === name);
      if (names.includes(name)) reporter.value(at, `the host '${name}' is named twice`, 'name it once');
      else if (host === undefined && !reporter.touched('hosts')) {
        const known = this.#hosts.filter((each) => !each.witness).map((each) => each.name);
        reporter.value(at, `there is no host '${name}'`, `name one of ${known.join(', ')}, or add it to \`hosts\``);
      } else if (host?.witness === true) {
        reporter.value(
          at,
          `the host '${name}' is a witness: it keeps no Redis`,
          'name another, or remove its `witness: true`',
        );
      } else names.push(name);
    }
    return names;
  }

  #portPath(own: RedisPart, path: Path): Path {
    if (own.shape.port !== undefined) return [...own.path, 'port'];
    return this.#top.shape.port === undefined ? path : ['redis', 'port'];
  }

  #redis(name: string, own: RedisPart, count: number): RedisSettings {
    const shape: RedisShape = { ...this.#top.shape, ...own.shape };
    const hangAfter_ms = shape.hang_after ?? DEFAULTS.hangAfter_ms;
    const busyLimit_ms = shape.busy_limit ?? DEFAULTS.busyLimit_ms;
    if (busyLimit_ms < hangAfter_ms) {
      const at = own.shape.busy_limit === undefined && own.shape.hang_after === undefined ? ['redis'] : own.path;
      const key = at === own.path && own.shape.busy_limit === undefined ? 'hang_after' : 'busy_limit';
      this.#context.reporter.value(
        [...at, key],
        'busy_limit is less than hang_after',
        'a busy Redis is given at least as long as any other',
      );
    }
    return {
      port: shape.port ?? DEFAULTS.redisPort,
      program: this.#program(shape.program),
      config: shape.config === undefined ? null : resolve(this.#context.directory, shape.config),
      directory: this.#directory(name, own, count),
      attach: shape.attach ?? false,
      auth: this.#auth(own),
      tls: (own.tls === undefined ? this.#top.tls : own.tls) ?? null,
      bind: this.#bind(shape.bind),
      hangAfter_ms,
      busyLimit_ms,
      candidateLagMax_bytes: shape.candidate_lag_max ?? null,
    };
  }

  #program(given: string | undefined): string {
    if (given === undefined) return DEFAULTS.redisProgram;
    return given.includes('/') ? resolve(this.#context.directory, given) : given;
  }

  /** Two groups never share a directory by default: a group's own name is part of it. */
  #directory(name: string, own: RedisPart, count: number): string {
    if (own.shape.directory !== undefined) return resolve(this.#context.directory, own.shape.directory);
    const top = this.#top.shape.directory;
    if (top === undefined) return join(this.#stateDirectory, name);
    const directory = resolve(this.#context.directory, top);
    return count > 1 ? join(directory, name) : directory;
  }

  #auth(own: RedisPart): RedisCredentials | null {
    const password = own.password ?? this.#top.password;
    const user = own.shape.user ?? this.#top.shape.user ?? '';
    if (password !== null) return { user, password };
    const at = own.shape.user === undefined ? this.#top.path : own.path;
    if (user !== '' && !this.#context.reporter.touched(...at)) {
      this.#context.reporter.key(
        [...at, 'user'],
        '`user` without a password',
        'add password_file, password_env or password',
      );
    }
    return null;
  }

  #bind(given: RedisShape['bind']): string[] {
    if (given === undefined) return [];
    return (Array.isArray(given) ? given : [given]).map(canonicalIp);
  }
}

function readFailback(given: FileShape['failback']): Failback {
  if (given === undefined || given === 'never') return { when: 'never' };
  return given === 'manual' ? { when: 'manual' } : { when: 'after', wait_ms: given.after };
}
