/**
 * Whether the process has a descriptor left. Node.js does not say when accept4(2) fails for want of
 * one: libuv then gives up a spare descriptor to accept and close every waiting client
 * (uv__emfile_trick in its unix/stream.c). So the engine looks while there is one left, and stops
 * accepting before libuv has to. A look by open(2) costs as much as a tenth of a whole session, so
 * that most sockets go without: how many, follows from the number of free descriptors.
 */
import { closeSync, openSync, readdirSync, statSync } from 'node:fs';
import { errorCode } from './failure.js';

/** Other threads open descriptors too: after one count this share of the free ones is trusted. */
const TRUSTED_SHARE = 1 / 16;
/** The kernel's limit of open files for all processes may come first (ENFILE, file-max). */
const MOST_TRUSTED = 65_536;
/** With fewer free ones each socket is looked at; a new count comes after as many. */
const FEW = 256;

export class DescriptorWatch {
  readonly #limit: number;
  readonly #look: () => string | null;
  #trusted = 0;
  #looksUntilCount = 0;

  /** `limit`: RLIMIT_NOFILE, or 0 when it is not known, which makes every look a real one. */
  constructor(limit: number, look: () => string | null = exhaustedErrno) {
    this.#limit = limit;
    this.#look = look;
  }

  /** To be asked when a socket was opened: the errno's name if no descriptor is left, else null. */
  exhausted(): string | null {
    if (this.#trusted > 0) {
      this.#trusted--;
      return null;
    }
    if (this.#looksUntilCount === 0) {
      const free = this.#limit - openDescriptors();
      if (free >= FEW) this.#trusted = Math.min(Math.floor(free * TRUSTED_SHARE), MOST_TRUSTED);
      else this.#looksUntilCount = FEW;
    } else this.#looksUntilCount--;
    return this.#look();
  }
}

/** EMFILE, ENFILE … when no descriptor is left, else null. */
export function exhaustedErrno(): string | null {
  try {
    closeSync(openSync('/dev/null', 'r'));
    return null;
  } catch (error) {
    return errorCode(error);
  }
}

/** Infinity where it is unknown. Since Linux 6.2 the folder's size is the number of its entries. */
function openDescriptors(): number {
  try {
    return statSync('/proc/self/fd').size || readdirSync('/proc/self/fd').length;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
