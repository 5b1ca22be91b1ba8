/** The keys of a pool that concern passwords and TLS. Secrets are never part of a message. */
import { isMap, isScalar, type Node, type YAMLMap } from 'yaml';
import type { PoolReader, Problems } from './nutcracker-reader.js';
import {
  type ClientTls,
  type FilePlace,
  type Login,
  SYSTEM_TLS,
  type TlsConfig,
  type UserConfig,
} from './nutcracker-types.js';
import type { Outside } from './outside.js';
import { type PemKind, pairFault, readNamed, readPemFile } from './pem.js';

const AUTH_KEYS = ['sentinel_auth', 'sentinel_auth_file', 'sentinel_auth_env'] as const;

/** `[user] password`, written in the file itself, in another file's first line, or in an environment variable. */
export function readSentinelAuth(reader: PoolReader, outside: Outside, problems: Problems): Login | null {
  const [key, second] = AUTH_KEYS.filter((each) => reader.node(each) !== undefined);
  if (key === undefined) return null;
  const node = reader.node(second ?? key);
  if (second !== undefined) {
    problems.add(node, `${second} cannot be used with ${key}: give the password in one place`);
    return null;
  }
  const text = reader.text(key);
  if (text === null) return null;
  const login = key === 'sentinel_auth' ? text : loginElsewhere(key, text, outside);
  if (login instanceof Error) {
    problems.add(node, login.message);
    return null;
  }
  const words = login.split(/\s+/).filter((word) => word !== '');
  const [first = '', password] = words;
  if (words.length !== 1 && words.length !== 2) {
    problems.add(node, `${key}: there are ${words.length} words; write 'password' or 'user password'`);
    return null;
  }
  return password === undefined ? { user: '', password: first } : { user: first, password };
}

function loginElsewhere(
  key: 'sentinel_auth_file' | 'sentinel_auth_env',
  name: string,
  outside: Outside,
): string | Error {
  if (key === 'sentinel_auth_env') {
    return outside.variable(name) ?? new Error(`${key}: the environment has no variable '${name}'`);
  }
  const text = readNamed(key, name, outside);
  return text instanceof Error ? text : (text.split('\n', 1)[0] ?? '');
}

/** A list of `name rule rule …`; what the rules mean is not looked at here. */
export function readUsers(reader: PoolReader, problems: Problems): UserConfig[] | null {
  if (reader.node('users') === undefined) return null;
  const seen = new Map<string, FilePlace>();
  const users = reader.entries('users', (text, place): UserConfig => {
    const [name = '', ...rules] = text.split(/\s+/).filter((word) => word !== '');
    const twin = seen.get(name);
    if (twin !== undefined) {
      problems.list.push({ ...place, message: `users: '${name}' is already defined in line ${twin.line}` });
    }
    seen.set(name, place);
    return { name, rules, place };
  });
  if (users.length === 0) problems.add(reader.node('users'), "'users' names nobody: no client could log in");
  return users;
}

const TLS_KEYS = ['ca', 'cert', 'key', 'servername', 'insecure'];

/** TLS towards others: `true`, or a map of {@link TLS_KEYS}. The files' contents are taken, so that a reload sees a change. */
export function readTls(
  key: 'sentinel_tls' | 'server_tls',
  reader: PoolReader,
  outside: Outside,
  problems: Problems,
): TlsConfig | null {
  const node = reader.node(key);
  if (node === undefined) return null;
  if (isMap(node)) return readTlsMap(key, node, outside, problems);
  if (isScalar(node) && node.value === 'false') return null;
  if (!isScalar(node) || node.value !== 'true') {
    problems.add(node, `${key} must be true, false, or a map of ${TLS_KEYS.join(', ')}`);
  }
  return SYSTEM_TLS;
}

function readTlsMap(name: string, map: YAMLMap, outside: Outside, problems: Problems): TlsConfig {
  const values = new Map<string, Node>();
  for (const { key, value } of map.items) {
    const word = isScalar(key) ? String(key.value) : '';
    if (!TLS_KEYS.includes(word)) problems.add(key, `${name}: unknown key '${word}'; there are ${TLS_KEYS.join(', ')}`);
    else if (!isScalar(value)) problems.add(value ?? key, `${name}: ${word} must be one value`);
    else values.set(word, value);
  }
  const text = (key: string): string | null => {
    const node = values.get(key);
    return isScalar(node) ? String(node.value) : null;
  };
  const pem = (key: string, kind: PemKind): string | null =>
    readPem(`${name}: ${key}`, text(key), values.get(key), kind, outside, problems);
  const insecure = text('insecure');
  if (insecure !== null && insecure !== 'true' && insecure !== 'false') {
    problems.add(values.get('insecure'), `${name}: insecure: '${insecure}' must be true or false`);
  }
  const cert = pem('cert', 'certificate');
  const key = pem('key', 'key');
  checkPair(name, cert, key, values.get('cert') ?? values.get('key'), problems);
  return {
    ca: pem('ca', 'certificate'),
    cert,
    key,
    servername: text('servername'),
    anyName: false,
    insecure: insecure === 'true',
  };
}

/** The text of a PEM file that holds what it should; null when there is none, or after it has been complained about. */
function readPem(
  what: string,
  path: string | null,
  node: Node | undefined,
  kind: PemKind,
  outside: Outside,
  problems: Problems,
): string | null {
  if (path === null) return null;
  const pem = readPemFile(what, path, kind, outside);
  if (!(pem instanceof Error)) return pem;
  problems.add(node, pem.message);
  return null;
}

function checkPair(
  what: string,
  cert: string | null,
  key: string | null,
  node: Node | undefined,
  problems: Problems,
): void {
  const fault = problems.list.length > 0 ? null : pairFault(cert, key);
  if (fault !== null) problems.add(node, `${what}: ${fault}`);
}

/** TLS towards clients: the certificate that `listen_tls` needs, and what it asks of clients, as Redis has it. */
export function readClientTls(reader: PoolReader, outside: Outside, problems: Problems): ClientTls | null {
  const listens = reader.node('listen_tls');
  if (listens === undefined) {
    for (const key of ['tls_cert', 'tls_key', 'tls_ca', 'tls_auth_clients'] as const) {
      if (reader.node(key) !== undefined) problems.add(reader.node(key), `${key} has no meaning without 'listen_tls'`);
    }
    return null;
  }
  const pem = (key: 'tls_cert' | 'tls_key' | 'tls_ca', kind: PemKind): string | null =>
    readPem(key, reader.text(key), reader.node(key), kind, outside, problems);
  for (const key of ['tls_cert', 'tls_key'] as const) {
    if (reader.node(key) === undefined) problems.add(listens, `listen_tls needs ${key}, the path of a PEM file`);
  }
  const cert = pem('tls_cert', 'certificate');
  const key = pem('tls_key', 'key');
  checkPair('tls_cert', cert, key, reader.node('tls_cert'), problems);
  const authClients = reader.oneOf('tls_auth_clients', ['yes', 'no', 'optional'], 'yes');
  return cert === null || key === null ? null : { cert, key, ca: pem('tls_ca', 'certificate'), authClients };
}
