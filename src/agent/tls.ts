/** One certificate for Redis and the Sentinels of a cluster, as tanist.yml names it. */
import type { TlsOptions } from 'node:tls';
import type { TlsConfig } from '../config/nutcracker-types.js';
import type { TanistConfig } from '../config/tanist/model.js';
import { tlsSettings } from '../proxy/tls-settings.js';
import type { TlsSettings } from '../redis/endpoint.js';

export interface ClusterTls {
  readonly server: TlsOptions;
  readonly client: TlsSettings;
}

/** Null when Redis is spoken to in the clear: then the Sentinels speak so too. */
export function tlsOf(config: TanistConfig): ClusterTls | null {
  const tls = config.groups.find(({ redis }) => redis.tls !== null)?.redis.tls ?? null;
  return tls === null ? null : { server: serverOptions(tls), client: tlsSettings(tls) };
}

function serverOptions(tls: TlsConfig): TlsOptions {
  return {
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
    requestCert: tls.ca !== null,
    rejectUnauthorized: tls.ca !== null && !tls.insecure,
  };
}
