/**
 * The load generator's own small loop over a ring: a completion goes to the handler of its kind
 * together with the index and the generation that its submission named.
 */
import { assert } from '../../src/core/assert.js';
import type { Result } from '../../src/core/result.js';
import { type Kernel, loadKernel } from '../../src/kernel/foreign.js';
import { mapMemory } from '../../src/kernel/memory.js';
import { Ring } from '../../src/kernel/ring.js';
import { CQE_WORDS } from '../../src/kernel/uring_abi.js';

const ENTRIES = 4096;
const COMPLETIONS = 32_768;
/** Indices take the lower bits of the first word of user data, the kind the upper ones. */
const INDEX_BITS = 20;
const INDEX_MASK = (1 << INDEX_BITS) - 1;

export type Handler = (index: number, generation: number, result: number, flags: number) => void;

/** Memory at a known address that never moves; a page costs nothing until it is used. */
export interface Arena {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
}

export class LoadLoop {
  readonly kernel: Kernel;
  readonly ring: Ring;
  readonly #handlers: Handler[] = [];
  #head: number;

  constructor() {
    this.kernel = must(loadKernel());
    this.ring = must(Ring.open(this.kernel, ENTRIES, COMPLETIONS));
    this.#head = this.ring.completionTail();
  }

  /** Registers a kind of operation; the answer is what `tag` makes user data from. */
  kind(handler: Handler): number {
    assert(this.#handlers.length < 1 << (31 - INDEX_BITS), 'kinds fit into user data');
    return (this.#handlers.push(handler) - 1) << INDEX_BITS;
  }

  arena(bytes: number): Arena {
    const { address, buffer } = must(mapMemory(this.kernel, bytes));
    return { address, bytes: new Uint8Array(buffer), words: new Int32Array(buffer) };
  }

  /** Submits, waits at most `waitMs` (0: not at all), works off; returns how many there were. */
  turn(waitMs: number): number {
    const { ring } = this;
    ring.enter(waitMs);
    const { completions, completionMask } = ring;
    const tail = ring.completionTail();
    let head = this.#head;
    while (head !== tail) {
      const at = (head & completionMask) * CQE_WORDS;
      const tag = completions[at] ?? 0;
      const generation = completions[at + 1] ?? 0;
      const result = completions[at + 2] ?? 0;
      const flags = completions[at + 3] ?? 0;
      this.#handlers[tag >>> INDEX_BITS]?.(tag & INDEX_MASK, generation, result, flags);
      head = (head + 1) | 0;
    }
    const count = (head - this.#head) | 0;
    this.#head = head;
    ring.completionsRead(head);
    return count;
  }

  /** Turns until `done` holds; throws with `what` after `limitMs`. */
  until(what: string, done: () => boolean, limitMs: number): void {
    const endMs = performance.now() + limitMs;
    while (!done()) {
      if (performance.now() > endMs) throw new Error(`${what}: not within ${limitMs} ms`);
      this.turn(5);
    }
  }
}

/** The value, or an error with the failure's sentence: a load generator has no second way. */
export function must<T>(result: Result<T, string | { readonly sentence: string }>): T {
  if (result.ok) return result.value;
  const { error } = result;
  throw new Error(typeof error === 'string' ? error : error.sentence);
}
