/**
 * Submissions that complete only when they fail. Each stands for one number (a direction, a buffer)
 * until the kernel has answered everything that it was given: then silence means success.
 */
import { assertShared } from '../../core/assert.js';
import type { Taken } from './loop.js';

export class SilentBatch {
  /** Numbers whose submission the kernel gets with the next entry. */
  #fresh: Int32Array;
  #freshCount = 0;
  /** Numbers whose submission the kernel has got; -1: it failed. */
  #given: Int32Array;
  #givenCount = 0;

  /** Each of `numbers` numbers may be in the batch once. */
  constructor(numbers: number) {
    this.#fresh = new Int32Array(numbers);
    this.#given = new Int32Array(numbers);
  }

  add(number: number): void {
    this.#fresh[this.#freshCount++] = number;
  }

  /** The submission of `number` has completed, and so has failed. */
  failed(number: number): void {
    const at = this.#given.subarray(0, this.#givenCount).indexOf(number);
    assertShared(at >= 0, 'only what the kernel has got can fail');
    this.#given[at] = -1;
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
        this.#given[this.#givenCount++] = this.#fresh[index] ?? -1;
      }
    }
    this.#freshCount = 0;
  }

  /** Calls `succeeded` for each number whose submission has not failed. */
  after(taken: Taken, succeeded: (number: number) => void): void {
    if (taken !== 'answered') return;
    const count = this.#givenCount;
    this.#givenCount = 0;
    for (let index = 0; index < count; index++) {
      const number = this.#given[index] ?? -1;
      if (number >= 0) succeeded(number);
    }
  }
}
