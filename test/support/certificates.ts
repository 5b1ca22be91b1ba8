import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cleanup } from './cleanup.js';
import { tempDir } from './temp-dir.js';

/** PEM files and their texts: a CA of our own, and a certificate for `localhost` and 127.0.0.1 that it signed. */
export interface Certificates {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** Makes them with openssl. @returns null when there is no openssl. */
export async function makeCertificates(cleanup: Cleanup): Promise<Certificates | null> {
  const dir = tempDir(cleanup, 'tanist-tls-');
  const file = (name: string): string => join(dir, name);
  const openssl = (...args: string[]) => promisify(execFile)('openssl', args, { timeout: 30_000 });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  writeFileSync(file('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  try {
    await openssl('version');
  } catch {
    return null;
  }
  await openssl('req', '-x509', ...key, '-days', '2', '-subj', '/CN=ca', '-keyout', file('ca.key'), '-out', file('ca'));
  await openssl('req', ...key, '-subj', '/CN=localhost', '-keyout', file('key'), '-out', file('csr'));
  const signer = ['-CA', file('ca'), '-CAkey', file('ca.key'), '-CAcreateserial', '-extfile', file('names')];
  await openssl('x509', '-req', '-days', '2', '-in', file('csr'), '-out', file('cert'), ...signer);
  const read = (name: string): string => readFileSync(file(name), 'utf8');
  return {
    caFile: file('ca'),
    certFile: file('cert'),
    keyFile: file('key'),
    ca: read('ca'),
    cert: read('cert'),
    key: read('key'),
  };
}
