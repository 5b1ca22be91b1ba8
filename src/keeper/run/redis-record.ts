/** Which process is our Redis, written down so that the next agent knows it again. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../../config/atomic-file.js';
import { processId } from '../../net/process-id.js';

const schema = z.strictObject({
  pid: z.int().positive(),
  /** With these two the pid means this very process, and not a later one of the same number. */
  startTicks: z.int().nonnegative(),
  bootId: z.string(),
  port: z.int().positive(),
  directory: z.string(),
});

export type RedisRecord = z.infer<typeof schema>;

/** Where the record of a group is kept. */
export function recordPath(stateDirectory: string, group: string): string {
  return join(stateDirectory, `${group}.redis.json`);
}

/** What is to be written down of a process; null when it has gone already. */
export function recordOf(
  pid: number,
  where: { readonly port: number; readonly directory: string },
): RedisRecord | null {
  const id = processId(pid);
  return id === null ? null : { ...id, ...where };
}

/** @throws {ConfigFileError} when it cannot be written */
export function writeRecord(path: string, record: RedisRecord): void {
  writeFileAtomic(path, Buffer.from(`${JSON.stringify(record)}\n`));
}

/** Null when there is none, or none that makes sense: the port then tells who is there. */
export function readRecord(path: string): RedisRecord | null {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}

export function removeRecord(path: string): void {
  rmSync(path, { force: true });
}
