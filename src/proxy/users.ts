/** The users of a pool: who may log in, and what each may send. */
import { createHash } from 'node:crypto';
import type { PoolConfig, UserConfig } from '../config/nutcracker-types.js';
import { checkRequest, denialMessage, type RequestKeys } from '../redis/acl/acl-check.js';
import type { AclSelector } from '../redis/acl/acl-selector.js';
import { SERVER_CATALOGUE } from '../redis/acl/acl-server-commands.js';
import {
  type AclUser,
  applyRules,
  defaultUser,
  newUser,
  passwordIsRight,
  type RuleContext,
  withRequirepass,
} from '../redis/acl/acl-user.js';

/** A user of a pool, with what the forwarding path asks of it. */
export interface PoolUser {
  readonly name: string;
  /** It may do everything: its requests are not looked at. */
  readonly free: boolean;
  readonly acl: AclUser;
}

const CONTEXT: RuleContext = {
  hash: (text) => createHash('sha256').update(text).digest('hex'),
  pubsubDefault: 'resetchannels',
  catalogue: SERVER_CATALOGUE,
};

/** Scripts run on the servers with the proxy's rights, so no rule on commands or keys would bind them. */
const SCRIPTS = new Set(['eval', 'evalsha', 'eval_ro', 'evalsha_ro', 'fcall', 'fcall_ro', 'script']);
const SCRIPT_DENIED =
  "NOPERM scripts run with the proxy's rights on the servers: only a user with '~* &* +@all' may run them";

/** Keys are bytes; so are the patterns they are compared with. */
function asBytes(rule: string): string {
  return /^[~&%(]/.test(rule) ? Buffer.from(rule).toString('latin1') : rule;
}

function mayDoAll({ base, rules, allKeys, allChannels }: AclSelector): boolean {
  return base === 'all' && rules.length === 0 && allKeys && allChannels;
}

function poolUser(acl: AclUser): PoolUser {
  return { name: acl.name, free: mayDoAll(acl.root) || acl.selectors.some(mayDoAll), acl };
}

/** What is wrong with a user, without its passwords; or null. */
export function userProblem({ name, rules }: UserConfig): string | null {
  const made = applyRules(newUser(name, CONTEXT), rules.map(asBytes), CONTEXT);
  if ('kind' in made) {
    if (made.kind === 'parenthesis') return `users: '${name}': a selector has no closing parenthesis`;
    const shown = /^[><#!]/.test(made.modifier) ? `${made.modifier[0]}…` : made.modifier;
    return `users: '${name}': rule '${shown}': ${made.message}`;
  }
  const keys = [made.root, ...made.selectors].flatMap((selector) => selector.keys);
  if (keys.some(({ access }) => access !== 'both')) {
    return `users: '${name}': %R~ and %W~ are not told apart by the proxy; use ~ and rules on commands`;
  }
  if (made.enabled && !made.nopass && made.passwords.length === 0) {
    return `users: '${name}': has no password and can never log in; write '>password', '#sha256' (the entry in quotes, or YAML takes it for a comment) or 'nopass'`;
  }
  return null;
}

export class PoolUsers {
  readonly #users = new Map<string, PoolUser>();

  /** @throws {Error} for users that {@link userProblem} complains about. */
  constructor(users: readonly UserConfig[], { redisAuth }: PoolConfig) {
    if (redisAuth !== null) {
      this.#users.set('default', poolUser(withRequirepass(defaultUser(), redisAuth, CONTEXT.hash)));
    }
    for (const user of users) {
      const problem = userProblem(user);
      const made = applyRules(newUser(user.name, CONTEXT), user.rules.map(asBytes), CONTEXT);
      if (problem !== null || 'kind' in made) throw new Error(problem ?? 'users: a rule is wrong');
      this.#users.set(user.name, poolUser(made));
    }
  }

  /** Who a client is before it logs in; null when it must. */
  get first(): PoolUser | null {
    const user = this.find('default');
    return user?.acl.nopass === true ? user : null;
  }

  /** A user who may be logged in. */
  find(name: string): PoolUser | null {
    const user = this.#users.get(name);
    return user?.acl.enabled === true ? user : null;
  }

  login(name: string, password: string): PoolUser | null {
    const user = this.find(name);
    return user !== null && passwordIsRight(user.acl, password, CONTEXT.hash) ? user : null;
  }
}

/** Why the user may not send this, as an error reply's text; null when it may. Keys and arguments are bytes as latin-1. */
export function denialOf(user: PoolUser, request: readonly string[], touched: RequestKeys): string | null {
  if (SCRIPTS.has((request[0] ?? '').toLowerCase())) return SCRIPT_DENIED;
  const denial = checkRequest(user.acl, request, touched, SERVER_CATALOGUE);
  return denial === null ? null : denialMessage(denial);
}
