/**
 * Clients that share connections to a server must agree on what a connection is set to: its database, and the version of
 * the protocol that its replies are in. A lane is both in one number, so that the forwarding path compares one number.
 */
export function laneOf(db: number, resp3: boolean): number {
  return db * 2 + Number(resp3);
}

export function dbOf(lane: number): number {
  return Math.floor(lane / 2);
}

/** True when replies come in version 3 of the protocol. */
export function isResp3(lane: number): boolean {
  return lane % 2 === 1;
}
