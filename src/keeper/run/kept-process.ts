/** What the runner needs of the process behind its Redis, whoever started it. */
import type { ProcessLook } from '../core/io.js';

export interface KeptProcess {
  /** Null when none runs, or none can be seen. */
  readonly pid: number | null;
  /** Finds it again, or starts it. */
  start(): void;
  look(): Promise<ProcessLook>;
  /** Ends it for good, wherever it hangs. */
  kill(reason: string): void;
  /** Its connection broke: is it still there? */
  checkNow(): void;
  /** It answered a request. */
  answered(): void;
  /** Forgets it without ending it. */
  letGo(): void;
}
