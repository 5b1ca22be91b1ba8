/** All users of a server: loading, changing, logging in. Changes are complete or do not happen. */
import {
  type AclUser,
  applyRules,
  defaultUser,
  describeUser,
  newUser,
  passwordIsRight,
  type RuleContext,
  type RuleFault,
  withRequirepass,
} from './acl-user.js';

/** A user as a configuration has it. */
export interface UserRules {
  readonly name: string;
  readonly rules: readonly string[];
}

/** Users that cannot be loaded; the message names the place. */
export class AclLoadError extends Error {
  override readonly name = 'AclLoadError';
  readonly code = 'ERR_ACL_LOAD';
}

export class AclUsers {
  readonly #context: RuleContext;
  #users: ReadonlyMap<string, AclUser>;

  /** Starts with the user `default`, who may do everything. */
  constructor(context: RuleContext) {
    this.#context = context;
    this.#users = new Map([['default', defaultUser()]]);
  }

  get(name: string): AclUser | null {
    return this.#users.get(name) ?? null;
  }

  /** Names in order. */
  names(): readonly string[] {
    return [...this.#users.keys()].sort();
  }

  /** Users as a configuration has them, in order of their names. */
  rules(): readonly UserRules[] {
    return this.names().flatMap((name) => {
      const user = this.#users.get(name);
      return user === undefined ? [] : [{ name, rules: describeUser(user) }];
    });
  }

  /** The lines of `ACL LIST` and of an ACL file. */
  lines(): readonly string[] {
    return this.rules().map(({ name, rules }) => ['user', name, ...rules].join(' '));
  }

  /**
   * Replaces all users. A `default` that is not among them is the usual one.
   * @throws {AclLoadError} for a bad rule or a name that comes twice; the users are then as before.
   */
  load(list: readonly UserRules[]): void {
    const users = new Map<string, AclUser>();
    for (const { name, rules } of list) {
      if (users.has(name)) throw new AclLoadError(`Duplicate user '${name}' found. A user can only be defined once`);
      const made = applyRules(newUser(name, this.#context), rules, this.#context);
      if ('kind' in made) throw new AclLoadError(`Error in user declaration '${name}': ${faultText(made)}`);
      users.set(name, made);
    }
    if (!users.has('default')) users.set('default', defaultUser());
    this.#users = users;
  }

  /** `ACL SETUSER`. Null when done. */
  setUser(name: string, rules: readonly string[]): RuleFault | null {
    const before = this.#users.get(name) ?? newUser(name, this.#context);
    const after = applyRules(before, rules, this.#context);
    if ('kind' in after) return after;
    this.#users = new Map(this.#users).set(name, after);
    return null;
  }

  /** `ACL DELUSER`, for any name but `default`. The names that existed: their clients must be disconnected. */
  deleteUsers(names: readonly string[]): readonly string[] {
    const users = new Map(this.#users);
    const deleted = names.filter((name) => name !== 'default' && users.delete(name));
    this.#users = users;
    return deleted;
  }

  /** `requirepass`; empty to let everybody in. */
  setRequirepass(password: string): void {
    const user = this.#users.get('default') ?? defaultUser();
    this.#users = new Map(this.#users).set('default', withRequirepass(user, password, this.#context.hash));
  }

  /** The user who has logged in, or null. */
  authenticate(name: string, password: string): AclUser | null {
    const user = this.#users.get(name);
    return user !== undefined && passwordIsRight(user, password, this.#context.hash) ? user : null;
  }

  /** What is wrong with rules, in one sentence, or null: for a check before anything is used. */
  checkRules(name: string, rules: readonly string[]): string | null {
    const made = applyRules(newUser(name, this.#context), rules, this.#context);
    return 'kind' in made ? faultText(made) : null;
  }
}

function faultText(fault: RuleFault): string {
  return fault.kind === 'modifier'
    ? `rule '${fault.modifier}': ${fault.message}`
    : `unmatched parenthesis in the selector that starts at '${fault.start}'`;
}

/** The error reply's text for `ACL SETUSER`. */
export function setUserErrorText(fault: RuleFault): string {
  return fault.kind === 'modifier'
    ? `ERR Error in ACL SETUSER modifier '${fault.modifier}': ${fault.message}`
    : `ERR Unmatched parenthesis in acl selector starting at '${fault.start}'.`;
}

/**
 * The users of an ACL file: lines `user <name> <rule> …`, blank lines, and comments.
 * @throws {AclLoadError} naming the line.
 */
export function parseAclFile(text: string): readonly UserRules[] {
  const users: UserRules[] = [];
  text.split('\n').forEach((line, index) => {
    const words = line.trim().split(/[ \t]+/);
    const [keyword, name, ...rules] = words;
    if (keyword === '' || keyword?.startsWith('#') === true) return;
    if (keyword !== 'user' || name === undefined) {
      throw new AclLoadError(`line ${index + 1}: should start with user keyword, and a name`);
    }
    users.push({ name, rules });
  });
  return users;
}
