/** What a user may do: commands, keys, channels. A user has one such set, and more in parentheses. */
import {
  ACL_CATEGORIES,
  ACL_COMMANDS,
  type AclCatalogue,
  type AclCommand,
  ALWAYS_ALLOWED,
  isCategory,
  SENTINEL_CATALOGUE,
} from './acl-commands.js';

/** One rule on commands. The last rule that concerns a command decides; without any it is denied. */
export interface CommandRule {
  readonly allow: boolean;
  /** `@admin`, `ping`, `sentinel|set`, or a command with a first argument. Lower case. */
  readonly target: string;
}

export interface KeyPattern {
  readonly access: 'read' | 'write' | 'both';
  readonly pattern: string;
}

export interface AclSelector {
  /** What holds for commands that no rule names. */
  readonly base: 'all' | 'none';
  readonly rules: readonly CommandRule[];
  readonly allKeys: boolean;
  /** Kept and shown, though a Sentinel has no keys. */
  readonly keys: readonly KeyPattern[];
  readonly allChannels: boolean;
  readonly channels: readonly string[];
}

export const EMPTY_SELECTOR: AclSelector = {
  base: 'none',
  rules: [],
  allKeys: false,
  keys: [],
  allChannels: false,
  channels: [],
};

/** Why a rule was refused, in Redis's words. */
export class AclRuleError extends Error {
  override readonly name = 'AclRuleError';
  readonly code = 'ERR_ACL_RULE';
}

const SYNTAX = 'Syntax error';
const UNKNOWN = 'Unknown command or category name in ACL';
const AFTER_ALL =
  'Adding a pattern after the * pattern (or the %all flag) is not valid and does not have any effect. ' +
  "Try '%reset' to start with an empty list of %what";

/** The selector with one more rule. @param catalogue the commands there are. @throws {AclRuleError} */
export function applySelectorRule(
  selector: AclSelector,
  rule: string,
  catalogue: AclCatalogue = SENTINEL_CATALOGUE,
): AclSelector {
  switch (rule.toLowerCase()) {
    case 'allkeys':
    case '~*':
      return { ...selector, allKeys: true, keys: [] };
    case 'resetkeys':
      return { ...selector, allKeys: false, keys: [] };
    case 'allchannels':
    case '&*':
      return { ...selector, allChannels: true, channels: [] };
    case 'resetchannels':
      return { ...selector, allChannels: false, channels: [] };
    case 'allcommands':
    case '+@all':
      return { ...selector, base: 'all', rules: [] };
    case 'nocommands':
    case '-@all':
      return { ...selector, base: 'none', rules: [] };
    default:
      return applyPatternOrCommand(selector, rule, catalogue);
  }
}

function applyPatternOrCommand(selector: AclSelector, rule: string, catalogue: AclCatalogue): AclSelector {
  const rest = rule.slice(1);
  switch (rule[0]) {
    case '~':
      return addKey(selector, { access: 'both', pattern: rest });
    case '%':
      return addKey(selector, keyPattern(rest));
    case '&':
      return addChannel(selector, rest);
    case '+':
      return addCommandRule(selector, { allow: true, target: rest.toLowerCase() }, catalogue);
    case '-':
      return addCommandRule(selector, { allow: false, target: rest.toLowerCase() }, catalogue);
    default:
      throw new AclRuleError(SYNTAX);
  }
}

function keyPattern(text: string): KeyPattern {
  const match = /^(r|w|rw|wr)~(.*)$/is.exec(text);
  const [, letters, pattern] = match ?? [];
  if (letters === undefined || pattern === undefined) throw new AclRuleError(SYNTAX);
  const access = letters.length === 2 ? 'both' : letters.toLowerCase() === 'r' ? 'read' : 'write';
  return { access, pattern };
}

function addKey(selector: AclSelector, key: KeyPattern): AclSelector {
  if (/\s|\0/.test(key.pattern)) throw new AclRuleError(SYNTAX);
  if (key.access === 'both' && key.pattern === '*') return { ...selector, allKeys: true, keys: [] };
  if (selector.allKeys) throw new AclRuleError(afterAll('allkeys', 'resetkeys', 'patterns'));
  const known = selector.keys.some((k) => k.access === key.access && k.pattern === key.pattern);
  return known ? selector : { ...selector, keys: [...selector.keys, key] };
}

function addChannel(selector: AclSelector, channel: string): AclSelector {
  if (/\s|\0/.test(channel)) throw new AclRuleError(SYNTAX);
  if (selector.allChannels) throw new AclRuleError(afterAll('allchannels', 'resetchannels', 'channels'));
  if (selector.channels.includes(channel)) return selector;
  return { ...selector, channels: [...selector.channels, channel] };
}

