/** keepalived.conf texts for scenarios: fast (version 3, 100 ms) unless said otherwise. */

export interface ConfigOptions {
  readonly state?: 'MASTER' | 'BACKUP';
  readonly priority?: number;
  readonly vip?: string;
  readonly vrid?: number;
  readonly name?: string;
  readonly device?: string;
  /** Seconds; whole ones in version 2. */
  readonly interval?: number;
  readonly version?: 2 | 3;
  /** More lines of the instance. */
  readonly extra?: string;
  /** Blocks in front of the instance. */
  readonly before?: string;
}

export const VIP = '10.99.0.100';

export function vrrpConfig(options: ConfigOptions = {}): string {
  const {
    version = 3,
    state = 'BACKUP',
    priority = 100,
    vip = `${VIP}/24`,
    vrid = 51,
    name = 'VI',
    device = 'eth0',
  } = options;
  return `${options.before ?? ''}
vrrp_instance ${name} {
  state ${state}
  interface ${device}
  virtual_router_id ${vrid}
  priority ${priority}
  version ${version}
  advert_int ${options.interval ?? (version === 3 ? 0.1 : 1)}
  virtual_ipaddress {
    ${vip}
  }
  ${options.extra ?? ''}
}
`;
}

/** A check script that fails while `flag` exists. */
export function checkScript(name: string, flag: string, extra = ''): string {
  return `
vrrp_script ${name} {
  script "/usr/bin/test ! -e ${flag}"
  interval 1
  user root
  ${extra}
}
`;
}
