/** What was thrown, as one text for people: an error's message, and of anything else what it is. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