function afterAll(all: string, reset: string, what: string): string {
  return AFTER_ALL.replace('%all', `'${all}'`).replace('%reset', reset).replace('%what', what);
}

function addCommandRule(selector: AclSelector, added: CommandRule, catalogue: AclCatalogue): AclSelector {
  checkTarget(added, catalogue);
  // What the new rule covers need not be said before it; without that, another rule may have become idle.
  const rules = [...selector.rules.filter((rule) => !covers(added.target, rule.target)), added];
  const start: AclSelector = { ...selector, rules: [] };
  return rules.reduce((before, rule) => withRule(before, rule, catalogue), start);
}

/** The selector with the rule, unless it changes nothing. */
function withRule(selector: AclSelector, rule: CommandRule, { commands }: AclCatalogue): AclSelector {
  const added = { ...selector, rules: [...selector.rules, rule] };
  const isFirst = rule.target.includes('|') && !commands.has(rule.target);
  return isFirst || !sameCommands(selector, added, commands) ? added : selector;
}

function checkTarget({ allow, target }: CommandRule, { commands, containers }: AclCatalogue): void {
  if (target.startsWith('@')) {
    if (!isCategory(target.slice(1))) throw new AclRuleError(UNKNOWN);
    return;
  }
  if (commands.has(target)) return;
  const [command = '', argument, more] = target.split('|');
  if (!commands.has(command)) throw new AclRuleError(UNKNOWN);
  if (argument === '') throw new AclRuleError(SYNTAX);
  if (more !== undefined) throw new AclRuleError('Allowing first-arg of a subcommand is not supported');
  // `+ping|x` allows a command with a certain first argument; there is no such thing for a container or a denial.
  if (containers.has(command) || !allow) throw new AclRuleError(UNKNOWN);
}

/** True when every command that `narrow` names is named by `wide` too, for targets of a kind. */
function covers(wide: string, narrow: string): boolean {
  return wide === narrow || narrow.startsWith(`${wide}|`);
}

function sameCommands(a: AclSelector, b: AclSelector, commands: ReadonlyMap<string, AclCommand>): boolean {
  for (const command of commands.values()) {
    if (selectorAllows(a, command) !== selectorAllows(b, command)) return false;
  }
  return true;
}

/** @param firstArgument lower case, for rules such as `+ping|x`. */
export function selectorAllows(selector: AclSelector, command: AclCommand, firstArgument = ''): boolean {
  if (ALWAYS_ALLOWED.has(command.name)) return true;
  let allowed = selector.base === 'all';
  for (const { allow, target } of selector.rules) {
    if (concerns(target, command, firstArgument)) allowed = allow;
  }
  return allowed;
}

function concerns(target: string, command: AclCommand, firstArgument: string): boolean {
  if (target.startsWith('@')) return command.categories.some((category) => `@${category}` === target);
  if (covers(target, command.name)) return true;
  return target === `${command.name}|${firstArgument}`;
}

/** The rules on commands, as `ACL LIST` shows them. */
export function describeCommands(selector: AclSelector): string {
  const base = selector.base === 'all' ? '+@all' : '-@all';
  return [base, ...selector.rules.map((rule) => `${rule.allow ? '+' : '-'}${rule.target}`)].join(' ');
}

export function describeKeys(selector: AclSelector): string {
  if (selector.allKeys) return '~*';
  const prefix = { read: '%R~', write: '%W~', both: '~' } as const;
  return selector.keys.map((key) => `${prefix[key.access]}${key.pattern}`).join(' ');
}

export function describeChannels(selector: AclSelector): string {
  if (selector.allChannels) return '&*';
  return selector.channels.map((channel) => `&${channel}`).join(' ');
}

/** The whole selector as rules. */
export function describeSelector(selector: AclSelector): string {
  const channels = selector.allChannels ? '&*' : `resetchannels ${describeChannels(selector)}`.trim();
  return [describeKeys(selector), channels, describeCommands(selector)].filter((part) => part !== '').join(' ');
}

/** Names of the commands in a category, for `ACL CAT <category>`. Null: no such category. */
export function commandsOfCategory(name: string): readonly string[] | null {
  const category = ACL_CATEGORIES.find((c) => c === name.toLowerCase());
  if (category === undefined) return null;
  return [...ACL_COMMANDS.values()].filter((c) => c.categories.includes(category)).map((c) => c.name);
}
