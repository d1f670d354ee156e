/** Whether journald reads a descriptor: then a line may begin with its priority (sd-daemon(3)). */
import { fstatSync } from 'node:fs';

/** `stream` is JOURNAL_STREAM: device and inode of the stream from systemd (systemd.exec(5)). */
export function isJournal(stream: string | undefined, fd: number): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
