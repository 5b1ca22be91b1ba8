/** What a checker of whole agents is: told every fact, and shown the world whenever something may have changed. */
import type { Checker } from '../../checkers/checker.js';
import type { Fact } from '../../fact.js';
import type { HostSight } from '../sight.js';

export interface AgentChecker extends Checker {
  /** @returns what is wrong with what is to be seen of one group now, or null. */
  look(group: string, hosts: readonly HostSight[], now: number): string | null;
}

/** One that looks only at facts. */
export abstract class FactChecker implements AgentChecker {
  readonly kind: Checker['kind'] = 'fault';
  abstract readonly property: string;
  abstract take(fact: Fact): string | null;

  look(): string | null {
    return null;
  }
}

/** One that looks only at what is to be seen. */
export abstract class SightChecker implements AgentChecker {
  readonly kind: Checker['kind'] = 'fault';
  abstract readonly property: string;
  abstract look(group: string, hosts: readonly HostSight[], now: number): string | null;

  take(): string | null {
    return null;
  }
}
