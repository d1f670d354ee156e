/**
 * Submissions that complete only when they fail. Each stands for one number (a direction, a buffer)
 * until the kernel has answered everything that it was given: then silence means success.
 */
import { assertShared } from '../../core/assert.js';
import type { TakenWork } from './loop.js';

export class SilentBatch {
  /** Numbers whose submission the kernel gets with the next entry. */
  #fresh: Int32Array;
  #freshCount = 0;
  /** Numbers whose submission the kernel has got, and that has not failed. */
  #given: Int32Array;
  #givenCount = 0;
  /** By number: where it stands in its list. */
  readonly #at: Int32Array;

  /** Each of `numbers` numbers may be in the batch once. */
  constructor(numbers: number) {
    this.#fresh = new Int32Array(numbers);
    this.#given = new Int32Array(numbers);
    this.#at = new Int32Array(numbers);
  }

  add(number: number): void {
    this.#at[number] = this.#freshCount;
    this.#fresh[this.#freshCount++] = number;
  }

  /** The submission of `number` has completed, and so has failed. */
  failed(number: number): void {
    const at = this.#at[number] ?? 0;
    const isGiven = at < this.#givenCount && this.#given[at] === number;
    assertShared(isGiven, 'only what the kernel has got can fail');
    // It leaves no hole: there is room for each number once, and it may come again before the rest.
    const last = this.#given[--this.#givenCount] ?? 0;
    this.#given[at] = last;
    this.#at[last] = at;
  }

  /** The kernel is about to be entered. */
  before(): void {
    if (this.#givenCount === 0) {
      const empty = this.#given;
      this.#given = this.#fresh;
      this.#fresh = empty;
      this.#givenCount = this.#freshCount;
    } else {
      for (let index = 0; index < this.#freshCount; index++) {
        const number = this.#fresh[index] ?? 0;
        this.#at[number] = this.#givenCount;
        this.#given[this.#givenCount++] = number;
      }
    }
    this.#freshCount = 0;
  }

  /** Calls `succeeded` for each number whose submission has not failed. */
  after(taken: TakenWork, succeeded: (number: number) => void): void {
    if (taken !== 'answered') return;
    const count = this.#givenCount;
    this.#givenCount = 0;
    for (let index = 0; index < count; index++) succeeded(this.#given[index] ?? 0);
  }
}
