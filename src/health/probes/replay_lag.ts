/**
 * How far a PostgreSQL replica's replay is behind, at most. Pure.
 *
 * The usual measure, the age of the last replayed transaction, is an upper bound that grows while
 * nobody writes, and while one long transaction is replayed after a quiet hour. So there is a
 * second one: what had been received at an earlier attempt and is replayed by now. The lesser
 * counts.
 */

export interface ReplaySample {
  /** A WAL receiver runs, so that what the primary writes arrives. */
  readonly streaming: boolean;
  /** Positions in the WAL, in bytes; NaN: none yet. */
  readonly receivedBytes: number;
  readonly replayedBytes: number;
  /** Since the commit of the last replayed transaction, on the primary's clock; NaN: none yet. */
  readonly transactionAgeMs: number;
}

interface Mark {
  readonly bytes: number;
  readonly atMs: number;
}

export class ReplayLag {
  /** Received at that time, and perhaps not replayed yet. */
  #mark: Mark | null = null;
  /** All that had been received by then is replayed. */
  #caughtUpMs = Number.NEGATIVE_INFINITY;

  /** Milliseconds, or null when nothing is known. `nowMs`: any monotonic clock. */
  atMost(sample: ReplaySample, nowMs: number): number | null {
    const byMarks = sample.streaming ? this.#byMarks(sample, nowMs) : this.#forget();
    const age = sample.transactionAgeMs;
    const lagMs = Math.min(byMarks, Number.isNaN(age) ? Number.POSITIVE_INFINITY : age);
    return lagMs === Number.POSITIVE_INFINITY ? null : Math.max(0, Math.round(lagMs));
  }

  #byMarks({ receivedBytes, replayedBytes }: ReplaySample, nowMs: number): number {
    const mark = { bytes: receivedBytes, atMs: nowMs };
    if (replayedBytes >= receivedBytes) {
      this.#caughtUpMs = nowMs;
      this.#mark = mark;
    } else if (this.#mark === null) {
      this.#mark = mark;
    } else if (replayedBytes >= this.#mark.bytes) {
      this.#caughtUpMs = this.#mark.atMs;
      this.#mark = mark;
    }
    return nowMs - this.#caughtUpMs;
  }

  /** Without a receiver nobody knows what the primary has written since. */
  #forget(): number {
    this.#mark = null;
    this.#caughtUpMs = Number.NEGATIVE_INFINITY;
    return Number.POSITIVE_INFINITY;
  }
}
