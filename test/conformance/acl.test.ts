/** One script of ACL commands, run by the real redis-sentinel and by us: the same answers. */
import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkRequest, denialMessage } from '../../src/redis/acl/acl-check.js';
import { type AclContext, runAclCommand } from '../../src/redis/acl/acl-command.js';
import { ACL_CATEGORIES } from '../../src/redis/acl/acl-commands.js';
import { AclLog } from '../../src/redis/acl/acl-log.js';
import { AclUsers } from '../../src/redis/acl/acl-users.js';
import { ErrorReply, MapReply, type Reply, SetReply, SimpleString } from '../../src/redis/reply.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { needs } from '../support/needs.js';
import { type SentinelProcess, startSentinel } from '../support/redis-sentinel.js';
import { RespError, type RespValue } from '../support/resp.js';

/** A reply as a RESP2 client gets it. */
function wire(reply: Reply): RespValue {
  if (reply === null || typeof reply === 'string' || typeof reply === 'number') return reply;
  if (reply instanceof ErrorReply) return new RespError(reply.message);
  if (reply instanceof SimpleString) return reply.text;
  if (reply instanceof MapReply) return reply.entries.flat().map(wire);
  if (reply instanceof SetReply) return reply.items.map(wire);
  if (Array.isArray(reply)) return reply.map(wire);
  throw new Error(`no reply of ACL: ${String(reply)}`);
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

describe('ACL beside the real redis-sentinel', () => {
  const cleanup = cleanupAfterEach();
  let real: SentinelProcess;
  beforeEach(async (context) => {
    needs(context, 'redis-sentinel');
    real = await startSentinel(cleanup, { config: '' });
  });

  async function ask(words: readonly string[]): Promise<RespValue> {
    try {
      return await real.cli(...words);
    } catch (error) {
      if (error instanceof RespError) return error;
      throw error;
    }
  }

  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

  function makeContext(): AclContext {
    return {
      users: new AclUsers({ hash, pubsubDefault: 'resetchannels' }),
      log: new AclLog(128),
      username: 'default',
      now_ms: 0,
      randomHex: (count) => '0'.repeat(count * 2),
      file: null,
      usersChanged: () => undefined,
    };
  }

  it('gives the same answers to the script', async () => {
    const context = makeContext();
    for (const line of SCRIPT) {
      const words = line.split(' ');
      const theirs = await ask(['acl', ...words]);
      expect(wire(runAclCommand(words, context)), `acl ${line}`).toEqual(theirs);
    }
  });

  it('denies in the same words', async () => {
    const rules = 'reset on nopass +acl +client|id +subscribe +psubscribe +publish &y*'.split(' ');
    const { users } = makeContext();
    users.setUser('default', rules);
    await ask(['acl', 'setuser', 'default', ...rules]);
    const user = users.get('default');
    if (user === null) throw new Error('no default user');
    const denied = [
      'role',
      'sentinel master m',
      'client list',
      'subscribe x',
      'subscribe yes x',
      'publish x m',
      'psubscribe yes*',
    ];
    for (const line of denied) {
      const denial = checkRequest(user, line.split(' '));
      if (denial === null) throw new Error(`${line} was allowed`);
      expect(new RespError(denialMessage(denial)), line).toEqual(await ask(line.split(' ')));
    }
    for (const line of ['client id', 'psubscribe y*', 'subscribe yes', 'acl whoami']) {
      expect(checkRequest(user, line.split(' ')), line).toBeNull();
      expect(await ask(line.split(' ')), line).not.toBeInstanceOf(RespError);
    }
  });

  it('has every command in the categories that it has there', async () => {
    const names = async (...words: string[]): Promise<string[]> => {
      const reply = await ask(['acl', 'cat', ...words]);
      return Array.isArray(reply) ? reply.map(String) : [];
    };
    const context = makeContext();
    const categories = await names();
    expect([...ACL_CATEGORIES].sort()).toEqual([...categories].sort());
    for (const category of categories) {
      const ours = runAclCommand(['cat', category], context);
      expect(ours, category).toEqual(expect.arrayContaining(await names(category)));
    }
  });
});
