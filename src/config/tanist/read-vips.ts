/** The virtual addresses of a group. */
import { canonicalIp, familyOf, isMulticast, parseIp } from '../../base/ip-bytes.js';
import type { VipConfig } from './model.js';
import type { Context } from './read-secrets.js';
import type { VipShape } from './schema.js';
import { labelOf } from './shape.js';
import type { Path } from './yaml-tree.js';

/** A VIP with the place that it was written at. */
export interface PlacedVip extends VipConfig {
  readonly path: Path;
}

/** @param path of the key `vip`. VIPs of one family share a virtual router: the first one's id is the others' default. */
export function readVips(context: Context, path: Path, given: VipShape | undefined): PlacedVip[] {
  if (given === undefined) return [];
  const list = Array.isArray(given) ? given.map((vip, i) => ({ vip, at: [...path, i] })) : [{ vip: given, at: path }];
  const vrids = new Map<string, number>();
  return list.flatMap(({ vip, at }) => {
    const [text, place] = typeof vip === 'string' ? [vip, at] : [vip.address, [...at, 'address']];
    const parsed = parseVip(context, place, text);
    if (parsed === null) return [];
    const family = familyOf(parsed.address) ?? 'ipv4';
    const written = typeof vip === 'string' ? undefined : vip.vrid;
    const vrid = written ?? vrids.get(family) ?? defaultVrid(parsed.address);
    const first = vrids.get(family);
    if (first !== undefined && first !== vrid) {
      context.reporter.value(
        [...at, 'vrid'],
        `vrid ${vrid} beside vrid ${first}: the VIPs of a group move as one`,
        `write vrid ${first}, or nothing`,
      );
    }
    vrids.set(family, vrid);
    return [{ ...parsed, interface: (typeof vip === 'string' ? undefined : vip.interface) ?? null, vrid, path: at }];
  });
}

/** The same on every host: the last byte of the address, and 255 in place of 0, which no router may have. */
export function defaultVrid(address: string): number {
  const last = parseIp(address)?.at(-1) ?? 0;
  return last === 0 ? 255 : last;
}

function parseVip({ reporter }: Context, at: Path, text: string): { address: string; prefix: number } | null {
  const [word = '', length] = text.split('/');
  const bytes = parseIp(word);
  const bits = (bytes?.length ?? 0) * 8;
  const label = labelOf(at);
  if (bytes === null || bytes.every((byte) => byte === 0) || isMulticast(word)) {
    reporter.value(at, `${label}: '${word}' is not an IP address that a host can have`, 'write e.g. 10.0.0.100/24');
    return null;
  }
  const prefix = length === undefined ? bits : Number(length);
  if (prefix < 1 || prefix > bits) {
    reporter.value(
      at,
      `${label}: /${length} is no prefix length from 1 to ${bits}`,
      'write that of the network, e.g. /24',
    );
    return null;
  }
  return { address: canonicalIp(word), prefix };
}
