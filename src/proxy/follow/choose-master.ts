/** Which address a shard's requests should go to, by what the sentinels say. Pure. */

/** One sentinel's view of one master. */
export interface SentinelView {
  readonly sentinel: string;
  readonly host: string;
  readonly port: number;
  /** Rises with every failover, so it orders the views of sentinels that disagree. */
  readonly configEpoch: number;
}

/** The master in use. */
export interface KnownMaster {
  readonly host: string;
  readonly port: number;
  readonly configEpoch: number;
}

export type MasterChoice =
  | { readonly kind: 'master'; readonly master: KnownMaster; readonly reason: string }
  | { readonly kind: 'none'; readonly reason: string };

function count(views: readonly SentinelView[], of: SentinelView): number {
  return views.filter((view) => view.host === of.host && view.port === of.port).length;
}

/**
 * The view with the highest configuration epoch; among equals, what most sentinels say. A view older than the master in
 * use comes from a sentinel that has missed a failover, and counts only when most of all sentinels share it: then their
 * configuration was made anew.
 * @param sentinels how many sentinels are configured.
 */
export function chooseMaster(
  views: readonly SentinelView[],
  known: KnownMaster | null,
  sentinels: number,
): MasterChoice {
  const ordered = [...views].sort((a, b) => b.configEpoch - a.configEpoch || count(views, b) - count(views, a));
  const [best] = ordered;
  if (best === undefined) return { kind: 'none', reason: 'no sentinel answers for this master' };
  const says = `${best.sentinel} says so at epoch ${best.configEpoch}`;
  if (known !== null && best.configEpoch < known.configEpoch && count(views, best) * 2 <= sentinels) {
    return {
      kind: 'none',
      reason: `only ${best.sentinel} names a master, at epoch ${best.configEpoch}, older than the known ${known.configEpoch}`,
    };
  }
  return { kind: 'master', master: { host: best.host, port: best.port, configEpoch: best.configEpoch }, reason: says };
}

/** Reads the reply to SENTINEL MASTER, a flat list of names and values; null when it is not one. */
export function readView(sentinel: string, reply: unknown): SentinelView | null {
  if (!Array.isArray(reply)) return null;
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < reply.length; i += 2) fields.set(text(reply[i]), text(reply[i + 1]));
  const host = fields.get('ip') ?? '';
  const port = Number(fields.get('port'));
  const configEpoch = Number(fields.get('config-epoch'));
  if (host === '' || !Number.isInteger(port) || port < 1 || port > 65535 || !Number.isFinite(configEpoch)) return null;
  return { sentinel, host, port, configEpoch };
}

function text(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value);
}
