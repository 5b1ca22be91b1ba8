/** One script of ACL commands, run by the real redis-sentinel and by us: the same answers. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkRequest, denialMessage } from '../../src/redis/acl/acl-check.js';
import { runAclCommand } from '../../src/redis/acl/acl-command.js';
import { AclLog } from '../../src/redis/acl/acl-log.js';
import { AclUsers } from '../../src/redis/acl/acl-users.js';
import { ErrorReply, MapReply, type Reply, SetReply, SimpleString } from '../../src/redis/reply.js';
import { freePort, missingRedis, RealSentinel, redisCli } from './real-sentinel.js';

if (missingRedis !== '') console.log(`skipped: ACL beside the real redis-sentinel: ${missingRedis}`);

/** A reply as redis-cli prints it into a pipe. */
function print(reply: Reply): string {
  if (reply === null) return '';
  if (reply instanceof ErrorReply) return `${reply.message}\n`;
  if (reply instanceof SimpleString) return reply.text;
  if (reply instanceof MapReply) return reply.entries.flat().map(print).join('\n');
  if (reply instanceof SetReply) return reply.items.map(print).join('\n');
  if (Array.isArray(reply)) return reply.map(print).join('\n');
  return String(reply);
}

const HASH = createHash('sha256').update('p').digest('hex');

/** In order: later commands see what earlier ones did. */
const SCRIPT: readonly string[] = [
  'list',
  'setuser a +foo',
  'setuser a on >p ~* foo',
  'setuser a #12',
  `setuser a !${HASH}`,
  'setuser a (+ping',
  'setuser a +@nope',
  'setuser a <x',
  'setuser a &* &b',
  'setuser a ~* ~a',
  'setuser a +client|foo',
  'setuser a +sentinel|master|x',
  'setuser a -ping|x',
  'setuser a %X~x',
  'setuser a (on)',
  'setuser a +',
  'setuser a resetchannels &b* &c +sentinel|master -sentinel +subscribe (+ping ~k)',
  'list',
  'setuser b on nopass sanitize-payload +@all -sentinel|set',
  'setuser c ON >p >q +@all -@dangerous +sentinel|masters allkeys allchannels',
  // 7.0 puts longer lists of rules into words of its own; we keep the user's, as 7.2 does.
  'setuser d on >p +client|id %R~r %W~w %RW~rw &x',
  `setuser d <p #${HASH}`,
  'list',
  'users',
  'whoami',
  'getuser a',
  'getuser b',
  'getuser c',
  'getuser d',
  'getuser default',
  'getuser nobody',
  'dryrun a ping',
  'dryrun nobody ping',
  'dryrun a nocommand',
  'dryrun b sentinel set m q 1',
  'dryrun b sentinel master m',
  'dryrun a subscribe foo',
  'dryrun a subscribe bfoo',
  'dryrun a subscribe bfoo foo',
  'dryrun a psubscribe b*',
  'dryrun a client list',
  'dryrun c sentinel masters',
  'dryrun c sentinel master m',
  'dryrun c subscribe x',
  'dryrun c role',
  'dryrun d client id',
  'dryrun d client list',
  'dryrun d hello',
  'setuser a reset',
  'getuser a',
  'deluser default',
  'deluser nobody a',
  'users',
  'cat nope',
  'genpass 0',
  'genpass 5000',
  'genpass x',
  'log',
  'log reset',
  'log x',
  'save',
  'load',
  'foo',
  'setuser',
  'whoami x',
];

describe.skipIf(missingRedis !== '')('ACL beside the real redis-sentinel', () => {
  const real = new RealSentinel();
  let port = 0;
  beforeAll(async () => {
    port = await freePort();
    await real.start(`port ${port}\n`, port);
  });
  afterAll(() => real.remove());

  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const users = new AclUsers({ hash, pubsubDefault: 'resetchannels' });
  const context = {
    users,
    log: new AclLog(128),
    username: 'default',
    now_ms: 0,
    randomHex: (count: number): string => '0'.repeat(count * 2),
    file: null,
    usersChanged: (): void => undefined,
  };

  it.each(SCRIPT.map((line) => [line]))('acl %s', (line) => {
    const args = line.split(' ');
    const theirs = redisCli(port, ['acl', ...args]).trimEnd();
    const ours = print(runAclCommand(args, context)).trimEnd();
    expect(ours).toBe(theirs);
  });

  it.each([['role'], ['sentinel master m'], ['client list'], ['subscribe x'], ['publish x y'], ['client id']])(
    'denies %s in the same words',
    (line) => {
      const rules = ['on', '>p', '+client|id', '+subscribe', '+publish', '&y'];
      redisCli(port, ['acl', 'setuser', 'e', 'reset', ...rules]);
      users.setUser('e', ['reset', ...rules]);
      const user = users.authenticate('e', 'p');
      const denial = user === null ? null : checkRequest(user, line.split(' '));
      const login = ['--user', 'e', '--pass', 'p', '--no-auth-warning'];
      const theirs = redisCli(port, [...login, ...line.split(' ')]).trimEnd();
      if (denial === null) expect(theirs).toMatch(/^\d+$/);
      else expect(denialMessage(denial)).toBe(theirs);
    },
  );

  it('has every command in the categories that it has there', () => {
    const categories = redisCli(port, ['acl', 'cat']).trim().split('\n').sort();
    expect(
      print(runAclCommand(['cat'], context))
        .split('\n')
        .sort(),
    ).toEqual(categories);
    for (const category of categories) {
      const theirs = redisCli(port, ['acl', 'cat', category])
        .trim()
        .split('\n')
        .filter((name) => name !== '');
      const ours = print(runAclCommand(['cat', category], context)).split('\n');
      expect(ours).toEqual(expect.arrayContaining(theirs));
    }
  });
});
