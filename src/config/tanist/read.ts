/** Reads a tanist.yml whole: everything that is wrong is reported in one go, and nothing is half read. */
import { dirname, resolve } from 'node:path';
import { ProblemList } from '../config-error.js';
import { OUTSIDE, type Outside } from '../outside.js';
import { crossCheck } from './cross-checks.js';
import { DEFAULTS } from './defaults.js';
import type { GroupConfig, ProxySettings, TanistConfig } from './model.js';
import { readApi, readArbiter, readHooks, readLease, readSentinel } from './read-doors.js';
import { type PlacedGroup, readGroups } from './read-groups.js';
import { checkHosts, readHosts } from './read-hosts.js';
import { type PlacedProxy, readProxy } from './read-proxy.js';
import type { Context } from './read-secrets.js';
import { Reporter } from './report.js';
import type { FileShape } from './schema.js';
import { readShape } from './shape.js';
import { readYamlTree } from './yaml-tree.js';

/**
 * @param text the file's content.
 * @param file its name, for messages; relative paths in it count from its directory.
 * @param outside the files and variables that it names.
 * @throws {ConfigError} with every problem that was found; secrets are in none of them.
 */
export function readTanistConfig(text: string, file: string, outside: Outside = OUTSIDE): TanistConfig {
  const problems = new ProblemList();
  const tree = readYamlTree(text.replace(/^\ufeff/, ''), file, problems);
  // What is no YAML has no shape to speak of.
  problems.throwIfAny([file]);
  if (tree === null) throw new TypeError('a tree without a problem is missing');
  const reporter = new Reporter(tree, file, problems);
  const shape = readShape(reporter);
  const context: Context = { reporter, outside, directory: dirname(resolve(file)) };
  const config = shape === null ? null : understand(context, shape, file);
  problems.throwIfAny([file]);
  if (config === null) throw new TypeError('a shape without a problem is missing');
  return config;
}

function understand(context: Context, file: FileShape, name: string): TanistConfig {
  const { reporter } = context;
  const stateDirectory = resolve(context.directory, file.state_directory ?? DEFAULTS.stateDirectory);
  const mode = file.mode ?? 'quorum';
  const hosts = readHosts(context, file);
  checkHosts(context, file, hosts);
  const groups = readGroups(context, file, hosts, stateDirectory);
  const proxy = readProxy(context, file.proxy, groups, hosts);
  const ttl_ms = readLease(context, file);
  const sentinel = readSentinel(context, file.sentinel, ttl_ms !== null);
  const api = readApi(context, file.api);
  const arbiter = readArbiter(context, file);
  crossCheck(reporter, { mode, hosts, groups, proxy, sentinel, api, arbiter });
  return {
    file: name,
    cluster: file.cluster ?? DEFAULTS.cluster,
    mode,
    hosts,
    groups: groups.map(groupOf),
    lease: { ttl_ms },
    sentinel,
    proxy: proxy === null ? null : proxyOf(proxy),
    api,
    arbiter,
    hooks: readHooks(context, file.hooks),
    stateDirectory,
    logLevel: file.log_level ?? DEFAULTS.logLevel,
  };
}

function groupOf({ path: _path, portPath: _portPath, ...group }: PlacedGroup): GroupConfig {
  return { ...group, vips: group.vips.map(({ path: _of, ...vip }) => vip) };
}

function proxyOf(proxy: PlacedProxy): ProxySettings {
  return { ...proxy, pools: proxy.pools.map(({ path: _path, ...pool }) => pool) };
}
