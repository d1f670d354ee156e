/**
 * Writing to a descriptor without ever waiting for its reader. A pipe or a terminal is opened once
 * more, because whether a write may wait is a property that all processes with the same open file
 * share: theirs must stay as it is.
 */
import { constants, fstatSync, openSync, type Stats, writeSync } from 'node:fs';

export type WriteOutcome =
  | { readonly kind: 'written'; readonly bytes: number }
  /** The reader is slow: nothing was taken. */
  | { readonly kind: 'busy' }
  /** Nothing was taken, and waiting a little will not help: ENOSPC, EPIPE, EIO. */
  | { readonly kind: 'failed'; readonly errno: string };

export type WriteBytes = (bytes: Uint8Array) => WriteOutcome;

/** A way to write to `fd` (1 or 2). Of a file the kernel takes it all at once. */
export function openOutput(fd: number): WriteBytes {
  const own = withoutWaiting(fd);
  return (bytes) => {
    try {
      return { kind: 'written', bytes: writeSync(own, bytes) };
    } catch (error) {
      const errno = (error as NodeJS.ErrnoException).code ?? 'UNKNOWN';
      return errno === 'EAGAIN' || errno === 'EINTR' ? { kind: 'busy' } : { kind: 'failed', errno };
    }
  };
}

function withoutWaiting(fd: number): number {
  const stats = fstatSync(fd);
  if (stats.isFile()) return fd;
  return reopened(fd, stats) ?? shared(fd);
}

/** null: it is a socket, or belongs to another user, or the pipe has no reader any more. */
function reopened(fd: number, stats: Stats): number | null {
  if (stats.isSocket()) return null;
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
  try {
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    return null;
  }
}

/** Node.js makes pipes and sockets non-blocking when their stream is first asked for. */
function shared(fd: number): number {
  void (fd === 1 ? process.stdout : process.stderr);
  return fd;
}
