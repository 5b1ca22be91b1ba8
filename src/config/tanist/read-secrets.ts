/** Passwords, tokens and PEM files of a tanist.yml. No message says anything of what is in them. */
import { resolve } from 'node:path';
import { type ClientTls, SYSTEM_TLS, type TlsConfig } from '../nutcracker-types.js';
import type { Outside } from '../outside.js';
import { type PemKind, pairFault, readNamed, readPemFile } from '../pem.js';
import type { Secret } from './model.js';
import type { Reporter } from './report.js';
import type { PoolShape, RedisShape } from './schema.js';
import { labelOf } from './shape.js';
import type { Path } from './yaml-tree.js';

/** What every part of the reader needs. */
export interface Context {
  readonly reporter: Reporter;
  readonly outside: Outside;
  /** Where relative paths count from: the directory of the file. */
  readonly directory: string;
}

/** The secret of a map with `word`, `word_file` and `word_env`; null when there is none, or after a complaint. */
export function readSecret(
  context: Context,
  path: Path,
  map: Readonly<Record<string, unknown>>,
  word: 'password' | 'token',
): Secret | null {
  const given = [word, `${word}_file`, `${word}_env`].filter((key) => typeof map[key] === 'string');
  const [key, second] = given;
  if (key === undefined) return null;
  const at = [...path, key];
  if (second !== undefined) {
    context.reporter.key([...path, second], `${second} beside ${key}`, `keep one of ${given.join(', ')}`);
    return null;
  }
  const text = String(map[key]);
  if (key === word) return { value: text, from: 'inline' };
  return key === `${word}_env` ? fromVariable(context, at, text) : fromFile(context, at, text);
}

function fromVariable({ reporter, outside }: Context, at: Path, name: string): Secret | null {
  const value = outside.variable(name) ?? '';
  if (value !== '') return { value, from: 'environment' };
  reporter.value(at, `${labelOf(at)}: the environment has no '${name}'`, 'set the variable, or write its right name');
  return null;
}

function fromFile({ reporter, outside, directory }: Context, at: Path, name: string): Secret | null {
  const text = readNamed(labelOf(at), resolve(directory, name), outside);
  if (text instanceof Error) {
    reporter.value(at, text.message, 'write the right path, or make the file readable');
    return null;
  }
  const value = (text.split('\n', 1)[0] ?? '').replace(/\r$/, '');
  if (value !== '') return { value, from: 'file' };
  reporter.value(at, `${labelOf(at)}: the first line of the file is empty`, 'put the secret into its first line');
  return null;
}

/** TLS towards Redis. */
export function readServerTls(context: Context, path: Path, given: RedisShape['tls']): TlsConfig | null {
  if (given === undefined || given === false) return null;
  if (given === true) return SYSTEM_TLS;
  const pem = (key: 'ca' | 'cert' | 'key') => readPem(context, path, given, key);
  const [ca, cert, key] = [pem('ca'), pem('cert'), pem('key')];
  checkPair(context, path, cert, key);
  const servername = given.servername ?? null;
  // Hosts are addresses, and certificates often bear none: a CA of the user's own is word enough, the system's are not.
  const anyName = servername === null && ca !== null;
  return { ca, cert, key, servername, anyName, insecure: given.insecure ?? false };
}

/** TLS towards clients. */
export function readClientTls(context: Context, path: Path, given: PoolShape['tls']): ClientTls | null {
  if (given === undefined) return null;
  const pem = (key: 'ca' | 'cert' | 'key') => readPem(context, path, given, key);
  const [ca, cert, key] = [pem('ca'), pem('cert'), pem('key')];
  checkPair(context, path, cert, key);
  if (cert === null || key === null) return null;
  return { cert, key, ca, authClients: given.auth_clients ?? 'yes' };
}

type PemKeys = { readonly [key in 'ca' | 'cert' | 'key']?: string | undefined };

function readPem(context: Context, path: Path, given: PemKeys, key: 'ca' | 'cert' | 'key'): string | null {
  const name = given[key];
  if (name === undefined) return null;
  const at = [...path, key];
  const kind: PemKind = key === 'key' ? 'key' : 'certificate';
  const pem = readPemFile(labelOf(at), resolve(context.directory, name), kind, context.outside);
  if (!(pem instanceof Error)) return pem;
  context.reporter.value(at, pem.message, `name a readable PEM file with a ${kind}`);
  return null;
}

function checkPair({ reporter }: Context, path: Path, cert: string | null, key: string | null): void {
  if (reporter.touched(...path)) return;
  const fault = pairFault(cert, key);
  if (fault !== null) reporter.key(path, `${labelOf(path)}: ${fault}`, 'name the two files that were made together');
}
