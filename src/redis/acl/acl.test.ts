import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ErrorReply, MapReply, OK } from '../reply.js';
import { checkRequest } from './acl-check.js';
import { type AclContext, type AclFileAccess, runAclCommand } from './acl-command.js';
import { ACL_COMMANDS } from './acl-commands.js';
import { AclLog } from './acl-log.js';
import { AclLoadError, AclUsers, parseAclFile } from './acl-users.js';
import { globMatches } from './glob.js';

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const makeUsers = (): AclUsers => new AclUsers({ hash, pubsubDefault: 'resetchannels' });

function contextOf(users: AclUsers, file: AclFileAccess | null = null): AclContext & { changes: number } {
  const context = {
    users,
    log: new AclLog(3),
    username: 'default',
    now_ms: 0,
    randomHex: (bytes: number): string => 'ab'.repeat(bytes),
    file,
    changes: 0,
    usersChanged: (): void => {
      context.changes += 1;
    },
  };
  return context;
}

describe('users', () => {
  it('lets the default user in without a password until requirepass is set', () => {
    const users = makeUsers();
    expect(users.authenticate('default', 'anything')?.name).toBe('default');
    users.setRequirepass('secret');
    expect(users.authenticate('default', 'anything')).toBeNull();
    expect(users.authenticate('default', 'secret')?.name).toBe('default');
    users.setRequirepass('');
    expect(users.authenticate('default', '')?.name).toBe('default');
  });

  it('refuses a disabled user with the right password', () => {
    const users = makeUsers();
    users.setUser('a', ['>p']);
    expect(users.authenticate('a', 'p')).toBeNull();
    users.setUser('a', ['on']);
    expect(users.authenticate('a', 'p')).not.toBeNull();
  });

  it('changes nothing when one rule is bad', () => {
    const users = makeUsers();
    users.setUser('a', ['on', '+ping']);
    const before = users.lines();
    expect(users.setUser('a', ['off', '-ping', '+nope'])).toMatchObject({ kind: 'modifier', modifier: '+nope' });
    expect(users.lines()).toEqual(before);
    expect(() => users.load([{ name: 'b', rules: ['bad'] }])).toThrow(AclLoadError);
    expect(users.lines()).toEqual(before);
  });

  it('reads back the lines that it writes', () => {
    const rule = fc.oneof(
      fc.constantFrom(
        'on',
        'off',
        'nopass',
        '>p',
        'allkeys',
        'resetkeys',
        '&*',
        'resetchannels',
        '&a',
        '~k',
        '%R~x',
        'reset',
      ),
      fc.constantFrom('(+ping &z)', '+@all', '-@all', '-@dangerous', '+@admin', '+ping|x', 'sanitize-payload'),
      fc.tuple(fc.constantFrom('+', '-'), fc.constantFrom(...ACL_COMMANDS.keys())).map((pair) => pair.join('')),
    );
    fc.assert(
      fc.property(fc.array(rule, { maxLength: 12 }), (rules) => {
        const users = makeUsers();
        for (const one of rules) users.setUser('u', [one]);
        const copy = makeUsers();
        copy.load(parseAclFile(users.lines().join('\n')));
        expect(copy.lines()).toEqual(users.lines());
      }),
    );
  });

  it('survives random rules', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('', '+', '-', '&', '~', '%', '(', '#', '>', '<', '!'),
        (text, first) => {
          makeUsers().setUser('u', [first + text]);
        },
      ),
    );
  });
});

