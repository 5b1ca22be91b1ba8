/** Waits with an end, and waiting once for many. */
import { ApiError } from './errors.js';

/** @throws {ApiError} 503 `message` when the promise is not settled after `deadline_ms`; it goes on by itself */
export async function within<T>(promise: Promise<T>, deadline_ms: number, message: string, fix: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new ApiError(503, message, fix)), deadline_ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Many who ask the same thing at the same time share one answer: a crowd of readers costs what one costs. */
export class Shared<T> {
  readonly #ask: () => Promise<T>;
  #running: Promise<T> | null = null;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  get(): Promise<T> {
    this.#running ??= this.#ask().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }
}
