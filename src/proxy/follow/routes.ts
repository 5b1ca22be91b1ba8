/** Where the masters of groups are, as whoever decides it has told this process. Pure. */

/** The master of one group, by its leader record. */
export interface Route {
  readonly group: string;
  readonly host: string;
  readonly port: number;
  /** Rises with every change of the record; an older one is ignored. */
  readonly epoch: number;
  /** Epochs have begun anew: what is known under a greater one is of a cluster that is no more. */
  readonly anew?: boolean;
}

/** A group whose master is about to change: requests wait, and what is under way is answered, before it steps down. */
export interface Hold {
  readonly group: string;
  /** After this time the old master is asked again, unless a new route has come. */
  readonly for_ms: number;
  readonly reason: string;
}

/** The newest route of each group. */
export class RouteTable {
  readonly #routes = new Map<string, Route>();

  /** Keeps a route. @returns false when a newer one is known: then it is to be ignored. */
  take({ group, host, port, epoch, anew = false }: Route): boolean {
    const known = this.#routes.get(group);
    if (known !== undefined && epoch < known.epoch && !anew) return false;
    // That it began anew is said once: whoever is told of it later may know a newer one.
    this.#routes.set(group, { group, host, port, epoch });
    return true;
  }

  get(group: string): Route | null {
    return this.#routes.get(group) ?? null;
  }

  get all(): Route[] {
    return [...this.#routes.values()];
  }
}
