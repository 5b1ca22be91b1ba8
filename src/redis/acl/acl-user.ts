/** A user and the rules that make one. Pure: the hash function comes in. */
import type { AclCatalogue } from './acl-commands.js';
import { AclRuleError, type AclSelector, applySelectorRule, describeSelector, EMPTY_SELECTOR } from './acl-selector.js';

/** SHA-256 of a text's UTF-8 bytes, as 64 lower-case hexadecimal characters. */
export type HashFunction = (text: string) => string;

export interface AclUser {
  readonly name: string;
  readonly enabled: boolean;
  /** Any password is right. */
  readonly nopass: boolean;
  /** SHA-256 of each password, in hexadecimal. */
  readonly passwords: readonly string[];
  readonly payload: 'unset' | 'sanitize-payload' | 'skip-sanitize-payload';
  readonly root: AclSelector;
  /** More rights, each set for itself: `(+ping &news)`. */
  readonly selectors: readonly AclSelector[];
}

export interface RuleContext {
  readonly hash: HashFunction;
  /** What a new or reset user may do on channels: `acl-pubsub-default`. */
  readonly pubsubDefault: 'allchannels' | 'resetchannels';
  /** The commands that rules may name; by default a Sentinel's. */
  readonly catalogue?: AclCatalogue;
}

/** A rule that was refused, with the modifier it stands in. */
export type RuleFault =
  | { readonly kind: 'modifier'; readonly modifier: string; readonly message: string }
  | { readonly kind: 'parenthesis'; readonly start: string };

/** A user that nothing is allowed to, and who cannot log in. */
export function newUser(name: string, { pubsubDefault }: RuleContext): AclUser {
  const root = { ...EMPTY_SELECTOR, allChannels: pubsubDefault === 'allchannels' };
  return { name, enabled: false, nopass: false, passwords: [], payload: 'unset', root, selectors: [] };
}

/** The user `default` as a server without any rules has it: everything, without a password. */
export function defaultUser(): AclUser {
  const root: AclSelector = { ...EMPTY_SELECTOR, base: 'all', allKeys: true, allChannels: true };
  return { name: 'default', enabled: true, nopass: true, passwords: [], payload: 'unset', root, selectors: [] };
}

/** `requirepass` as a rule on the default user; an empty password lets everybody in. */
export function withRequirepass(user: AclUser, password: string, hash: HashFunction): AclUser {
  if (password === '') return { ...user, nopass: true, passwords: [] };
  return { ...user, nopass: false, passwords: [hash(password)] };
}

/** The user with all the rules applied, or why none was. */
export function applyRules(user: AclUser, rules: readonly string[], context: RuleContext): AclUser | RuleFault {
  const merged = mergeSelectors(rules);
  if ('kind' in merged) return merged;
  let result = user;
  for (const rule of merged.rules) {
    try {
      result = applyRule(result, rule, context);
    } catch (error) {
      if (!(error instanceof AclRuleError)) throw error;
      return { kind: 'modifier', modifier: rule, message: error.message };
    }
  }
  return result;
}

/** Joins `(+ping` and `~x)` to one rule, since a selector may be spread over several arguments. */
function mergeSelectors(rules: readonly string[]): { rules: readonly string[] } | RuleFault {
  const merged: string[] = [];
  let open: { start: string; text: string } | null = null;
  for (const rule of rules) {
    if (open !== null) open.text += ` ${rule}`;
    else if (rule.startsWith('(')) open = { start: rule, text: rule };
    else merged.push(rule);
    if (open?.text.endsWith(')') === true) {
      merged.push(open.text);
      open = null;
    }
  }
  return open === null ? { rules: merged } : { kind: 'parenthesis', start: open.start };
}

function applyRule(user: AclUser, rule: string, context: RuleContext): AclUser {
  switch (rule.toLowerCase()) {
    case '':
      return user;
    case 'on':
      return { ...user, enabled: true };
    case 'off':
      return { ...user, enabled: false };
    case 'nopass':
      return { ...user, nopass: true, passwords: [] };
    case 'resetpass':
      return { ...user, nopass: false, passwords: [] };
    case 'sanitize-payload':
      return { ...user, payload: 'sanitize-payload' };
    case 'skip-sanitize-payload':
      return { ...user, payload: 'skip-sanitize-payload' };
    case 'clearselectors':
      return { ...user, selectors: [] };
    case 'reset':
      return { ...newUser(user.name, context), payload: 'sanitize-payload' };
    default:
      return applyPasswordOrSelector(user, rule, context);
  }
}

function applyPasswordOrSelector(user: AclUser, rule: string, context: RuleContext): AclUser {
  const { hash, pubsubDefault, catalogue } = context;
  const rest = rule.slice(1);
  switch (rule[0]) {
    case '>':
      return addPassword(user, hash(rest));
    case '#':
      return addPassword(user, checkedHash(rest));
    case '<':
      return removePassword(user, hash(rest));
    case '!':
      return removePassword(user, checkedHash(rest));
    case '(': {
      const inside = rest.slice(0, -1).split(' ');
      const start = { ...EMPTY_SELECTOR, allChannels: pubsubDefault === 'allchannels' };
      const rules = inside.filter((each) => each !== '');
      const selector = rules.reduce<AclSelector>((before, each) => applySelectorRule(before, each, catalogue), start);
      return { ...user, selectors: [...user.selectors, selector] };
    }
    default:
      return { ...user, root: applySelectorRule(user.root, rule, catalogue) };
  }
}

function checkedHash(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new AclRuleError(
    'The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters',
  );
}

function addPassword(user: AclUser, hash: string): AclUser {
  const known = user.passwords.includes(hash);
  return { ...user, nopass: false, passwords: known ? user.passwords : [...user.passwords, hash] };
}

function removePassword(user: AclUser, hash: string): AclUser {
  if (!user.passwords.includes(hash)) {
    throw new AclRuleError('The password you are trying to remove from the user does not exist');
  }
  return { ...user, passwords: user.passwords.filter((known) => known !== hash) };
}

/** The user's rules, as `ACL LIST` and a configuration file have them (without `user <name>`). */
export function describeUser(user: AclUser): readonly string[] {
  const flags = [user.enabled ? 'on' : 'off'];
  if (user.nopass) flags.push('nopass');
  if (user.payload !== 'unset') flags.push(user.payload);
  const passwords = user.passwords.map((hash) => `#${hash}`);
  const selectors = user.selectors.map((selector) => `(${describeSelector(selector)})`);
  return [...flags, ...passwords, ...describeSelector(user.root).split(' '), ...selectors.flatMap((s) => s.split(' '))];
}

/** True when the password is right and the user may log in. Takes the same time whichever hash is right. */
export function passwordIsRight(user: AclUser, password: string, hash: HashFunction): boolean {
  const given = hash(password);
  let right = user.nopass;
  for (const known of user.passwords) right = equalInConstantTime(known, given) || right;
  return user.enabled && right;
}

function equalInConstantTime(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i += 1) difference |= a.charCodeAt(i) ^ (b.charCodeAt(i) || 0);
  return difference === 0;
}
