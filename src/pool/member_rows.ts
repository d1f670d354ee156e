/** The ledger's rows of a pool's members. */
import type { BackendId } from '../core/brand.js';

export class MemberRows {
  readonly #rows: Int32Array;
  readonly #first: number;
  /**
   * Mostly a pool's rows follow each other, and then none has to be looked up: among thousands of
   * members the table of rows is in no cache.
   */
  readonly #isRun: boolean;

  constructor(rows: Int32Array) {
    const first = rows[0] ?? 0;
    this.#rows = rows;
    this.#first = first;
    this.#isRun = rows.every((row, member) => row === first + member);
  }

  /** Of a member that there is. */
  at(member: number): BackendId {
    const row = this.#isRun ? this.#first + member : (this.#rows[member] ?? 0);
    return row as BackendId;
  }
}
