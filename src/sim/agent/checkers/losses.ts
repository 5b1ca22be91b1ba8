import type { Fact } from '../../fact.js';
import { FactChecker } from './agent-checker.js';

/** What a full resync takes from a Redis, and does not give it again, has been put aside before. */
export class SavedFirst extends FactChecker {
  readonly property = 'what is discarded was put aside before';

  /**
   * @param savedBy what the keeper of a Redis has put aside
   * @param kept whether that keeper has been running all the while: nobody else can
   */
  constructor(
    private readonly savedBy: (redis: string) => ReadonlySet<number>,
    private readonly kept: (redis: string) => boolean,
  ) {
    super();
  }

  take(fact: Fact): string | null {
    if (fact.kind !== 'replaced' || fact.had.length === 0) return null;
    const has = new Set(fact.has.map(({ id }) => id));
    const saved = this.savedBy(fact.redis);
    const lost = fact.had.filter(({ id }) => !has.has(id) && !saved.has(id));
    const [first] = lost;
    return first === undefined || !this.kept(fact.redis)
      ? null
      : `${fact.redis} loses ${lost.length} writes, write ${first.id} first`;
  }
}

/** An acknowledged write is in the data of the master that remains: always with durability, else if all was planned. */
export class NothingLost extends FactChecker {
  readonly property: string;
  readonly #acknowledged: { readonly group: string; readonly write: number; readonly by: string }[] = [];

  constructor(
    owed: 'durable' | 'planned',
    private readonly owes: boolean,
  ) {
    super();
    this.property =
      owed === 'durable'
        ? 'with durability no acknowledged write is lost'
        : 'a planned change loses no acknowledged write';
  }

  take(fact: Fact): string | null {
    if (!this.owes) return null;
    if (fact.kind === 'acknowledged') this.#acknowledged.push(fact);
    if (fact.kind !== 'ended') return null;
    for (const { group, write, by } of this.#acknowledged) {
      const outcome = fact.groups.find((one) => one.group === group);
      if (outcome?.held.has(write) === false) return `write ${write} of ${group}, acknowledged by ${by}, is lost`;
    }
    return null;
  }
}
