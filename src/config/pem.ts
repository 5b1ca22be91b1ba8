/** PEM files that a configuration names. What is wrong is said without a word of their content. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { errorText } from '../base/error-text.js';
import type { Outside } from './outside.js';

export type PemKind = 'certificate' | 'key';

/** The text of a file that a key names, or why there is none; `what` begins the message. */
export function readNamed(what: string, path: string, { readFile }: Outside): string | Error {
  try {
    return readFile(path);
  } catch (error) {
    return new Error(`${what}: cannot read '${path}': ${errorText(error)}`);
  }
}

/** The text of a PEM file that holds what it should, or why not. */
export function readPemFile(what: string, path: string, kind: PemKind, outside: Outside): string | Error {
  const pem = readNamed(what, path, outside);
  if (pem instanceof Error) return pem;
  try {
    if (kind === 'certificate') new X509Certificate(pem);
    else createPrivateKey(pem);
    return pem;
  } catch {
    // OpenSSL's own words say nothing that would help, and might quote the key.
    return new Error(`${what}: '${path}' does not hold one in PEM format, without a passphrase`);
  }
}

/** What is wrong with a certificate and its key beside each other, or null. Both are good by themselves. */
export function pairFault(cert: string | null, key: string | null): string | null {
  if ((cert === null) !== (key === null)) return 'a certificate needs its key, and a key its certificate';
  if (cert === null || key === null) return null;
  const fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  return fits ? null : 'the key does not belong to the certificate';
}
