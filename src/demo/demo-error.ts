/** A failure that the demo's user can do something about: its message is all that is shown. */
export class DemoError extends Error {
  override readonly name: string = 'DemoError';
  readonly code: string = 'ERR_DEMO';
}
