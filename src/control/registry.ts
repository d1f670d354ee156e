/**
 * Rows of shared memory by name, stable over reloads: what stays in the file keeps its row, and
 * with it its counts, health and counters. A row is used again only after it was released.
 */
import { assert } from '../core/assert.js';

export class Rows<Id extends number> {
  readonly #capacity: number;
  readonly #byKey = new Map<string, Id>();
  readonly #free: Id[] = [];
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /**
   * The row of `key`; a new one when it has none yet. `isNew` runs before a new row is handed out.
   */
  take(key: string, isNew?: (id: Id) => void): Id {
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const id = this.#free.pop() ?? (this.#next++ as Id);
    assert(id < this.#capacity, 'shared memory has no free row, although room was made before');
    this.#byKey.set(key, id);
    isNew?.(id);
    return id;
  }

  get(key: string): Id | undefined {
    return this.#byKey.get(key);
  }

  release(key: string): void {
    const id = this.#byKey.get(key);
    if (id === undefined) return;
    this.#byKey.delete(key);
    this.#free.push(id);
  }

  get free(): number {
    return this.#free.length + this.#capacity - this.#next;
  }

  get limit(): number {
    return this.#capacity;
  }

  keys(): IterableIterator<string> {
    return this.#byKey.keys();
  }
}
