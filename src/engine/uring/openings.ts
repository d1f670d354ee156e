/** What goes to a backend before anything that is read: prelude and early bytes, in buffers. */
import type { BufferPool } from '../../kernel/buffer_pool.js';
import type { Loop, TurnWork } from './loop.js';
import { NONE, type PairTable } from './pairs.js';
import type { Sends } from './sends.js';

interface Opening {
  bytes: Uint8Array;
  /** How many of them, at the front, are the prelude and no traffic. */
  preludeBytes: number;
}

interface OpeningsParts {
  readonly loop: Loop;
  readonly pairs: PairTable;
  readonly pool: BufferPool;
}

export class Openings implements TurnWork {
  readonly #parts: OpeningsParts;
  readonly #sends: Sends;
  /** An opening that waited is sent: its direction goes on. */
  readonly #goOn: (direction: number) => void;
  readonly #opening: (Opening | undefined)[] = [];
  /** Pairs whose opening waits for buffers, perhaps in an earlier use of theirs. */
  #unopened: number[] = [];
  /** By pair: 1: it is in that list. */
  readonly #listed: Uint8Array;

  constructor(parts: OpeningsParts, sends: Sends, goOn: (direction: number) => void) {
    this.#parts = parts;
    this.#sends = sends;
    this.#goOn = goOn;
    this.#listed = new Uint8Array(parts.pairs.capacity);
    parts.loop.add(this);
  }

  /** Sends both, as soon as there are buffers for them. */
  begin(pair: number, prelude: Uint8Array | null, early: Uint8Array | null): void {
    const bytes = concatenate(prelude, early);
    this.#opening[pair] = { bytes, preludeBytes: prelude?.length ?? 0 };
    this.#send(pair);
  }

  /** True while something of it waits for buffers. */
  has(pair: number): boolean {
    return this.#opening[pair] !== undefined;
  }

  /** What was read behind it into `buffer` waits with it. */
  append(pair: number, buffer: number, bytes: number): void {
    const { pool } = this.#parts;
    const opening = this.#opening[pair];
    const start = buffer * pool.strideBytes;
    if (opening !== undefined) {
      opening.bytes = concatenate(opening.bytes, pool.bytes.subarray(start, start + bytes));
    }
    pool.recycle(buffer);
  }

  clear(pair: number): void {
    this.#opening[pair] = undefined;
  }

  after(): void {
    if (this.dueMs() > 0) return;
    const pairs = this.#unopened;
    this.#unopened = [];
    for (const pair of pairs) {
      this.#listed[pair] = 0;
      if (!this.#parts.pairs.relays(2 * pair) || !this.has(pair)) continue;
      this.#send(pair);
      this.#goOn(2 * pair);
    }
  }

  dueMs(): number {
    const waits = this.#unopened.length === 0 || this.#parts.pool.free === 0;
    return waits ? Number.POSITIVE_INFINITY : 0;
  }

  #send(pair: number): void {
    const { pool } = this.#parts;
    const opening = this.#opening[pair];
    while (opening !== undefined && opening.bytes.length > 0) {
      const buffer = pool.take();
      if (buffer === NONE) {
        if (this.#listed[pair] === 0) this.#unopened.push(pair);
        this.#listed[pair] = 1;
        return;
      }
      const part = opening.bytes.subarray(0, pool.bufferBytes);
      const prelude = Math.min(opening.preludeBytes, part.length);
      pool.bytes.set(part, buffer * pool.strideBytes);
      this.#sends.push(2 * pair, buffer, part.length, part.length - prelude);
      opening.bytes = opening.bytes.subarray(part.length);
      opening.preludeBytes -= prelude;
    }
    this.#opening[pair] = undefined;
  }
}

function concatenate(a: Uint8Array | null, b: Uint8Array | null): Uint8Array {
  const bytes = new Uint8Array((a?.length ?? 0) + (b?.length ?? 0));
  if (a !== null) bytes.set(a);
  if (b !== null) bytes.set(b, a?.length ?? 0);
  return bytes;
}
