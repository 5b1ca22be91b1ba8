/** The hosts of a tanist.yml. */
import { canonicalIp } from '../../base/ip-bytes.js';
import type { HostConfig } from './model.js';
import type { Context } from './read-secrets.js';
import type { FileShape } from './schema.js';

export function readHosts({ reporter }: Context, file: FileShape): HostConfig[] {
  const hosts = reporter.entries(['hosts'], file.hosts).map(([name, given]): HostConfig => {
    if (typeof given === 'string') return { name, address: canonicalIp(given), witness: false, interface: null };
    const { address, witness = false, interface: device = null } = given;
    return { name, address: canonicalIp(address), witness, interface: device };
  });
  const seen = new Map<string, string>();
  for (const { name, address } of hosts) {
    const twin = seen.get(address);
    if (twin !== undefined) {
      reporter.value(
        ['hosts', name],
        `hosts.${name} has the address of hosts.${twin}, ${address}`,
        'a host has one entry',
      );
    }
    seen.set(address, name);
  }
  return hosts;
}

/** What cannot be decided by a number of hosts: too few for a majority, or for a pair. */
export function checkHosts({ reporter }: Context, file: FileShape, hosts: readonly HostConfig[]): void {
  if (reporter.touched('hosts')) return;
  const keepers = hosts.filter((host) => !host.witness);
  if (hosts.length === 0) {
    reporter.key(['hosts'], 'there is no host', 'write e.g. `a: 10.0.0.1` below `hosts:`');
  } else if (keepers.length === 0) {
    reporter.key(['hosts'], 'every host is a witness: none keeps a Redis', 'remove `witness: true` from one or more');
  } else if (file.mode === 'pair') checkPair({ reporter }, hosts);
  else if (hosts.length === 2 && !reporter.touched('mode')) {
    reporter.key(
      ['hosts'],
      'two hosts have no majority when one of them is gone: neither could take over',
      'add a third host, if only a witness (w: {address: 10.0.0.3, witness: true}), or write `mode: pair`, in which VRRP decides',
    );
  }
}

function checkPair({ reporter }: Pick<Context, 'reporter'>, hosts: readonly HostConfig[]): void {
  const witness = hosts.find((host) => host.witness);
  if (witness !== undefined) {
    reporter.key(
      ['hosts', witness.name],
      `\`mode: pair\` beside the witness ${witness.name}`,
      'remove `mode: pair`: with a witness a majority decides',
    );
  } else if (hosts.length !== 2) {
    reporter.value(
      ['mode'],
      `\`mode: pair\` is for two hosts, and there are ${hosts.length}`,
      'remove `mode: pair`: a majority decides',
    );
  }
}
