/**
 * Processes that took the place of a daemon under test are children of one that may be gone, and
 * one that was left alive would keep the daemon's output open, for whose end its test waits. They
 * are found by their file: a test may end one before it has logged what took its place.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Ends those that serve by the configuration `file`, all but `pid`, until there are none. */
export function endThoseThatTookOver(file: string, pid: number): void {
  let found = servingBy(file, pid);
  while (found.length > 0) {
    for (const one of found) kill(one);
    found = servingBy(file, pid);
  }
}

function servingBy(file: string, except: number): readonly number[] {
  const all = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return all.filter((pid) => pid !== except && wordsOf(pid).includes(file));
}

/** None where it has ended. */
function wordsOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