describe('checks', () => {
  it('joins the rights of all selectors, but not for one request', () => {
    const users = makeUsers();
    users.setUser('a', ['on', '+subscribe', '&x', '(+publish', '&y)']);
    const user = users.get('a');
    const may = (...request: string[]): unknown => (user === null ? 'no user' : checkRequest(user, request));
    expect(may('SUBSCRIBE', 'x')).toBeNull();
    expect(may('publish', 'y', 'message')).toBeNull();
    expect(may('publish', 'x', 'message')).toEqual({ kind: 'channel', channel: 'x' });
    expect(may('subscribe', 'y')).toEqual({ kind: 'channel', channel: 'y' });
    expect(may('ping')).toEqual({ kind: 'command', name: 'ping' });
    expect(may('unheard-of')).toEqual({ kind: 'command', name: 'unheard-of' });
  });

  it('allows a pattern only to the letter', () => {
    const users = makeUsers();
    users.setUser('a', ['+psubscribe', '&news*']);
    const user = users.get('a');
    const may = (pattern: string): boolean => user !== null && checkRequest(user, ['psubscribe', pattern]) === null;
    expect(may('news*')).toBe(true);
    expect(may('news-of-*')).toBe(false);
    expect(may('*')).toBe(false);
  });

  it('lets everybody log in', () => {
    const users = makeUsers();
    users.setUser('a', ['on']);
    const user = users.get('a');
    for (const name of ['AUTH', 'hello']) expect(user === null ? '' : checkRequest(user, [name])).toBeNull();
  });

  it('denies a subcommand apart from its container, and the newer names with the older ones', () => {
    const users = makeUsers();
    users.setUser('a', ['+@all', '-sentinel|set', '-@connection']);
    const user = users.get('a');
    const may = (...request: string[]): boolean => user !== null && checkRequest(user, request) === null;
    expect(may('SENTINEL', 'SET', 'm', 'quorum', '1')).toBe(false);
    expect(may('sentinel', 'primaries')).toBe(true);
    expect(may('client', 'setinfo', 'lib-name', 'x')).toBe(false);
  });
});

describe('the ACL command', () => {
  it('makes passwords of the length asked for', () => {
    const context = contextOf(makeUsers());
    expect(runAclCommand(['genpass'], context)).toBe('ab'.repeat(32));
    expect(runAclCommand(['GENPASS', '5'], context)).toBe('ab');
    expect(runAclCommand(['genpass', '4'], context)).toBe('a');
  });

  it('saves and loads the ACL file, all or nothing', () => {
    const users = makeUsers();
    let text = '# comment\n\nuser alice on >p +@all\n';
    const file: AclFileAccess = {
      read: () => text,
      write: (saved) => {
        text = saved;
      },
    };
    const context = contextOf(users, file);
    expect(runAclCommand(['load'], context)).toBe(OK);
    expect(context.changes).toBe(1);
    expect(users.names()).toEqual(['alice', 'default']);
    expect(runAclCommand(['save'], context)).toBe(OK);
    expect(text).toBe(`user alice on #${hash('p')} resetchannels +@all\nuser default on nopass ~* &* +@all\n`);
    text = 'user bob on\nuzer carol on\n';
    expect(runAclCommand(['load'], context)).toEqual(
      new ErrorReply('ERR line 2: should start with user keyword, and a name'),
    );
    expect(users.names()).toEqual(['alice', 'default']);
  });

  it('asks for clients to be closed when users go', () => {
    const context = contextOf(makeUsers());
    context.users.setUser('a', ['on']);
    expect(runAclCommand(['deluser', 'nobody'], context)).toBe(0);
    expect(context.changes).toBe(0);
    expect(runAclCommand(['deluser', 'a'], context)).toBe(1);
    expect(context.changes).toBe(1);
  });

  it('keeps a bounded log, like denials counted together', () => {
    const log = new AclLog(2);
    const event = { reason: 'command', object: 'role', username: 'a', clientInfo: 'id=1' } as const;
    log.add(event, 0);
    log.add(event, 1000);
    for (const object of ['x', 'y', 'x']) log.add({ ...event, object }, 2000);
    const entries = log.reply(10, 3500);
    const rows = Array.isArray(entries)
      ? entries.map((e) => (e instanceof MapReply ? Object.fromEntries(e.entries) : {}))
      : [];
    expect(rows).toMatchObject([
      { object: 'x', count: 2, 'age-seconds': '1.500' },
      { object: 'y', count: 1 },
    ]);
  });
});

describe('globMatches', () => {
  it.each([
    ['*', '', true],
    ['a*b*c', 'aXbYbZc', true],
    ['a*b*c', 'aXbYbZ', false],
    ['h?llo', 'hallo', true],
    ['h[a-cx]llo', 'hxllo', true],
    ['h[^a]llo', 'hallo', false],
    ['h[z-a]llo', 'hmllo', true],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['[', '[', false],
    ['a\\', 'a\\', true],
    ['', '', true],
  ])('%j and %j: %s', (pattern, text, matches) => {
    expect(globMatches(pattern, text)).toBe(matches);
  });

  it('takes no exponential time', () => {
    expect(globMatches(`${'*a'.repeat(200)}b`, 'a'.repeat(5000))).toBe(false);
  });
});
