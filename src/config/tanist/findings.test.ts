import { describe, expect, it } from 'vitest';
import { findings } from './findings.js';
import { readTanistConfig } from './read.js';

const THREE = 'hosts: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3}\n';
const SAFE = 'durability: replicated\nproxy: {pools: {p: {listen: 22121, password_env: S}}}\napi: {token_env: S}\n';

function found(text: string, files: Record<string, string> = {}) {
  const outside = {
    variable: () => 's3cret',
    readFile: (path: string) => {
      const content = files[path];
      if (content === undefined) throw new Error('ENOENT');
      return content;
    },
  };
  return findings(readTanistConfig(text, '/etc/tanist.yml', outside), outside);
}

function codes(text: string, files: Record<string, string> = {}): string[] {
  return found(text, files).map((each) => each.code);
}

/** Codes of a redis.conf alone. */
function ofConf(conf: string, redis = 'password_env: S'): string[] {
  return codes(`${THREE}${SAFE}redis: {config: /r.conf, ${redis}}\n`, { '/r.conf': conf });
}

describe('findings', () => {
  it('are none where nothing is left to chance', () => {
    expect(codes(`${THREE}${SAFE}redis: {password_env: S}\n`)).toEqual([]);
  });

  it('are notes and one warning for the plainest file', () => {
    expect(found(`${THREE}vip: 10.0.0.100\n`).map((each) => [each.level, each.code])).toEqual([
      ['warning', 'no-password'],
      ['note', 'async'],
      ['note', 'no-api-token'],
    ]);
  });

  it('are said once of all groups', () => {
    const all = found(`${THREE}groups: {one: {}, two: {redis: {port: 6380}}}\n`);
    expect(all.filter((each) => each.code === 'no-password').map((each) => each.message)).toEqual([
      'The Redis of one, two has no password: whoever reaches its port may do everything.',
    ]);
  });

  it('are each one sentence, and say what to do', () => {
    const all = found(
      'hosts: {a: 192.0.2.1, b: 10.0.0.2, c: 10.0.0.3, d: 10.0.0.4}\nlease: off\nredis: {attach: true, password: x, tls: {insecure: true}, config: /r}\n' +
        'sentinel: {down_after: 500ms, failover_timeout: 1s}\n',
      { '/r': 'save ""\nreplicaof 10.0.0.1 6379\nrename-command CONFIG ""\nrequirepass y\n' },
    );
    expect(all.length).toBeGreaterThan(12);
    for (const { message, fix } of all) {
      expect(message).toMatch(/^\S.*[^.]\.$/);
      expect(fix).not.toBe('');
    }
  });

  it.each([
    ['hosts: {a: 10.0.0.1, b: 10.0.0.2}\nmode: pair\nvip: 10.0.0.9\n', 'pair-without-arbiter'],
    ['hosts: {a: 10.0.0.1, b: 10.0.0.2}\nmode: pair\nvip: 10.0.0.9\narbiter: 10.0.0.254\n', 'pair'],
    ['hosts: {a: 10.0.0.1}\n', 'one-host'],
    ['hosts: {a: 10.0.0.1, b: 10.0.0.2, c: 10.0.0.3, d: 10.0.0.4}\n', 'even-voters'],
    ['hosts: {a: 127.0.0.1, b: 127.0.0.2, c: 127.0.0.3}\n', 'one-machine'],
    ['hosts: {a: 10.0.0.1, b: 10.0.0.2, c: 198.51.100.7}\n', 'example-address'],
    ['hosts: {a: 10.0.0.1, b: 10.0.0.2, c: "2001:db8::7"}\n', 'example-address'],
    [`${THREE}lease: off\n`, 'no-lease'],
    [`${THREE}lease: off\nsentinel: {down_after: 500ms}\n`, 'down-after-low'],
    [`${THREE}lease: 300ms\n`, 'lease-low'],
    [`${THREE}sentinel: {failover_timeout: 2s}\n`, 'failover-timeout-low'],
    [`${THREE}groups: {g: {hosts: [a]}}\n`, 'no-replica'],
    [`${THREE}redis: {attach: true}\n`, 'attach'],
    [`${THREE}redis: {tls: {insecure: true}}\n`, 'tls-insecure'],
    [`${THREE}`, 'no-plain-address'],
    [`${THREE}durability: replicated\n`, 'replicated-without-proxy'],
    [`${THREE}durability: replicated\ngroups: {g: {hosts: [a, b]}}\n`, 'replicated-two-hosts'],
    [`${THREE}redis: {password: x}\n`, 'secret-in-file'],
    [`${THREE}redis: {password_env: S}\nproxy: 22121\n`, 'pool-without-password'],
    [`${THREE}redis: {config: /nowhere}\n`, 'redis-conf-unread'],
  ])('see %j as %s', (text, code) => {
    expect(codes(text)).toContain(code);
  });

  it.each([
    ['save ""\nappendonly no\n', 'no-persistence'],
    ['REPLICAOF 10.0.0.1 6379\n', 'redis-conf-replicaof'],
    ['slaveof 10.0.0.1 6379\n', 'redis-conf-replicaof'],
    ['rename-command CONFIG ""\n', 'redis-conf-rename'],
    ['cluster-enabled yes\n', 'redis-conf-cluster'],
    ['slave-read-only no\n', 'redis-conf-writable-replica'],
    ['replica-priority 0\n', 'redis-conf-priority'],
    ['requirepass other\n', 'redis-conf-password'],
    ['masterauth other\n', 'redis-conf-password'],
  ])('see %j in a redis.conf as %s', (conf, code) => {
    expect(ofConf(conf)).toEqual([code]);
  });

  it('let a good redis.conf be', () => {
    expect(ofConf('port 6379\nbind 127.0.0.1\nsave 900 1\nrequirepass s3cret\nmasterauth s3cret\n')).toEqual([]);
    expect(ofConf('save ""\nappendonly yes\nrename-command FLUSHALL ""\n')).toEqual([]);
    expect(ofConf('bind 127.0.0.1 -::1\n', 'password_env: S, attach: true')).toContain('attach');
    expect(ofConf('bind 127.0.0.1\n', 'password_env: S, attach: true')).toContain('redis-conf-bind');
  });

  it('know that protected mode shuts replicas out of an adopted Redis', () => {
    const attached = 'password_env: S, attach: true';
    expect(ofConf('port 6379\n', attached)).toContain('redis-conf-protected');
    for (const conf of ['protected-mode no\n', 'requirepass s3cret\n', 'user default on >x ~* +@all\n']) {
      expect(ofConf(conf, attached)).not.toContain('redis-conf-protected');
    }
    expect(ofConf('port 6379\n')).toEqual([]);
  });

  it('show no password of a redis.conf', () => {
    const all = found(`${THREE}redis: {config: /r.conf}\n`, { '/r.conf': 'requirepass hunter2\nmasterauth hunter2\n' });
    expect(all.filter((each) => each.code === 'redis-conf-password')).toHaveLength(2);
    expect(JSON.stringify(all)).not.toContain('hunter2');
  });

  it('follow what a redis.conf includes', () => {
    const files = { '/r.conf': 'include /more.conf\n', '/more.conf': 'include /r.conf\nreplicaof 10.0.0.1 6379\n' };
    expect(codes(`${THREE}redis: {config: /r.conf}\n`, files)).toContain('redis-conf-replicaof');
  });
});
