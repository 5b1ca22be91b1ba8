/** Whether a stream leads to systemd's journal. */
import { fstatSync } from 'node:fs';

/** @param fd is compared with what the service manager says that it has connected: JOURNAL_STREAM of systemd.exec(5) */
export function isJournal(fd: number, env: NodeJS.ProcessEnv = process.env): boolean {
  const connected = env['JOURNAL_STREAM'];
  if (connected === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return connected === `${dev}:${ino}`;
  } catch {
    // A stream that is closed leads nowhere.
    return false;
  }
}
