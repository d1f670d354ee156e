/**
 * The file of a listening UNIX socket. libuv removes the path of a socket that it closes
 * (uv__pipe_close in src/unix/pipe.c), whichever file is there by then: where ours was removed, and
 * another one bound, that one must stay.
 */
import { linkSync, lstatSync, renameSync } from 'node:fs';

export interface SocketFile {
  readonly path: string;
  readonly device: number;
  readonly inode: number;
}

/** null: there is none. */
export function socketFileAt(path: string): SocketFile | null {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found === undefined ? null : { path, device: found.dev, inode: found.ino };
}

/** Calls `close`, which removes what is at the path of `bound`; another file is put back there. */
export function closeOwn(bound: SocketFile | null, close: () => void): void {
  const aside = bound === null ? null : setAside(bound);
  close();
  if (bound !== null && aside !== null) renameSync(aside, bound.path);
}

/** A second name of the file that is there now; null: it is ours, or there is none. */
function setAside({ path, device, inode }: SocketFile): string | null {
  try {
    const found = socketFileAt(path);
    if (found === null || (found.device === device && found.inode === inode)) return null;
    const aside = `${path}.${process.pid}`;
    linkSync(path, aside);
    return aside;
  } catch {
    // A file that may not be linked is lost, as without this.
    return null;
  }
}
