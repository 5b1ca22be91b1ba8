/** A host and a port as one text. */

/** `10.0.0.1:6379`, `db1:6379`, `[::1]:6379`. */
export function placeName({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
