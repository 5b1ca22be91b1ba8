/** virtual_ipaddress, virtual_ipaddress_excluded and unicast_peer. */
import { canonicalIp, type Family, familyOf } from '../../base/ip-bytes.js';
import type { Diagnostics } from './diagnostics.js';
import type { IpAddress, UnicastPeer } from './model.js';
import type { Word } from './tokens.js';
import type { Statement } from './tree.js';
import { suggestion } from './tree.js';

const SCOPES = ['global', 'site', 'link', 'host', 'nowhere'] as const;
const OPTIONS = [
  'brd',
  'dev',
  'use_vmac',
  'scope',
  'label',
  'peer',
  'home',
  '-nodad',
  'mngtmpaddr',
  'noprefixroute',
  'autojoin',
  'no_track',
  'track_group',
  'preferred_lft',
];

export function readAddresses(statements: readonly Statement[], diagnostics: Diagnostics): IpAddress[] {
  return statements.flatMap((s) => readAddress(s, diagnostics) ?? []);
}

function readAddress({ words }: Statement, diagnostics: Diagnostics): IpAddress | null {
  const [first] = words;
  if (first === undefined) return null;
  const parsed = parsePrefix(first.text);
  if (parsed === null) {
    diagnostics.error(first.place, `${first.text} is not an IP address, with or without /prefix: skipped`);
    return null;
  }
  const address: IpAddress = {
    ...parsed,
    device: null,
    label: null,
    scope: 'global',
    broadcast: null,
    peer: null,
    deprecated: null,
    home: false,
    noPrefixRoute: false,
    noTrack: false,
    place: first.place,
  };
  const options = new OptionReader(words.slice(1), diagnostics);
  for (let option = options.next(); option !== null; option = options.next())
    readOption(address, option, options, diagnostics);
  return address;
}

function readOption(address: IpAddress, option: Word, options: OptionReader, diagnostics: Diagnostics): void {
  switch (option.text) {
    case 'dev':
      address.device = options.value(option) ?? address.device;
      return;
    case 'label':
      address.label = options.value(option) ?? address.label;
      return;
    case 'scope':
      address.scope = readScope(option, options, diagnostics) ?? address.scope;
      return;
    case 'brd':
      address.broadcast = readBroadcast(address, option, options, diagnostics);
      return;
    case 'peer':
      address.peer = readIp(option, options, diagnostics);
      return;
    case 'preferred_lft':
      address.deprecated = options.value(option) === '0';
      return;
    case 'home':
      address.home = true;
      return;
    case 'noprefixroute':
      address.noPrefixRoute = true;
      return;
    case 'no_track':
      address.noTrack = true;
      return;
    // Duplicate address detection never holds up our addresses, so there is nothing to switch off.
    case '-nodad':
      return;
    case 'use_vmac':
    case 'mngtmpaddr':
    case 'autojoin':
      diagnostics.error(option.place, `${option.text} is not handled`);
      return;
    case 'track_group':
      options.value(option);
      diagnostics.error(option.place, 'track_group is for static addresses only');
      return;
    default:
      diagnostics.error(
        option.place,
        `unknown word ${option.text} behind an address${suggestion(option.text, OPTIONS)}`,
      );
  }
}

class OptionReader {
  readonly #words: readonly Word[];
  readonly #diagnostics: Diagnostics;
  #at = 0;

  constructor(words: readonly Word[], diagnostics: Diagnostics) {
    this.#words = words;
    this.#diagnostics = diagnostics;
  }

  next(): Word | null {
    return this.#words[this.#at++] ?? null;
  }

  value(option: Word): string | null {
    const word = this.next();
    if (word === null) this.#diagnostics.error(option.place, `${option.text} needs a value`);
    return word?.text ?? null;
  }
}

function readScope(option: Word, options: OptionReader, diagnostics: Diagnostics): IpAddress['scope'] | null {
  const text = options.value(option);
  const scope = SCOPES.find((s) => s === text);
  if (text !== null && scope === undefined) {
    diagnostics.error(option.place, `scope ${text} is none of ${SCOPES.join(', ')}: ignored`);
  }
  return scope ?? null;
}

function readIp(option: Word, options: OptionReader, diagnostics: Diagnostics): string | null {
  const text = options.value(option);
  if (text === null) return null;
  const parsed = parsePrefix(text);
  if (parsed === null) diagnostics.error(option.place, `${option.text}: ${text} is not an IP address`);
  return parsed?.ip ?? null;
}

/** `+` sets all host bits of the address, `-` clears them. */
function readBroadcast(
  address: IpAddress,
  option: Word,
  options: OptionReader,
  diagnostics: Diagnostics,
): string | null {
  const text = options.value(option);
  if (text === null) return null;
  const bytes = address.ip.split('.').map(Number);
  if ((text === '+' || text === '-') && bytes.length === 4) {
    const mask = address.prefix === 0 ? 0 : (0xffffffff << (32 - (address.prefix ?? 32))) >>> 0;
    const value = bytes.reduce((sum, b) => sum * 256 + b, 0);
    const result = text === '+' ? (value | ~mask) >>> 0 : (value & mask) >>> 0;
    return [24, 16, 8, 0].map((shift) => (result >>> shift) & 255).join('.');
  }
  if (familyOf(text) === 'ipv4') return text;
  diagnostics.error(option.place, `brd: ${text} is not an IPv4 address, + or -`);
  return null;
}

export function parsePrefix(text: string): { ip: string; prefix: number | null; family: Family } | null {
  const [host = '', bits, more] = text.split('/');
  const family = familyOf(host);
  if (family === null || more !== undefined) return null;
  if (bits === undefined) return { ip: canonicalIp(host), prefix: null, family };
  const prefix = /^\d+$/.test(bits) ? Number(bits) : maskBits(bits);
  if (prefix === null || prefix > (family === 'ipv4' ? 32 : 128)) return null;
  return { ip: canonicalIp(host), prefix, family };
}

/** The prefix length of a dotted mask such as 255.255.255.0. */
function maskBits(text: string): number | null {
  if (familyOf(text) !== 'ipv4') return null;
  const bits = text
    .split('.')
    .map((b) => Number(b).toString(2).padStart(8, '0'))
    .join('');
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : null;
}

export function readPeers(statements: readonly Statement[], diagnostics: Diagnostics): UnicastPeer[] {
  return statements.flatMap((s) => readPeer(s, diagnostics) ?? []);
}

function readPeer({ words }: Statement, diagnostics: Diagnostics): UnicastPeer | null {
  const [first] = words;
  if (first === undefined) return null;
  if (familyOf(first.text) === null) {
    diagnostics.error(first.place, `unicast_peer: ${first.text} is not an IP address: skipped`);
    return null;
  }
  const limits: { min_ttl: number | null; max_ttl: number | null } = { min_ttl: null, max_ttl: null };
  for (let i = 1; i < words.length; i += 2) {
    const name = words[i];
    const value = Number(words[i + 1]?.text ?? Number.NaN);
    if (name === undefined) break;
    const known = name.text === 'min_ttl' || name.text === 'max_ttl';
    if (!known || !Number.isInteger(value) || value < 0 || value > 255) {
      diagnostics.error(
        name.place,
        `unicast_peer: expected min_ttl or max_ttl and 0 to 255, found ${name.text} ${words[i + 1]?.text ?? ''}`,
      );
    } else if (name.text === 'min_ttl') limits.min_ttl = value;
    else limits.max_ttl = value;
  }
  return { address: canonicalIp(first.text), minTtl: limits.min_ttl, maxTtl: limits.max_ttl };
}
