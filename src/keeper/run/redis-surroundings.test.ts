import { readFileSync, statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { redisSettings } from '../../../test/support/keeper.js';
import { tempDir } from '../../../test/support/temp-dir.js';
import { bindAddresses, redisEnvironment, writeTlsFiles } from './redis-surroundings.js';

const cleanup = cleanupAfterEach();
const settings = redisSettings(6379, '/var/lib/redis');

describe('where Redis listens', () => {
  it('is what tanist.yml says', () => {
    const named = { ...settings, bind: ['10.0.0.9'] };
    expect(bindAddresses({ settings: named, address: '10.0.0.1', hasVip: true })).toEqual(['10.0.0.9']);
  });

  it('is by default its host and loopback, and everywhere with a VIP', () => {
    expect(bindAddresses({ settings, address: '10.0.0.1', hasVip: false })).toEqual(['10.0.0.1', '127.0.0.1']);
    expect(bindAddresses({ settings, address: '10.0.0.1', hasVip: true })).toEqual(['*', '-::*']);
  });

  it('is one address where the cluster shares the loopback interface', () => {
    expect(bindAddresses({ settings, address: '127.0.0.2', hasVip: true })).toEqual(['127.0.0.2']);
  });
});

it('hands on only what a server needs of the environment', () => {
  const all = {
    PATH: '/bin',
    LC_ALL: 'C',
    TZ: 'UTC',
    REDIS_PASSWORD: 'secret',
    NOTIFY_SOCKET: '/run/x',
    NODE_OPTIONS: '',
  };
  expect(redisEnvironment(all)).toEqual({ PATH: '/bin', LC_ALL: 'C', TZ: 'UTC' });
});

it('puts certificates into files for the owner alone', () => {
  const directory = tempDir(cleanup);
  const tls = { ca: 'CA', cert: 'CERT', key: 'KEY', servername: null, anyName: true, insecure: false };
  const files = writeTlsFiles('main', { ...settings, tls }, directory);
  expect(files).toEqual({
    cert: `${directory}/main.redis-cert.pem`,
    key: `${directory}/main.redis-key.pem`,
    ca: `${directory}/main.redis-ca.pem`,
  });
  expect(readFileSync(files?.key ?? '', 'utf8')).toBe('KEY');
  expect(statSync(files?.key ?? '').mode & 0o777).toBe(0o600);
  expect(writeTlsFiles('main', { ...settings, tls: { ...tls, cert: null } }, directory)).toBeNull();
  expect(writeTlsFiles('main', settings, directory)).toBeNull();
});
