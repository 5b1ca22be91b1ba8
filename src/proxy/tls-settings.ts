/** TLS of the configuration as links and sockets take it, here and in the agent. */
import type { TlsConfig } from '../config/nutcracker-types.js';
import type { TlsSettings } from '../redis/endpoint.js';

export function tlsSettings(tls: TlsConfig): TlsSettings;
export function tlsSettings(tls: TlsConfig | null): TlsSettings | null;
export function tlsSettings(tls: TlsConfig | null): TlsSettings | null {
  if (tls === null) return null;
  const { ca, cert, key, servername, anyName, insecure } = tls;
  return {
    rejectUnauthorized: !insecure,
    checkServername: !anyName,
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(servername === null ? {} : { servername }),
  };
}
