/** Tells whose file it is by what is in it; names say little. */
import { parseConf } from '../../conf-lines.js';

export type Kind = 'keepalived' | 'sentinel' | 'nutcracker' | 'unknown';

const KEEPALIVED = /^\s*(?:@\S+\s+)?(?:vrrp_instance|vrrp_script|vrrp_sync_group|global_defs|virtual_server)\b/m;
const NUTCRACKER = /^[ \t{]+['"]?(?:listen|servers|listen_tls)['"]?[ \t]*:/m;

export function detectKind(text: string, file: string): Kind {
  if (KEEPALIVED.test(text)) return 'keepalived';
  const sentinel = parseConf(text, file).lines.some(
    (line) => line.kind === 'directive' && line.words[0]?.text.toLowerCase() === 'sentinel' && line.words.length > 1,
  );
  if (sentinel) return 'sentinel';
  return NUTCRACKER.test(text) && /\bservers['"]?[ \t]*:/.test(text) ? 'nutcracker' : 'unknown';
}
