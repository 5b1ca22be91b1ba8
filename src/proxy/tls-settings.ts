/** TLS of the configuration as sockets take it. */
import type { TlsConfig } from '../config/nutcracker-types.js';
import type { TlsSettings } from '../redis/endpoint.js';

export function tlsSettings({ ca, cert, key, servername, anyName, insecure }: TlsConfig): TlsSettings {
  return {
    rejectUnauthorized: !insecure,
    checkServername: !anyName,
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(servername === null ? {} : { servername }),
  };
}
