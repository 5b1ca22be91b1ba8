/** The timers of the RFCs, in milliseconds. */
import type { InstanceConfig } from './config.js';

/**
 * How much later than the bare time-out a backup acts, so that the highest priority acts first: (256 - priority) / 256
 * of a second in version 2 (RFC 3768 section 6.1), of the master's interval in version 3 (RFC 5798 section 6.1).
 */
export function skewTime_ms(version: 2 | 3, priority: number, masterInterval_ms: number): number {
  return ((256 - priority) / 256) * (version === 2 ? 1000 : masterInterval_ms);
}

/** How long a backup waits for an advert before it takes over (RFC 3768 and RFC 5798, section 6.1). */
export function masterDown_ms(config: InstanceConfig, priority: number, masterInterval_ms: number): number {
  return config.downAdverts * masterInterval_ms + skewTime_ms(config.version, priority, masterInterval_ms);
}
