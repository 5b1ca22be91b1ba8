import { describe, expect, it } from 'vitest';
import { makeCertificates } from '../../test/support/certificates.js';
import { cleanupAfterEach } from '../../test/support/cleanup-after-each.js';
import { leaveOut } from '../../test/support/needs.js';
import { parseNutcracker } from './nutcracker.js';
import { NutcrackerConfigError } from './nutcracker-types.js';
import { OUTSIDE, type Outside } from './outside.js';

const cleanup = cleanupAfterEach();

const FOLLOWS = 'a:\n  listen: 127.0.0.1:1\n  redis: true\n  sentinels: [127.0.0.1:26379]\n  servers: [shard]\n';

function outside(files: Record<string, string>, variables: Record<string, string> = {}): Outside {
  return {
    variable: (name) => variables[name],
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw new Error('ENOENT');
      return text;
    },
  };
}

function pool(text: string, from: Outside = OUTSIDE) {
  const [first] = parseNutcracker(text, 'x.yml', from).pools;
  if (first === undefined) throw new Error('no pool');
  return first;
}

function problems(text: string, from: Outside = OUTSIDE): string[] {
  try {
    parseNutcracker(text, 'x.yml', from);
  } catch (error) {
    if (error instanceof NutcrackerConfigError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('sentinel_auth', () => {
  it('is a password, or a user and a password, here or elsewhere', () => {
    const there = outside({ '/secret': 'proxy s3cret\nmore\n' }, { SECRET: 's3cret' });
    expect(pool(FOLLOWS).sentinelAuth).toBeNull();
    expect(pool(`${FOLLOWS}  sentinel_auth: 0123\n`).sentinelAuth).toEqual({ user: '', password: '0123' });
    expect(pool(`${FOLLOWS}  sentinel_auth: proxy s3cret\n`).sentinelAuth).toEqual({
      user: 'proxy',
      password: 's3cret',
    });
    const [fromFile, fromVariable] = ['sentinel_auth_file: /secret', 'sentinel_auth_env: SECRET'].map(
      (line) => pool(`${FOLLOWS}  ${line}\n`, there).sentinelAuth,
    );
    expect(fromFile).toEqual({ user: 'proxy', password: 's3cret' });
    expect(fromVariable).toEqual({ user: '', password: 's3cret' });
  });

  it('is complained about at its place, without being quoted', () => {
    const there = outside({ '/secret': 'a hidden word\n' });
    expect(problems(`${FOLLOWS}  sentinel_auth: a hidden word\n`)).toEqual([
      "x.yml:6:18: sentinel_auth: there are 3 words; write 'password' or 'user password'",
    ]);
    expect(problems(`${FOLLOWS}  sentinel_auth_file: /secret\n`, there)).toEqual([
      "x.yml:6:23: sentinel_auth_file: there are 3 words; write 'password' or 'user password'",
    ]);
    expect(problems(`${FOLLOWS}  sentinel_auth_file: /none\n`, there)).toEqual([
      "x.yml:6:23: sentinel_auth_file: cannot read '/none': ENOENT",
    ]);
    expect(problems(`${FOLLOWS}  sentinel_auth_env: NONE\n`, there)).toEqual([
      "x.yml:6:22: sentinel_auth_env: the environment has no variable 'NONE'",
    ]);
    expect(problems(`${FOLLOWS}  sentinel_auth: x\n  sentinel_auth_env: Y\n`, there)).toEqual([
      'x.yml:7:22: sentinel_auth_env cannot be used with sentinel_auth: give the password in one place',
    ]);
    expect(
      problems('a:\n  listen: 127.0.0.1:1\n  redis: true\n  servers: ["1.1.1.1:1:1"]\n  sentinel_auth: x\n'),
    ).toEqual(["x.yml:5:18: sentinel_auth has no meaning without 'sentinels'"]);
  });
});

describe('TLS towards others', () => {
  it('is read with its files, and each fault has its place', async (context) => {
    const made = await makeCertificates(cleanup);
    if (made === null) return leaveOut(context, 'openssl is not here');
    const other = await makeCertificates(cleanup);
    const lines = (...keys: string[]) => `${FOLLOWS}  sentinel_tls:\n${keys.map((key) => `    ${key}\n`).join('')}`;
    expect(pool(`${FOLLOWS}  sentinel_tls: true\n`).sentinelTls).toEqual({
      ca: null,
      cert: null,
      key: null,
      servername: null,
      anyName: false,
      insecure: false,
    });
    expect(pool(`${FOLLOWS}  sentinel_tls: false\n`).sentinelTls).toBeNull();
    const whole = lines(`ca: ${made.caFile}`, `cert: ${made.certFile}`, `key: ${made.keyFile}`, 'servername: s');
    expect(pool(whole).sentinelTls).toEqual({
      ca: made.ca,
      cert: made.cert,
      key: made.key,
      servername: 's',
      anyName: false,
      insecure: false,
    });
    expect(problems(lines(`cert: ${made.certFile}`, `key: ${other?.keyFile}`))).toEqual([
      'x.yml:7:11: sentinel_tls: the key does not belong to the certificate',
    ]);
    expect(problems(lines(`cert: ${made.certFile}`))).toEqual([
      'x.yml:7:11: sentinel_tls: a certificate needs its key, and a key its certificate',
    ]);
    expect(problems(lines(`ca: ${made.keyFile}`, 'insecure: maybe', 'file: x'))).toEqual([
      `x.yml:7:9: sentinel_tls: ca: '${made.keyFile}' does not hold one in PEM format, without a passphrase`,
      "x.yml:8:15: sentinel_tls: insecure: 'maybe' must be true or false",
      "x.yml:9:5: sentinel_tls: unknown key 'file'; there are ca, cert, key, servername, insecure",
    ]);
    expect(problems(`${FOLLOWS}  sentinel_tls: yes\n`)).toEqual([
      'x.yml:6:17: sentinel_tls must be true, false, or a map of ca, cert, key, servername, insecure',
    ]);
  });
});

describe('TLS towards servers and clients', () => {
  const POOL = 'a:\n  servers: ["127.0.0.1:6379:1"]\n';

  it('is read, with Redis’s default for certificates of clients', async (context) => {
    const made = await makeCertificates(cleanup);
    if (made === null) return leaveOut(context, 'openssl is not here');
    const text = `${POOL}  listen_tls: 127.0.0.1:1\n  tls_cert: ${made.certFile}\n  tls_key: ${made.keyFile}\n`;
    expect(pool(`${text}  server_tls: true\n`)).toMatchObject({
      listen: null,
      listenTls: { kind: 'tcp', host: '127.0.0.1', port: 1 },
      clientTls: { cert: made.cert, key: made.key, ca: null, authClients: 'yes' },
      serverTls: { ca: null, insecure: false },
    });
    expect(pool(`${text}  tls_ca: ${made.caFile}\n  tls_auth_clients: optional\n`).clientTls).toMatchObject({
      ca: made.ca,
      authClients: 'optional',
    });
    expect(problems(`${text}  tls_ca: ${made.keyFile}\n  tls_auth_clients: maybe\n  listen: 127.0.0.1:1\n`)).toEqual([
      "x.yml:2:3: pool 'a' listens on 127.0.0.1:1, where pool 'a' does already",
      `x.yml:6:11: tls_ca: '${made.keyFile}' does not hold one in PEM format, without a passphrase`,
      "x.yml:7:21: tls_auth_clients: 'maybe' is not one of yes, no, optional",
    ]);
  });

  it('is refused in halves', () => {
    expect(problems(`${POOL}  listen_tls: 127.0.0.1:1\n`)).toEqual([
      'x.yml:3:15: listen_tls needs tls_cert, the path of a PEM file',
      'x.yml:3:15: listen_tls needs tls_key, the path of a PEM file',
    ]);
    expect(problems(`${POOL}  listen: 127.0.0.1:1\n  tls_cert: /none\n`)).toEqual([
      "x.yml:4:13: tls_cert has no meaning without 'listen_tls'",
    ]);
    expect(problems(`${POOL}  listen_tls: here\n`)[0]).toBe(
      "x.yml:3:15: listen_tls: 'here' lacks a port; write host:port",
    );
  });
});
