/**
 * How far a PostgreSQL replica's replay is behind, at most. Pure.
 *
 * The usual measure, the age of the last replayed transaction, is an upper bound that grows while
 * nothing is written, and while one long transaction is replayed after a quiet hour. So there is a
 * second one: what had been received at an earlier attempt and is replayed by now. The lesser
 * counts.
 *
 * While no WAL receiver streams, it is unknown what the primary writes, if there is one. The second
 * measure then runs from the last attempt that saw the stream: a replica that held everything when
 * its primary died is as far behind as that is ago, and not as its last transaction is old.
 */

export interface ReplaySample {
  /** A WAL receiver streams, so that what the primary writes arrives. */
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
  /** The newest attempt that saw the stream; what the primary wrote by then was on its way. */
  #streamedMs = Number.NEGATIVE_INFINITY;
  #replayedBytes = 0;
  /** Received at that time, and perhaps not replayed yet. */
  #mark: Mark | null = null;
  /** All that had been received by then is replayed. */
  #caughtUpMs = Number.NEGATIVE_INFINITY;

  /** Milliseconds, or null when nothing is known. `nowMs`: any monotonic clock. */
  atMost(sample: ReplaySample, nowMs: number): number | null {
    if (sample.replayedBytes < this.#replayedBytes) this.#forget();
    this.#replayedBytes = sample.replayedBytes;
    if (sample.streaming) this.#streamedMs = nowMs;
    const byMarks = nowMs - this.#caughtUp(sample);
    const age = sample.transactionAgeMs;
    const lagMs = Math.min(byMarks, Number.isNaN(age) ? Number.POSITIVE_INFINITY : age);
    return lagMs === Number.POSITIVE_INFINITY ? null : Math.max(0, Math.round(lagMs));
  }

  #caughtUp({ receivedBytes, replayedBytes }: ReplaySample): number {
    if (Number.isNaN(receivedBytes)) return this.#caughtUpMs;
    const mark = { bytes: receivedBytes, atMs: this.#streamedMs };
    if (replayedBytes >= receivedBytes) {
      this.#caughtUpMs = this.#streamedMs;
      this.#mark = mark;
    } else if (this.#mark === null) {
      this.#mark = mark;
    } else if (replayedBytes >= this.#mark.bytes) {
      this.#caughtUpMs = this.#mark.atMs;
      this.#mark = mark;
    }
    return this.#caughtUpMs;
  }

  /** Replay never goes back: this is another copy of the data under the same address. */
  #forget(): void {
    this.#streamedMs = Number.NEGATIVE_INFINITY;
    this.#mark = null;
    this.#caughtUpMs = Number.NEGATIVE_INFINITY;
  }
}
