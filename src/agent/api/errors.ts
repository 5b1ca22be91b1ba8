/** What the HTTP API answers when it cannot do what was asked: what is wrong, and what to do about it. */

/** Thrown by a route; answered as JSON `{error, fix}` with its status. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code = 'ERR_API';

  constructor(
    /** An HTTP status. */
    readonly status: number,
    message: string,
    readonly fix: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** The body of every answer that is not a success. */
export interface ErrorBody {
  readonly error: string;
  readonly fix: string;
}

export function errorBody(error: { readonly message: string; readonly fix: string }): ErrorBody {
  return { error: error.message, fix: error.fix };
}
