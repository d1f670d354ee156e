/** The one place where an errno becomes a name and a sentence. */
import { constants } from 'node:os';
import { getSystemErrorMap } from 'node:util';

export const ERRNO = constants.errno;

/** The first of two names for one number (EAGAIN, not EWOULDBLOCK), as Node.js calls it, too. */
const NAMES = new Map(
  Object.entries(ERRNO)
    .reverse()
    .map(([name, code]) => [code, name]),
);

/** A system call that failed: an expected outcome, handed on as a value. */
export interface KernelError {
  /** The call's name, as its man page has it. */
  readonly call: string;
  /** `EADDRINUSE` and its like. */
  readonly errno: string;
  /** For people: which call failed and why. */
  readonly sentence: string;
}

/** The name of a positive or negative errno: `EMFILE`; `errno 523` when it has none here. */
export function errnoName(code: number): string {
  return NAMES.get(Math.abs(code)) ?? `errno ${Math.abs(code)}`;
}

/** `permission denied (EACCES)` for the name of an errno, as Node.js has it in `code`. */
export function errnoWords(errno: string): string {
  const code = Object.entries(ERRNO).find(([name]) => name === errno)?.[1] ?? 0;
  return `${getSystemErrorMap().get(-code)?.[1] ?? 'failed'} (${errno})`;
}

/** Describes the failure of `call`, whose answer was the negative errno `answer`. */
export function kernelError(call: string, answer: number): KernelError {
  const errno = errnoName(answer);
  const words = getSystemErrorMap().get(-Math.abs(answer))?.[1];
  return { call, errno, sentence: `${call}: ${words ?? 'failed'} (${errno})` };
}
