import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { tempDir } from '../../test/support/temp-dir.js';
import { commands } from './commands.js';
import { runProgram } from './program.js';

const cleanup = cleanupAfterEach();

afterEach(() => {
  // A command leaves its exit code there, and the test run would end with it.
  process.exitCode = undefined;
});

function file(text: string): string {
  const path = join(tempDir(cleanup), 'tanist.yml');
  writeFileSync(path, text);
  return path;
}

async function check(...args: string[]) {
  let out = '';
  let err = '';
  const output = {
    out: (text: string) => {
      out += text;
    },
    err: (text: string) => {
      err += text;
    },
  };
  const code = await runProgram(['check', ...args], commands, output);
  return { code, out, err };
}

const SHARDED = `cluster: shop
hosts:
  a: 10.0.0.1
  b: {address: 10.0.0.2, interface: eth1}
  w: {address: 10.0.0.3, witness: true}
redis: {password: hunter2}
groups:
  users: {vip: 10.0.0.100/24, failback: {after: 10m}}
  carts: {redis: {port: 6380}, durability: replicated}
proxy: {pools: {all: {listen: 22121, groups: [{group: users, name: "10.0.0.1:6379", weight: 2}, carts]}}}
hooks: [{name: tell, on: role, post: "https://example.org/hunter2"}]
`;

describe('tanist check', () => {
  it('says what it understood, and what is dangerous', async () => {
    const { code, out, err } = await check(file(SHARDED));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(
      out.replace(/fingerprint [0-9a-f]{8}:/, 'fingerprint 0123abcd:'),
    ).toBe(`Cluster shop  3 hosts vote, 2 decide; 1 may be lost

Hosts
  Name  Address   Keeps               Interface
  a     10.0.0.1  users, carts        -
  b     10.0.0.2  users, carts        eth1
  w     10.0.0.3  nothing: a witness  -

Groups
  Name   Hosts  Redis      VIP                       Durability  Failback
  users  a, b   port 6379  10.0.0.100/24 (vrid 100)  async       after 10m
  carts  a, b   port 6380  -                         replicated  never

Pools
  Name  Listens on     Shards                            Placement         Holds
  all   0.0.0.0:22121  users as 10.0.0.1:6379 x2, carts  fnv1a_64, ketama  5s, 64mb

Settings
  Lease      1s: a master that is cut off stops within that
  Sentinel   port 26379, no password; down after 1s, failover timeout 10s
  API        127.0.0.1:8008, no token
  Proxy      1 process, statistics on 127.0.0.1:22222
  Hook tell  post on role
  State      /var/lib/tanist
  File       fingerprint 0123abcd: the same on every host

Warnings
  Two hosts keep carts, which is replicated: while one of them is down, no write is taken. [replicated-two-hosts]
    fix: add a third host to it, or write \`durability: async\`
  The password of users, the password of carts stand in the file: whoever may read it knows them. [secret-in-file]
    fix: write password_file (token_file) with a path, and chmod 600 what it names
  The pool all logs in to Redis for its clients and asks nothing of them: whoever reaches port 22121 is in. [pool-without-password]
    fix: add \`password_file\` to the pool

Notes
  In users, a write is acknowledged before a replica has it: when its master's host dies, the last few milliseconds of writes may be lost. [async]
    fix: write \`durability: replicated\` if they must not be
  The API has no token: every user of a host may switch over and pause. [no-api-token]
    fix: add \`token_file\` below \`api\`
`);
  });

  it('says what one host would do', async () => {
    const { out } = await check(file(SHARDED), '--host', 'b');
    expect(out).toContain(`Host b  10.0.0.2
  users  keeps redis-server on port 6379, in /var/lib/tanist/users; choice 2 of 2
         10.0.0.100/24 on eth1 while it is the master (vrid 100)
  carts  keeps redis-server on port 6380, in /var/lib/tanist/carts; choice 2 of 2
  votes  on 10.0.0.2:26379
  proxy  0.0.0.0:22121 to users, carts
  API    http://127.0.0.1:8008
  state  /var/lib/tanist
`);
    const wrong = await check(file(SHARDED), '--host', 'z');
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain("there is no host 'z'");
  });

  it('names pairs for what they are', async () => {
    const { out } = await check(
      file('mode: pair\nhosts: {a: 10.0.0.1, b: 10.0.0.2}\nvip: 10.0.0.9\narbiter: 10.0.0.254\n'),
    );
    expect(out).toContain(
      'Cluster tanist  VRRP decides between two hosts; who keeps the VIP must reach 10.0.0.254 or the other\n',
    );
    expect(out).toContain('Lease     none: two hosts have no majority');
    expect(out).toContain('[pair]');
  });

  it('prints JSON without secrets', async () => {
    const locked = SHARDED.replace('{listen: 22121,', '{listen: 22121, password: hunter2, users: ["bob on >hunter2"],');
    const { out } = await check(file(`${locked}sentinel: {password: hunter2}\napi: {token: hunter2}\n`), '-o', 'json');
    expect(JSON.parse(out).config.proxy.pools[0]).toMatchObject({ auth: { from: 'inline' }, users: ['bob'] });
    expect(out).not.toContain('hunter2');
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      quorum: { voters: 3, majority: 2 },
      config: {
        cluster: 'shop',
        groups: [{ redis: { auth: { password: { from: 'inline' } } } }, {}],
        hooks: [{ action: { kind: 'post', to: 'https://example.org' } }],
      },
      findings: expect.arrayContaining([expect.objectContaining({ code: 'secret-in-file', level: 'warning' })]),
    });
  });

  it('exits with 3 when the file is refused, or is not there', async () => {
    const path = file('hosts: {a: 10.0.0.1}\nlease: 5ms\n');
    const refused = await check(path);
    expect(refused).toMatchObject({ code: 3, out: '' });
    expect(refused.err).toContain(`${path}:2:8: lease must be a duration from 200ms to 1m; it is '5ms'`);
    const json = await check(path, '-o', 'json');
    expect({ code: json.code, ...JSON.parse(json.out) }).toMatchObject({
      code: 3,
      ok: false,
      problems: [{ file: path, line: 2, column: 8 }],
    });
    const missing = await check(`${path}.not`);
    expect(missing.code).toBe(3);
    expect(missing.err).toContain(`${path}.not: cannot be read: ENOENT`);
  });

  it('exits with 1 for warnings only when it is told to be strict', async () => {
    const path = file('hosts: {a: 10.0.0.1}\n');
    expect((await check(path)).code).toBe(0);
    expect((await check(path, '--strict')).code).toBe(1);
  });
});
