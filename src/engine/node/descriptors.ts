/**
 * Whether the process has a descriptor left. Node.js does not say when accept4(2) fails for want of
 * one: libuv then gives up a spare descriptor to accept and close every waiting client
 * (uv__emfile_trick in its unix/stream.c). So the engine looks while there is one left, at 2.5 µs a
 * look, and stops accepting before libuv has to.
 */
import { closeSync, openSync } from 'node:fs';
import { errorCode } from './failure.js';

/** The errno's name (EMFILE, ENFILE) when no descriptor is left, else null. */
export function exhaustedErrno(): string | null {
  try {
    closeSync(openSync('/dev/null', 'r'));
    return null;
  } catch (error) {
    return errorCode(error);
  }
}
