/** The Sentinel API, the HTTP API, the lease and the hooks of a tanist.yml. */
import { DEFAULTS } from './defaults.js';
import type { HookConfig, HookEvent, TanistConfig } from './model.js';
import { isLoopback, readListen } from './read-listen.js';
import { type Context, readSecret } from './read-secrets.js';
import type { FileShape, HookShape } from './schema.js';
import type { Path } from './yaml-tree.js';

/** null: no lease is asked for, which is always so in pair mode. */
export function readLease({ reporter }: Context, file: FileShape): number | null {
  if (file.mode === 'pair') {
    if (file.lease !== undefined) {
      reporter.key(
        ['lease'],
        '`lease` has no meaning beside `mode: pair`: two hosts have no majority to grant it',
        'remove it',
      );
    }
    return null;
  }
  const ttl = typeof file.lease === 'object' ? file.lease.ttl : (file.lease ?? DEFAULTS.leaseTtl_ms);
  return ttl === 'off' ? null : ttl;
}

export function readArbiter({ reporter }: Context, file: FileShape): string | null {
  if (file.arbiter !== undefined && file.mode !== 'pair' && !reporter.touched('mode')) {
    reporter.key(['arbiter'], '`arbiter` has no meaning without `mode: pair`: a majority decides', 'remove it');
  }
  return file.arbiter ?? null;
}

export function readSentinel(
  context: Context,
  given: FileShape['sentinel'],
  leased: boolean,
): TanistConfig['sentinel'] {
  const { port, down_after, failover_timeout } = given ?? {};
  return {
    port: port ?? DEFAULTS.sentinelPort,
    auth: readSecret(context, ['sentinel'], given ?? {}, 'password'),
    downAfter_ms: down_after ?? (leased ? DEFAULTS.downAfter_ms : DEFAULTS.downAfterWithoutLease_ms),
    failoverTimeout_ms: failover_timeout ?? DEFAULTS.failoverTimeout_ms,
  };
}

export function readApi(context: Context, given: FileShape['api']): TanistConfig['api'] {
  const map = typeof given === 'object' ? given : { listen: given };
  const at: Path = typeof given === 'object' ? ['api', 'listen'] : ['api'];
  const { host, port } =
    map.listen === undefined ? DEFAULTS.api : readListen(context, at, map.listen, DEFAULTS.api.host);
  const token = typeof given === 'object' ? readSecret(context, ['api'], given, 'token') : null;
  if (!isLoopback(host) && token === null && !context.reporter.touched('api')) {
    context.reporter.value(
      at,
      `the API listens on ${host} without a token: whoever reaches it could fail over`,
      'add token_file, token_env or token below `api`, or listen on 127.0.0.1',
    );
  }
  return { host, port, token };
}

const ALL_EVENTS: readonly HookEvent[] = ['role', 'vip', 'leader', 'failover', 'fence', 'health'];

export function readHooks(context: Context, given: FileShape['hooks']): HookConfig[] {
  const names = new Set<string>();
  return (given ?? []).flatMap((hook, i) => {
    const path = ['hooks', i];
    const name = hook.name ?? `hook-${i + 1}`;
    if (names.has(name))
      context.reporter.value([...path, 'name'], `two hooks are called '${name}'`, 'rename one of them');
    names.add(name);
    const action = readAction(context, path, hook);
    if (action === null) return [];
    const on = hook.on === undefined ? ALL_EVENTS : typeof hook.on === 'string' ? [hook.on] : [...new Set(hook.on)];
    return [{ name, on, action, timeout_ms: hook.timeout ?? DEFAULTS.hookTimeout_ms }];
  });
}

function readAction({ reporter }: Context, path: Path, hook: HookShape): HookConfig['action'] | null {
  if (hook.run !== undefined && hook.post !== undefined) {
    reporter.key([...path, 'post'], '`post` beside `run`: a hook does one thing', 'make two hooks of it');
    return null;
  }
  if (hook.run !== undefined) return { kind: 'run', command: hook.run };
  if (hook.post === undefined) {
    if (!reporter.touched(...path))
      reporter.value(path, 'this hook does nothing', 'add `run: ["/path/of/program"]` or `post: https://...`');
    return null;
  }
  const url = URL.canParse(hook.post) ? new URL(hook.post) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return { kind: 'post', url: hook.post };
  reporter.value([...path, 'post'], 'this is no http:// or https:// address', 'write e.g. https://example.org/hook');
  return null;
}
