import { fileURLToPath } from 'node:url';
import type { Peer } from './peers.js';

/** `bin/tanist`: what was built last. `npm run check` builds before it tests. */
export const tanistPath = fileURLToPath(new URL('../../bin/tanist', import.meta.url));

/** Our Sentinel, to be started like a peer. */
export const tanistSentinel: Peer = { path: tanistPath, before: ['sentinel'], args: [], env: {} };
