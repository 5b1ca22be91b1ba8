/** Users of a pool: who may log in, and what they may send, beside a real server with the same users. */
import { describe, expect, it } from 'vitest';
import { parseNutcracker } from '../../src/config/nutcracker.js';
import { NutcrackerConfigError } from '../../src/config/nutcracker-types.js';
import { readProxyConfig } from '../../src/proxy/read-config.js';
import { cleanupAfterEach } from '../support/cleanup-after-each.js';
import { freePort } from '../support/free-port.js';
import { needs } from '../support/needs.js';
import { startRedis } from '../support/redis-server.js';
import { bulk, req, servers, startProxy, startProxyFrom, Talk } from './proxy-support.js';

const cleanup = cleanupAfterEach();

/** SHA-256 of `hashed`. */
const HASHED = 'c43a5cdcd3c2fe5a7b2c1f4e9f0f7e8f';

const USERS = [
  'all on >all ~* &* +@all',
  'app on >app ~app:* &app* +@all -@dangerous',
  'reader on >reader ~* +@read +select +multi +exec',
  'two on >two ~a:* +get (~b:* +set +get) +watch +multi +exec',
  'sorter on >sorter ~app:* +sort +sort_ro +rpush',
  'off off >off ~* &* +@all',
];

/** Requests of each user, whose replies must be a server's own. */
const CONVERSATIONS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  all: [
    ['SET', 'x', '1'],
    ['GET', 'x'],
    ['EVAL', 'return 1', '0'],
    ['PUBLISH', 'c', 'm'],
    ['ACL', 'WHOAMI'],
  ],
  app: [
    ['SET', 'app:1', '1'],
    ['SET', 'other', '1'],
    ['GET', 'other'],
    ['MSET', 'app:1', '1', 'other', '2'],
    ['MGET', 'app:1', 'app:2'],
    ['DEL', 'app:1', 'other'],
    ['RENAME', 'app:1', 'other'],
    ['FLUSHALL'],
    ['KEYS', '*'],
    ['PUBLISH', 'app1', 'm'],
    ['PUBLISH', 'other', 'm'],
    ['SUBSCRIBE', 'app1', 'other'],
    ['PSUBSCRIBE', 'app*x'],
    ['BLPOP', 'other', '1'],
    ['XREAD', 'STREAMS', 'app:s', 'other', '0', '0'],
    ['SINTERSTORE', 'other', 'app:1', 'app:2'],
    ['WATCH', 'other'],
    ['ACL', 'WHOAMI'],
    ['MULTI'],
    ['SET', 'app:1', '1'],
    ['SET', 'other', '1'],
    ['EXEC'],
  ],
  reader: [
    ['GET', 'x'],
    ['SET', 'x', '1'],
    ['HGETALL', 'none'],
    ['PING'],
    ['ACL', 'WHOAMI'],
    ['MULTI'],
    ['GET', 'none'],
    ['EXEC'],
    ['MULTI'],
    ['DEL', 'none'],
    ['EXEC'],
  ],
  two: [
    ['GET', 'a:1'],
    ['SET', 'a:1', '1'],
    ['SET', 'b:1', '1'],
    ['GET', 'b:1'],
    ['GET', 'c'],
    ['MGET', 'a:1'],
    ['WATCH', 'a:1'],
    ['WATCH', 'b:1'],
  ],
  sorter: [
    ['RPUSH', 'app:l', '2', '1'],
    ['SORT', 'app:l'],
    ['SORT', 'app:l', 'STORE', 'other'],
    ['SORT', 'other'],
  ],
};

async function startBoth(users: readonly string[]) {
  const redis = await startRedis(cleanup, { config: { user: [...users, 'proxy on >proxy ~* &* +@all'] } });
  await redis.cli('ACL', 'SETUSER', 'default', 'off', 'resetpass');
  // The proxy's own connections: a server without users.
  const behind = await startRedis(cleanup);
  const proxy = await startProxy(cleanup, [
    'redis: true',
    'users:',
    ...users.map((user) => `  - ${user}`),
    ...servers(`127.0.0.1:${behind.port}:1`),
  ]);
  return { redis, proxy };
}

