/** Receives that ended because the pool had no buffer, in order, until it has some again. */
import type { BufferPool } from '../../kernel/buffer_pool.js';

export class Starved<T> {
  readonly #pool: Pick<BufferPool, 'available'>;
  #waiting: T[] = [];

  constructor(pool: Pick<BufferPool, 'available'>) {
    this.#pool = pool;
  }

  add(one: T): void {
    this.#waiting.push(one);
  }

  /** 0: some of them may go on at once. It is asked in every turn. */
  dueMs(): number {
    const waits = this.#waiting.length === 0 || this.#pool.available === 0;
    return waits ? Number.POSITIVE_INFINITY : 0;
  }

  /** The first ones, as many as there are buffers. One may have stopped waiting meanwhile. */
  take(): readonly T[] {
    return this.#waiting.splice(0, this.#pool.available);
  }

  takeAll(): readonly T[] {
    const all = this.#waiting;
    this.#waiting = [];
    return all;
  }
}
