/**
 * One process at a time writes what is in a state directory: a second one with the same folder
 * would replace the overrides of the first. The lock is the kernel's, and goes with the process
 * however that ends; without foreign calls there is none.
 */
import { openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Result } from '../core/result.js';
import type { Kernel } from '../kernel/foreign.js';

/** Why `folder` is not this process's to write to; null: it is, from now on. */
export type StateLock = (folder: string) => string | null;

export interface OwnStateLock {
  readonly take: StateLock;
  /** Takes those that the process before this one held. */
  inherit(): void;
  /** Another process writes from now on, and this one no more. */
  handOver(): void;
}

const FILE_NAME = 'lock';
/** Owner only, as what it guards. */
const MODE = 0o600;
/** flock(2), <sys/file.h>: LOCK_EX | LOCK_NB. */
const EXCLUSIVE_AT_ONCE = 2 | 4;

/** As long as `isAnothers` says so, the process before this one holds it, and is asked nothing. */
export function stateLock(loaded: Result<Kernel, string>, isAnothers: () => boolean): OwnStateLock {
  const kernel = loaded.ok ? loaded.value : null;
  const held = new Map<string, number>();
  const wanted = new Set<string>();
  let state: 'ours' | 'handed over' = 'ours';
  const take = (folder: string): string | null => {
    if (state === 'handed over') return 'another process has taken the place of this one';
    wanted.add(folder);
    if (kernel === null || held.has(folder) || isAnothers()) return null;
    const path = join(folder, FILE_NAME);
    const fd = opened(path);
    // A process that cannot write here gets the error from writing.
    if (fd === null) return null;
    if (kernel.libc.flock(fd, EXCLUSIVE_AT_ONCE) < 0) {
      kernel.libc.close(fd);
      return `${holder(path)} keeps its state in ${folder}: give each daemon a state_directory of its own`;
    }
    held.set(folder, fd);
    sign(path);
    return null;
  };
  const handOver = (): void => {
    state = 'handed over';
    for (const fd of held.values()) kernel?.libc.close(fd);
    held.clear();
  };
  const inherit = (): void => {
    for (const folder of wanted) take(folder);
  };
  return { take, inherit, handOver };
}

function opened(path: string): number | null {
  try {
    return openSync(path, 'a', MODE);
  } catch {
    return null;
  }
}

/** For people; the lock holds without it, as on a full disk. */
function sign(path: string): void {
  try {
    writeFileSync(path, `${process.pid}\n`);
  } catch {
    // The name of the holder is missing then.
  }
}

function holder(path: string): string {
  const pid = readFileSync(path, 'latin1').trim();
  return /^\d+$/.test(pid) ? `another sluice (process ${pid})` : 'another sluice';
}
