/**
 * Paths of UNIX sockets that the daemon binds. What is found there is looked at without following
 * links: only a socket may ever be removed, so anything else is a problem of the file, as is a
 * folder that is missing.
 */
import { lstatSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Spec } from '../core/spec.js';
import type { Issue } from './issue.js';
import type { Path } from './path.js';
import { formatPath } from './path.js';
import { indexPositions } from './positions.js';

/** What a path names. `unknown`: it cannot be looked at, and why (the name of the errno). */
export type PathKind =
  | { readonly kind: 'nothing' }
  /** A socket; the two numbers show whether it is still the same one later. */
  | { readonly kind: 'socket'; readonly device: bigint; readonly inode: bigint }
  | { readonly kind: 'other'; readonly what: string }
  | { readonly kind: 'unknown'; readonly errno: string };

/** Looks at `path` itself (lstat(2)): a link is a link, wherever it leads. */
export function lookAtPath(path: string): PathKind {
  try {
    const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (found === undefined) return { kind: 'nothing' };
    if (found.isSocket()) return { kind: 'socket', device: found.dev, inode: found.ino };
    return { kind: 'other', what: nameOf(found) };
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? 'an unknown error';
    return errno === 'ENOENT' ? { kind: 'nothing' } : { kind: 'unknown', errno };
  }
}

/** Why a listener cannot have a path where `what` is. */
export function occupied(what: string): string {
  return `there is ${what}, which sluice does not remove: move it away, or choose another path`;
}

/** Every path that `spec` binds and that cannot become a socket, whichever user runs the daemon. */
export function findBadPaths(text: string, file: string, spec: Spec): readonly Issue[] {
  const found = spec.listeners.flatMap(({ name, bind }) =>
    bind.flatMap((endpoint, index) => {
      if (endpoint.kind !== 'unix') return [];
      const trouble = troubleAt(endpoint.path);
      return trouble === null ? [] : [{ name, index, path: endpoint.path, trouble }];
    }),
  );
  if (found.length === 0) return [];
  const positions = indexPositions(text);
  return found.map(({ name, index, path, trouble }) => {
    const key: Path = ['listeners', name, 'bind', index];
    const got = JSON.stringify(`unix:${path}`);
    return { file, ...positions.near(key), key: formatPath(key), ...trouble, got };
  });
}

/** A control socket that cannot be opened: a warning, as traffic is served all the same. */
export function findBadControlPath(text: string, file: string, spec: Spec): readonly Issue[] {
  const { socket } = spec.admin;
  if (socket === null || socket === 'auto') return [];
  const trouble = troubleAt(socket);
  if (trouble === null) return [];
  const key: Path = ['admin', 'socket'];
  const place = { file, ...indexPositions(text).near(key), key: formatPath(key) };
  return [{ ...place, ...trouble, code: 'no-control-socket', got: JSON.stringify(socket) }];
}

function troubleAt(path: string): Pick<Issue, 'code' | 'problem' | 'expected'> | null {
  const seen = lookAtPath(path);
  switch (seen.kind) {
    case 'socket':
      return null;
    case 'other': {
      const expected = 'a path that is free, or a socket at which nothing answers any more';
      return { code: 'occupied', problem: `${path} is ${seen.what}, not a socket`, expected };
    }
    case 'nothing':
    case 'unknown': {
      const folder = dirname(path);
      const is = folderTrouble(folder);
      const expected = 'a folder that is there: RuntimeDirectory in the unit makes one';
      return is === null ? null : { code: 'no-folder', problem: `${folder} ${is}`, expected };
    }
  }
}

/**
 * Why `folder` cannot have a socket, as the end of a sentence; null also where this user has no
 * access: the daemon's may have.
 */
export function folderTrouble(folder: string): string | null {
  try {
    return statSync(folder).isDirectory() ? null : 'is not a folder';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return 'does not exist';
    return code === 'ENOTDIR' ? 'is in no folder' : null;
  }
}

function nameOf(found: {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
}): string {
  if (found.isFile()) return 'a file';
  if (found.isDirectory()) return 'a directory';
  if (found.isSymbolicLink()) return 'a symbolic link';
  return found.isFIFO() ? 'a named pipe' : 'a device';
}
