/** Where the proxy of a host is found again by the next agent. */
import { join } from 'node:path';
import type { TanistConfig } from '../config/tanist/model.js';

export function proxyDirectory({ stateDirectory }: TanistConfig): string {
  return join(stateDirectory, 'proxy');
}
