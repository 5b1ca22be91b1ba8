/**
 * Stands between the keepers of this host and its VIPs: shut, it grants nothing, and remembers what the keepers want until
 * it is opened again. Pure.
 */

export interface Vips {
  /** @param until_ns CLOCK_MONOTONIC */
  grant(group: string, until_ns: bigint): void;
  /** @param reason one sentence */
  revoke(group: string, reason: string): void;
}

export class VipGate implements Vips {
  readonly #vips: Vips;
  /** By group: the latest grant that its keeper has not taken back. */
  readonly #granted = new Map<string, bigint>();
  /** Why it is shut; null when it is open. */
  #objection: string | null;

  /** @param objection why it is shut from the start, or null */
  constructor(vips: Vips, objection: string | null) {
    this.#vips = vips;
    this.#objection = objection;
  }

  grant(group: string, until_ns: bigint): void {
    this.#granted.set(group, until_ns);
    this.#tell(group, until_ns);
  }

  revoke(group: string, reason: string): void {
    this.#granted.delete(group);
    this.#vips.revoke(group, reason);
  }

  /** Shuts it, or with null opens it: what the keepers want holds again. */
  set(objection: string | null): void {
    if (objection === this.#objection) return;
    this.#objection = objection;
    for (const [group, until_ns] of this.#granted) this.#tell(group, until_ns);
  }

  #tell(group: string, until_ns: bigint): void {
    if (this.#objection === null) this.#vips.grant(group, until_ns);
    else this.#vips.revoke(group, this.#objection);
  }
}
