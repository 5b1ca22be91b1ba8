/** Users and groups by name, from /etc/passwd and /etc/group. */
import { readFileSync } from 'node:fs';
import type { User } from '../../config/keepalived/model.js';

export interface Ids {
  readonly uid: number;
  readonly gid: number;
}

/** The numbers of a user, or the reason why there are none. */
export function resolveUser(user: User): Ids | string {
  const account = /^\d+$/.test(user.user) ? byId(Number(user.user)) : find('/etc/passwd', user.user);
  if (account === null) return `there is no user ${user.user}`;
  const uid = Number(account[2]);
  if (user.group === null) return { uid, gid: Number(account[3]) };
  if (/^\d+$/.test(user.group)) return { uid, gid: Number(user.group) };
  const group = find('/etc/group', user.group);
  return group === null ? `there is no group ${user.group}` : { uid, gid: Number(group[2]) };
}

/** keepalived's default user for scripts, when this host has it. */
export function defaultScriptUser(): User | null {
  return find('/etc/passwd', 'keepalived_script') === null ? null : { user: 'keepalived_script', group: null };
}

function find(file: string, name: string): string[] | null {
  return table(file).find((fields) => fields[0] === name) ?? null;
}

function byId(uid: number): string[] {
  return table('/etc/passwd').find((fields) => Number(fields[2]) === uid) ?? ['', '', String(uid), String(uid)];
}

function table(file: string): string[][] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    return [];
  }
}
