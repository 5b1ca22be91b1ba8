/** What INFO counts. */
export class ServerStats {
  readonly startedAt = performance.now();
  connections = 0;
  rejected = 0;
  commands = 0;
  errors = 0;
  /** Bytes of clients that are gone; the living are asked themselves. */
  input_bytes = 0;
  output_bytes = 0;
}
