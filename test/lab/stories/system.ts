/** What the lab asks of a system under test, whoever made it. */

import type { Host } from '../host.js';
import { pidsOn } from './processes.js';
import { replication } from './redis-node.js';
import type { Stage } from './stage.js';

/** How a client comes in. */
export type Door =
  | { readonly kind: 'vip' | 'proxy'; readonly host: string; readonly port: number; readonly password?: string }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly { readonly host: string; readonly port: number }[];
      readonly name: string;
    };

export interface ProxyPlace {
  readonly host: Host;
  /** What its processes are called. */
  readonly pattern: RegExp;
  /** As after a crash; a system that restarts it by itself leaves this empty. */
  start(): void;
}

/** One Redis of a group. */
export interface RedisPlace {
  readonly group: string;
  readonly port: number;
  readonly socket: string;
  readonly password?: string | undefined;
  /** What its process is called. */
  readonly processPattern: RegExp;
  /** As after a crash; a system that restarts it by itself leaves this empty. */
  start(): void;
  /** Removes what it has on disk; it does not run. */
  wipe(): void;
  readonly log?: string;
}

/** A host of the system, with what runs there beside Redis: keepalived, a Sentinel, an agent. */
export interface Member {
  readonly host: Host;
  readonly redis: readonly RedisPlace[];
  /** What its control processes are called. */
  readonly agentPattern: RegExp;
  /** Resolves when its service manager would take it for started. */
  startAgent(): Promise<void>;
  /** Ends it as its service manager would, and waits until it is gone. */
  stopAgent(): Promise<void>;
  readonly log: string;
}

export interface System {
  readonly name: string;
  readonly members: readonly Member[];
  /** How clients come in; told when it has started, and which host the fault will strike. */
  doors(target: Member): readonly Door[];
  readonly vips: readonly string[];
  /** The group that the faults strike. */
  readonly group: string;
  /** After a fault is mended: how long all must be well before it is believed. */
  readonly calm_ms: number;
  /** Starts it all; resolves when {@link flaw} has nothing to say. */
  start(): Promise<void>;
  /** What is not as it should be: more or less than one master, a replica without a link, a VIP nowhere or twice. */
  flaw(): Promise<string | null>;
  /** Takes the master's role from a host, as its operator would. */
  switchover(from: Member): Promise<void>;
  /** Gives it back to `to`. */
  failback(to: Member): Promise<void>;
  /** The proxy that clients come in by; absent without one. */
  proxy?(target: Member): ProxyPlace;
}

export interface SystemKind {
  readonly name: string;
  readonly title: string;
  readonly hasProxy?: boolean;
  readonly create: (stage: Stage) => System;
}

/** The Redis of a member that belongs to a group. */
export function redisOf(member: Member, group: string): RedisPlace | undefined {
  return member.redis.find((each) => each.group === group);
}

/** Who has the group's master. @throws {Error} when nobody or several have. */
export async function masterOf(system: System): Promise<Member> {
  const roles = await rolesIn(system, system.group);
  const masters = roles.filter(({ fields }) => fields?.['role'] === 'master').map(({ member }) => member);
  const [only] = masters;
  if (only === undefined || masters.length > 1) throw new Error(`${masters.length} masters of ${system.group}`);
  return only;
}

/** See {@link System.flaw}: of replication, and of VIPs, each of which shall be on one host. */
export async function commonFlaw(system: System): Promise<string | null> {
  const groups = new Set(system.members.flatMap((member) => member.redis.map(({ group }) => group)));
  for (const group of groups) {
    const flaw = await replicationFlaw(system, group);
    if (flaw !== null) return flaw;
  }
  for (const vip of system.vips) {
    const holders = system.members.filter(({ host }) => host.holds(vip)).map(({ host }) => host.name);
    if (holders.length !== 1) return `${vip} is held by ${holders.length === 0 ? 'nobody' : holders.join(' and ')}`;
  }
  return null;
}

async function replicationFlaw(system: System, group: string): Promise<string | null> {
  const roles = await rolesIn(system, group);
  const silent = roles.find(({ fields }) => fields === null);
  if (silent !== undefined) return `${group}: ${silent.member.host.name} does not answer`;
  const masters = roles.filter(({ fields }) => fields?.['role'] === 'master');
  const [master] = masters;
  if (master === undefined || masters.length > 1) {
    return `${group}: masters: ${masters.map(({ member }) => member.host.name).join(', ') || 'none'}`;
  }
  for (const { member, fields } of roles) {
    if (member === master.member || fields === null) continue;
    const { master_host: host, master_link_status: link } = fields;
    const follows = host === master.member.host.address || system.vips.includes(host ?? '');
    if (!follows || link !== 'up') return `${group}: ${member.host.name} follows ${host}, link ${link}`;
  }
  return null;
}

async function rolesIn(
  system: System,
  group: string,
): Promise<{ member: Member; fields: Record<string, string> | null }[]> {
  return Promise.all(
    system.members.flatMap((member) => {
      const redis = redisOf(member, group);
      return redis === undefined
        ? []
        : [
            replication(redis).then(
              (fields) => ({ member, fields }),
              () => ({ member, fields: null }),
            ),
          ];
    }),
  );
}

export function agentPids(member: Member): number[] {
  return pidsOn(member.host, member.agentPattern);
}
