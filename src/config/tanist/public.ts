/** A configuration without what must not be shown: for `tanist check -o json`, status and logs. */
import type { ClientTls, TlsConfig } from '../nutcracker-types.js';
import type { HookConfig, Secret, TanistConfig } from './model.js';

/** JSON-safe. Secrets say where they come from, PEM files whether there is one, users their names. */
export function publicConfig(config: TanistConfig) {
  return {
    ...config,
    groups: config.groups.map((group) => ({
      ...group,
      redis: {
        ...group.redis,
        auth: group.redis.auth && { user: group.redis.auth.user, password: publicSecret(group.redis.auth.password) },
        tls: group.redis.tls && publicTls(group.redis.tls),
      },
    })),
    sentinel: { ...config.sentinel, auth: publicSecret(config.sentinel.auth) },
    proxy: config.proxy && {
      ...config.proxy,
      pools: config.proxy.pools.map((pool) => ({
        ...pool,
        auth: publicSecret(pool.auth),
        users: pool.users?.map((user) => user.name) ?? null,
        tls: pool.tls && publicTls(pool.tls),
      })),
    },
    api: { ...config.api, token: publicSecret(config.api.token) },
    hooks: config.hooks.map((hook) => ({ ...hook, action: publicAction(hook.action) })),
  };
}

function publicSecret(secret: Secret | null): { from: Secret['from'] } | null {
  return secret && { from: secret.from };
}

function publicTls(tls: TlsConfig | ClientTls): Record<string, unknown> {
  return { ...tls, ca: tls.ca !== null, cert: tls.cert !== null, key: tls.key !== null };
}

/** Tokens stand in the path of many a webhook, and among the arguments of many a program. */
function publicAction(action: HookConfig['action']): Record<string, unknown> {
  if (action.kind === 'run') return { kind: 'run', program: action.command[0] };
  return { kind: 'post', to: new URL(action.url).origin };
}
