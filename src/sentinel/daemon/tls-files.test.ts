import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cleanupAfterEach } from '../../../test/support/cleanup-after-each.js';
import { tempDir } from '../../../test/support/temp-dir.js';
import { SERVER_DEFAULTS } from '../../config/server-settings.js';
import { StartError } from './load.js';
import { tlsClientSettings, tlsServerOptions } from './tls-files.js';

const cleanup = cleanupAfterEach();

it('refuses files that are no certificates before anything is opened', () => {
  const file = join(tempDir(cleanup), 'cert.pem');
  writeFileSync(file, 'not PEM');
  const conf = { ...SERVER_DEFAULTS.tls, certFile: file, keyFile: file, caCertFile: file };
  expect(() => tlsServerOptions(conf)).toThrow(StartError);
  expect(() => tlsServerOptions(conf)).toThrow(/check tls-cert-file, tls-key-file, tls-ca-cert-file/);
  expect(() => tlsClientSettings(conf)).toThrow(StartError);
});

it('refuses a folder of authorities that is not there, and reads past folders in it', () => {
  const dir = tempDir(cleanup);
  mkdirSync(join(dir, 'sub'));
  expect(() => tlsClientSettings({ ...SERVER_DEFAULTS.tls, caCertDir: join(dir, 'none') })).toThrow(StartError);
  expect(tlsClientSettings({ ...SERVER_DEFAULTS.tls, caCertDir: dir })).toMatchObject({ checkServername: false });
});
