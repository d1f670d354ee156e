/**
 * Gives memory back that a crowd has left. What Node.js reads stands in memory of V8's collector,
 * which runs when more is wanted and not while a thread is at rest, and the C library keeps what it
 * is given back: a quarter of a gigabyte would stay until it is needed.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Timers } from '../../core/clock.js';
import type { Kernel } from '../../kernel/foreign.js';

/** This many sockets that stood still, and are not there any more, are worth it: some 16 MiB. */
const MANY = 128;
/** Those that leave together are waited for. */
const DELAY_MS = 500;
/** V8 frees what it has collected on a thread of its own. */
const FREED_MS = 250;

export class Collection {
  readonly #timers: Timers;
  readonly #kernel: Kernel | null;
  #most = 0;
  #state: 'idle' | 'due' = 'idle';

  constructor(timers: Timers, kernel: Kernel | null) {
    this.#timers = timers;
    this.#kernel = kernel;
  }

  /** `count` sockets stand still now. */
  standing(count: number): void {
    if (count > this.#most) this.#most = count;
    if (this.#most - count < MANY || this.#state === 'due') return;
    this.#state = 'due';
    this.#timers.after(DELAY_MS, () => {
      this.#state = 'idle';
      this.#most = 0;
      collect();
      this.#timers.after(FREED_MS, () => this.#kernel?.libc.mallocTrim?.(0));
    });
  }
}

let collector: (() => void) | undefined;

function collect(): void {
  collector ??= findCollector();
  collector();
}

/** V8's own, which exists when a flag asks for it; does nothing where it does not. */
function findCollector(): () => void {
  setFlagsFromString('--expose-gc');
  const found: unknown = runInNewContext('globalThis.gc');
  setFlagsFromString('--no-expose-gc');
  return typeof found === 'function' ? () => found() : () => {};
}
