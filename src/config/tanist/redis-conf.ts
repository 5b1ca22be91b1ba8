/** What a redis.conf says that the agent decides otherwise, or that would lame it. */
import { errorText } from '../../base/error-text.js';
import { type ConfDocument, parseConf } from '../conf-lines.js';
import type { Outside } from '../outside.js';
import type { Finding } from './findings.js';
import type { GroupConfig, TanistConfig } from './model.js';

/** Files that include each other are followed this far. */
const FILES_MAX = 32;

/** Commands that the agent, replicas or the Sentinels send. */
const NEEDED_COMMANDS: ReadonlySet<string> = new Set(
  'config replicaof slaveof info client role ping multi exec subscribe publish psync replconf wait bgsave save'.split(
    ' ',
  ),
);

interface Directive {
  readonly name: string;
  readonly args: readonly string[];
  /** `file:line`. */
  readonly place: string;
}

/** Findings of every redis.conf that is named, each file once. */
export function redisConfFindings(config: TanistConfig, outside: Pick<Outside, 'readFile'>): Finding[] {
  const seen = new Set<string>();
  return config.groups.flatMap((group) => {
    const path = group.redis.config;
    if (path === null) return [];
    // What depends on the group's password is asked for each; the rest once a file.
    const first = !seen.has(path);
    seen.add(path);
    const directives = readDirectives(path, outside);
    if (typeof directives === 'string') {
      return first
        ? [finding('redis-conf-unread', `${path} cannot be read here: ${directives}.`, 'check the path, on every host')]
        : [];
    }
    return [...(first ? fileFindings(directives, path, group) : []), ...passwordFindings(directives, group)];
  });
}

function finding(code: string, message: string, fix: string): Finding {
  return { level: 'warning', code, message, fix };
}

function readDirectives(path: string, outside: Pick<Outside, 'readFile'>): Directive[] | string {
  const found: Directive[] = [];
  const files = [path];
  for (const [i, file] of files.entries()) {
    let doc: ConfDocument;
    try {
      doc = parseConf(outside.readFile(file), file);
    } catch (error) {
      if (i > 0) continue;
      return errorText(error);
    }
    for (const line of doc.lines) {
      if (line.kind !== 'directive') continue;
      const [name = '', ...args] = line.words.map((word) => word.text);
      found.push({ name: name.toLowerCase(), args, place: `${file}:${line.number}` });
      const [include = ''] = args;
      const follow = name.toLowerCase() === 'include' && include.startsWith('/') && !/[*?[]/.test(include);
      if (follow && files.length < FILES_MAX && !files.includes(include)) files.push(include);
    }
  }
  return found;
}

function fileFindings(directives: readonly Directive[], path: string, { redis }: GroupConfig): Finding[] {
  const found = directives.flatMap((directive) => directiveFindings(directive, redis.attach));
  const last = (name: string): Directive | undefined => directives.findLast((each) => each.name === name);
  const locked = directives.some(
    (each) => each.name === 'requirepass' || each.name === 'user' || each.name === 'aclfile',
  );
  if (redis.attach && !locked && last('protected-mode')?.args[0] !== 'no') {
    found.push(
      finding(
        'redis-conf-protected',
        `${path}: in protected mode and without a password, Redis refuses whoever does not come from its own host.`,
        'set `requirepass`, and `password_file` below `redis`',
      ),
    );
  }
  const saves = directives.filter((each) => each.name === 'save');
  // `save ""` forgets the lines before it, and Redis's own.
  const noSnapshots = saves.length > 0 && saves.at(-1)?.args[0] === '';
  if (noSnapshots && last('appendonly')?.args[0] !== 'yes') {
    const place = saves.at(-1)?.place ?? path;
    found.push(
      finding(
        'no-persistence',
        `${place}: persistence is off: if all hosts restart at once, all data is gone.`,
        'write `appendonly yes`, or remove `save ""`',
      ),
    );
  }
  return found;
}

function directiveFindings({ name, args, place }: Directive, attach: boolean): Finding[] {
  const [first = ''] = args;
  switch (name) {
    case 'replicaof':
    case 'slaveof':
      return [
        finding(
          'redis-conf-replicaof',
          `${place}: \`${name}\` names a master, and the agent decides who that is.`,
          'remove the line',
        ),
      ];
    case 'rename-command':
      if (!NEEDED_COMMANDS.has(first.toLowerCase())) return [];
      return [
        finding(
          'redis-conf-rename',
          `${place}: \`rename-command ${first.toUpperCase()}\`: the agent, or a replica, needs it.`,
          'remove the line, and restrict clients by ACL users',
        ),
      ];
    case 'cluster-enabled':
      if (first !== 'yes') return [];
      return [
        finding(
          'redis-conf-cluster',
          `${place}: Redis Cluster decides by itself who leads.`,
          'write `cluster-enabled no`, and shard by the proxy',
        ),
      ];
    case 'replica-read-only':
    case 'slave-read-only':
      if (first !== 'no') return [];
      return [
        finding(
          'redis-conf-writable-replica',
          `${place}: replicas take writes, and lose them at the next synchronization.`,
          `write \`${name} yes\``,
        ),
      ];
    case 'replica-priority':
    case 'slave-priority':
      if (first !== '0') return [];
      return [
        finding(
          'redis-conf-priority',
          `${place}: with priority 0 a replica is never chosen.`,
          'remove the line, or make the host a witness',
        ),
      ];
    case 'bind':
      if (!attach || !args.every((each) => each.replace(/^-/, '').startsWith('127.') || each === '::1')) return [];
      return [
        finding(
          'redis-conf-bind',
          `${place}: Redis listens on loopback alone: no replica can reach it.`,
          "add the host's address",
        ),
      ];
    default:
      return [];
  }
}

/** Nothing of a password is shown. */
function passwordFindings(directives: readonly Directive[], { name, redis }: GroupConfig): Finding[] {
  const found: Finding[] = [];
  for (const word of ['requirepass', 'masterauth'] as const) {
    const directive = directives.findLast(
      (each) => each.name === word || (word === 'masterauth' && each.name === 'primaryauth'),
    );
    if (directive === undefined) continue;
    const given = directive.args[0] ?? '';
    if (redis.auth === null && given !== '') {
      found.push(
        finding(
          'redis-conf-password',
          `${directive.place}: \`${word}\` is set, and the agent knows no password of ${name}.`,
          'write the same password as `password_file` below `redis`',
        ),
      );
    } else if (redis.auth?.user === '' && given !== redis.auth.password.value) {
      found.push(
        finding(
          'redis-conf-password',
          `${directive.place}: \`${word}\` is not the password that the tanist.yml gives ${name}.`,
          'make them the same, or remove the line',
        ),
      );
    }
  }
  return found;
}
