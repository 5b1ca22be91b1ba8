/** A broken invariant: a fault in this program, never in its input. It stays on in production. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
  readonly code = 'ERR_INVARIANT';
}

/** States what must hold here. @throws {InvariantError} when it does not. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new InvariantError(what);
}

/** Closes an exhaustive `switch`: a case that the types exclude has been reached. */
export function unreachable(value: never, what: string): never {
  throw new InvariantError(`${what}: unexpected ${JSON.stringify(value)}`);
}
