/**
 * An end of the process that waits for nothing. process.exit() waits for each thread of the pool,
 * and one may be in a name lookup or a write for as long as the other side takes.
 */
import type { Kernel } from './foreign.js';

/** exit_group(2), from <asm/unistd.h>. */
const SYS_EXIT_GROUP: Readonly<Partial<Record<NodeJS.Architecture, number>>> = {
  x64: 231,
  arm64: 94,
};

/** Profilers write their files from inside process.exit(). */
const PROFILED = process.execArgv.some((word) => /^--(cpu|heap)-prof/.test(word));

/** Ends every thread at once with `code`; without foreign calls as fast as Node.js can. */
export function exitNow(kernel: Kernel | null, code: 0 | 1): never {
  const nr = SYS_EXIT_GROUP[process.arch];
  if (kernel !== null && nr !== undefined && process.platform === 'linux' && !PROFILED) {
    kernel.libc.syscall(nr, code, 0, 0, 0, 0, 0);
  }
  process.exit(code);
}