describe('users', () => {
  it('may send what a server would let them, and are told the same otherwise', async (context) => {
    needs(context, 'redis-server');
    const { redis, proxy } = await startBoth(USERS);
    for (const [user, requests] of Object.entries(CONVERSATIONS)) {
      const [real, ours] = [new Talk(redis.port, cleanup), new Talk(proxy.port, cleanup)];
      const login = req('AUTH', user, user);
      for (const request of [login, ...requests.map((each) => req(...each))]) {
        real.send(request);
        ours.send(request);
        const reply = await real.reply();
        await ours.gets(reply).catch((error: Error) => {
          throw new Error(`${user}: ${JSON.stringify(request)}: ${error.message}`);
        });
      }
    }
  });

  it('log in as to a server', async (context) => {
    needs(context, 'redis-server');
    const { redis, proxy } = await startBoth(USERS);
    const [real, ours] = [new Talk(redis.port, cleanup), new Talk(proxy.port, cleanup)];
    for (const request of [
      ['GET', 'a'],
      ['PING'],
      ['AUTH', 'wrong'],
      ['AUTH', 'app', 'wrong'],
      ['AUTH', 'APP', 'app'],
      ['AUTH', 'nobody', 'x'],
      ['AUTH', 'off', 'off'],
      ['AUTH', 'a', 'b', 'c'],
      ['HELLO', '2'],
      ['HELLO', '2', 'AUTH', 'app', 'wrong'],
      ['ACL', 'WHOAMI'],
      ['AUTH', 'app', 'app'],
      ['ACL', 'WHOAMI'],
      ['AUTH', 'all', 'wrong'],
      ['ACL', 'WHOAMI'],
      ['RESET'],
      ['GET', 'app:1'],
    ]) {
      real.send(req(...request));
      ours.send(req(...request));
      await ours.gets(await real.reply()).catch((error: Error) => {
        throw new Error(`${JSON.stringify(request)}: ${error.message}`);
      });
    }
    const client = new Talk(proxy.port, cleanup);
    client.send(req('HELLO', '2', 'AUTH', 'app', 'app'));
    expect(await client.reply()).toContain('server');
    client.send(req('ACL', 'WHOAMI'));
    await client.gets(bulk('app'));
  });

  it('may not run scripts or make SORT read keys it does not name, which the proxy cannot check', async (context) => {
    needs(context, 'redis-server');
    const { proxy } = await startBoth(USERS);
    const client = new Talk(proxy.port, cleanup);
    client.send(
      req('AUTH', 'sorter', 'sorter') + req('SORT', 'app:l', 'BY', 'other*') + req('SORT', 'app:l', 'get', '#'),
    );
    expect(await client.line()).toBe('+OK');
    for (let i = 0; i < 2; i++) {
      expect(await client.line()).toBe(
        '-NOPERM this user has no permissions to access one of the keys used as arguments',
      );
    }
    client.send(
      req('AUTH', 'app', 'app') + req('EVAL', "return redis.call('get','other')", '0') + req('SCRIPT', 'FLUSH'),
    );
    expect(await client.line()).toBe('+OK');
    for (let i = 0; i < 2; i++) expect(await client.line()).toContain("NOPERM scripts run with the proxy's rights");
    // Nothing of a request that is too large to look at goes through unchecked.
    client.send(req('SET', 'other', 'x'.repeat(1_000_000)) + req('SET', 'app:large', 'x'.repeat(1_000_000)));
    expect(await client.line()).toContain('NOPERM');
    expect(await client.line()).toBe('+OK');
  });

  it('are who they were after a reload, with new rules, or must log in again', async (context) => {
    needs(context, 'redis-server');
    const [redis, port] = [await startRedis(cleanup), await freePort()];
    const lines = (...users: string[]) =>
      [
        'pool:',
        `listen: 127.0.0.1:${port}`,
        'redis: true',
        `servers: ["127.0.0.1:${redis.port}:1"]`,
        'users:',
        ...users.map((user) => `  - ${user}`),
      ].join('\n  ');
    const proxy = await startProxyFrom(cleanup, lines('app on >a ~* +@all', 'other on >o ~* +@all'));
    const [app, other] = [new Talk(port, cleanup), new Talk(port, cleanup)];
    app.send(req('AUTH', 'app', 'a') + req('SET', 'x', '1'));
    other.send(req('AUTH', 'other', 'o') + req('SET', 'x', '1'));
    await app.gets('+OK\r\n+OK\r\n');
    await other.gets('+OK\r\n+OK\r\n');
    await proxy.server.reload(parseNutcracker(lines('app on >b ~* +get'), 'test.yml'));
    app.send(req('GET', 'x') + req('SET', 'x', '2'));
    await app.gets(`${bulk('1')}-NOPERM this user has no permissions to run the 'set' command\r\n`);
    other.send(req('GET', 'x'));
    await other.gets('-NOAUTH Authentication required.\r\n');
  });

  it('that are not well described are complained about at their place, without their passwords', () => {
    const text = (...users: string[]) =>
      `a:\n  listen: 127.0.0.1:1\n  redis: true\n  servers: ["1.1.1.1:1:1"]\n  users:\n${users.map((user) => `   - ${user}\n`).join('')}`;
    const problems = (...users: string[]): string[] => {
      try {
        readProxyConfig(text(...users), 'x.yml');
      } catch (error) {
        if (error instanceof NutcrackerConfigError) return error.message.split('\n');
        throw error;
      }
      return [];
    };
    expect(problems(...USERS, `"sha on #${HASHED}${HASHED} ~* +@all"`)).toEqual([]);
    expect(problems('ok on nopass', 'app on >s3cret +nonsense', 'two on >x (~a +get')).toEqual([
      "x.yml:7:6: users: 'app': rule '+nonsense': Unknown command or category name in ACL",
      "x.yml:8:6: users: 'two': a selector has no closing parenthesis",
    ]);
    const [hash, access, none] = problems('"a on #s3cret"', 'b on >x %R~k', 'c on ~* +@all #s3cret');
    expect(hash).toMatch(/^x\.yml:6:6: users: 'a': rule '#…': The password hash must be/);
    expect(access).toMatch(/^x\.yml:7:6: users: 'b': %R~ and %W~/);
    expect(none).toMatch(/^x\.yml:8:6: users: 'c': has no password/);
    expect(`${hash}${access}${none}`).not.toContain('s3cret');
    expect(problems('a on >x', 'a on >y')).toEqual(["x.yml:7:6: users: 'a' is already defined in line 6"]);
  });
});
