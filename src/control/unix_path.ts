/**
 * The socket files of listeners. A file is removed in two cases only: before a bind, when it is a
 * socket that does not answer (left by a process that was killed), and after the close of ours,
 * when it is still the very one that was bound. Everything else at a path belongs to others.
 */
import { unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { lookAtPath, occupied } from '../config/socket_path.js';
import type { Endpoint } from '../core/endpoint.js';
import { err, ok, type Result } from '../core/result.js';

/** A socket file that this daemon has bound. */
export interface PathOwner {
  readonly path: string;
  readonly device: bigint;
  readonly inode: bigint;
}

/** Makes sure that `endpoint` may be bound as far as its path goes, or says what is in the way. */
export async function clearPath(endpoint: Endpoint): Promise<Result<null, string>> {
  if (endpoint.kind !== 'unix') return ok(null);
  const { path } = endpoint;
  const found = lookAtPath(path);
  switch (found.kind) {
    case 'nothing':
      return ok(null);
    case 'unknown':
      return err(`the path cannot be looked at (${found.errno})`);
    case 'other':
      return err(occupied(found.what));
    case 'socket': {
      const answer = await ask(path);
      if (answer === 'something answers') return err('another process listens there (EADDRINUSE)');
      // A process that is there but did not take the connection is no less alive.
      if (answer !== 'ECONNREFUSED') return err(`a socket is there, and connecting says ${answer}`);
      return removePath({ path, ...found })
        ? ok(null)
        : err('a socket at which nothing answers is there, and it cannot be removed');
    }
  }
}

/** Whose socket is at the path of `endpoint` now; asked right after it was bound. */
export function whoBound(endpoint: Endpoint): PathOwner | null {
  if (endpoint.kind !== 'unix') return null;
  const { path } = endpoint;
  const found = lookAtPath(path);
  if (found.kind !== 'socket') return null;
  return { path, device: found.device, inode: found.inode };
}

/** Whether the socket file is still there, and the very one that was bound. */
function isStillAt({ path, device, inode }: PathOwner): boolean {
  const found = lookAtPath(path);
  return found.kind === 'socket' && found.device === device && found.inode === inode;
}

/** Whether the path leads to another file, or to none; not said of one that cannot be seen. */
export function isGone(owner: PathOwner): boolean {
  return lookAtPath(owner.path).kind !== 'unknown' && !isStillAt(owner);
}

/** Removes the socket file, if it is still that one; true when nothing is left of it. */
export function removePath(owner: PathOwner): boolean {
  const { path } = owner;
  if (lookAtPath(path).kind === 'nothing') return true;
  if (!isStillAt(owner)) return false;
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Does anything answer at `path`? Otherwise the name of the errno. */
function ask(path: string): Promise<'something answers' | string> {
  return new Promise((resolve) => {
    const attempt = connect({ path });
    attempt.once('connect', () => {
      attempt.destroy();
      resolve('something answers');
    });
    attempt.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}
