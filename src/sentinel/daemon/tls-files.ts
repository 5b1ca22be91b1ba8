/** The `tls-…` directives as Node's TLS wants them. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createSecureContext, type SecureVersion, type TlsOptions } from 'node:tls';
import { errorText } from '../../base/error-text.js';
import type { TlsSettings as TlsConf } from '../../config/server-settings.js';
import type { TlsSettings } from '../../redis/endpoint.js';
import { StartError } from './load.js';

/** For connections from clients. @throws {StartError} for a file that cannot be read */
export function tlsServerOptions(conf: TlsConf): TlsOptions {
  return usable('tls-cert-file, tls-key-file, tls-ca-cert-file', {
    ...certificate(conf.certFile, conf.keyFile, conf.keyFilePass),
    ...authorities(conf),
    ...(conf.dhParamsFile === '' ? {} : { dhparam: read(conf.dhParamsFile) }),
    ...ciphers(conf),
    ...versions(conf),
    honorCipherOrder: conf.preferServerCiphers,
    sessionTimeout: conf.sessionCacheTimeout_s,
    requestCert: conf.authClients !== 'no',
    rejectUnauthorized: conf.authClients === 'yes',
  });
}

/** For connections to Redis and to other Sentinels. As in Redis, the certificate's name is not looked at. */
export function tlsClientSettings(conf: TlsConf): TlsSettings {
  const own = conf.clientCertFile === '' ? conf : null;
  const [cert, key, pass] =
    own === null
      ? [conf.clientCertFile, conf.clientKeyFile, conf.clientKeyFilePass]
      : [own.certFile, own.keyFile, own.keyFilePass];
  const oldest = versions(conf).minVersion;
  return usable('tls-client-cert-file, tls-client-key-file, tls-ca-cert-file', {
    ...certificate(cert, key, pass),
    ...authorities(conf),
    ...ciphers(conf),
    ...(oldest === 'TLSv1.2' || oldest === 'TLSv1.3' ? { minVersion: oldest } : {}),
    checkServername: false,
  });
}

/** The settings, once OpenSSL has taken them: what it would refuse later would be refused for every connection. */
function usable<T extends TlsOptions>(directives: string, settings: T): T {
  try {
    createSecureContext(settings);
    return settings;
  } catch (error) {
    const why = errorText(error);
    throw new StartError(
      `TLS: the files cannot be used (${why})\n  fix: check ${directives}: PEM, and made for each other`,
    );
  }
}

function certificate(
  cert: string,
  key: string,
  passphrase: string,
): { cert?: Buffer; key?: Buffer; passphrase?: string } {
  if (cert === '') return {};
  const withPass = passphrase === '' ? {} : { passphrase };
  return { cert: read(cert), key: read(key === '' ? cert : key), ...withPass };
}

function authorities({ caCertFile, caCertDir }: TlsConf): { ca?: Buffer[] } {
  const files = caCertFile === '' ? [] : [caCertFile];
  if (caCertDir !== '') files.push(...certificatesIn(caCertDir));
  return files.length === 0 ? {} : { ca: files.map(read) };
}

function certificatesIn(directory: string): string[] {
  try {
    const paths = readdirSync(directory).map((name) => join(directory, name));
    return paths.filter((path) => statSync(path).isFile());
  } catch (error) {
    throw new StartError(`TLS: tls-ca-cert-dir: ${errorText(error)}`);
  }
}

function ciphers({ ciphers: older, ciphersuites }: TlsConf): { ciphers?: string } {
  const both = [ciphersuites, older].filter((list) => list !== '').join(':');
  return both === '' ? {} : { ciphers: both };
}

const VERSIONS: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

function versions({ protocols }: TlsConf): { minVersion?: SecureVersion; maxVersion?: SecureVersion } {
  const named = VERSIONS.filter((version) => protocols.includes(version));
  const [minVersion, maxVersion] = [named[0], named.at(-1)];
  return minVersion === undefined || maxVersion === undefined ? {} : { minVersion, maxVersion };
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new StartError(`TLS: ${errorText(error)}`);
  }
}
