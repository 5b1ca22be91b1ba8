/** One certificate for Redis and the Sentinels of a cluster, as tanist.yml names it. */
import type { TlsOptions } from 'node:tls';
import type { TlsConfig } from '../config/nutcracker-types.js';
import type { TanistConfig } from '../config/tanist/model.js';
import type { TlsSettings } from '../redis/endpoint.js';

export interface ClusterTls {
  readonly server: TlsOptions;
  readonly client: TlsSettings;
}

/** Null when Redis is spoken to in the clear: then the Sentinels speak so too. */
export function tlsOf(config: TanistConfig): ClusterTls | null {
  const tls = config.groups.find(({ redis }) => redis.tls !== null)?.redis.tls ?? null;
  return tls === null ? null : { server: serverOptions(tls), client: clientSettings(tls) };
}

/** How a Redis with these settings is spoken to. */
export function clientSettings(tls: TlsConfig): TlsSettings {
  return {
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.cert === null ? {} : { cert: tls.cert }),
    ...(tls.key === null ? {} : { key: tls.key }),
    ...(tls.servername === null ? {} : { servername: tls.servername }),
    rejectUnauthorized: !tls.insecure,
    checkServername: !tls.anyName,
  };
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
