/**
 * Lines on their way to a reader that may be slow, stuck, full or gone. What it does not take is
 * queued up to a limit, and beyond it lost and counted; the daemon never waits for it. A line is
 * written whole or not at all, but for the last one before the process ends. ADR 9 says why so.
 */
import type { Timers } from '../core/clock.js';

/** Held for a reader that is slow: two lines of 200 bytes for each of the most backends fit. */
export const MAX_HELD_BYTES = 8 * 1024 * 1024;
/** One write: what a pipe takes (pipe(7)). */
const MAX_WRITE_BYTES = 64 * 1024;
/** A reader that is slow is asked again after 1, 2, 4 … milliseconds, and then each 100. */
const FIRST_RETRY_MS = 1;
const LAST_RETRY_MS = 100;
/** A full disk or a reader that is gone gets better seldom. */
const FAILED_RETRY_MS = 1_000;
const FLUSH_RETRY_MS = 5;

/** As src/system/output.ts gives it. */
export type Write = (
  bytes: Uint8Array,
) =>
  | { readonly kind: 'written'; readonly bytes: number }
  | { readonly kind: 'busy' }
  | { readonly kind: 'failed'; readonly errno: string };

export interface LineQueueOptions {
  readonly write: Write;
  readonly timers: Timers;
  /** Writing works again after `lines` were lost. */
  readonly recovered: (lines: number) => void;
}

type State =
  /** Nothing is queued. */
  | 'idle'
  /** A timer will write what is queued. */
  | 'waiting';

export class LineQueue {
  readonly #options: LineQueueOptions;
  #lines: string[] = [];
  /** What is being written: several lines, less what has been taken. */
  #rest: Buffer = Buffer.alloc(0);
  #queuedBytes = 0;
  #state: State = 'idle';
  #retryMs = FIRST_RETRY_MS;
  #lost = 0;

  constructor(options: LineQueueOptions) {
    this.#options = options;
  }

  /** False: there is no room, and the line is lost. */
  push(line: string): boolean {
    const bytes = Buffer.byteLength(line);
    if (this.#queuedBytes + bytes > MAX_HELD_BYTES) {
      this.#lost++;
      return false;
    }
    this.#lines.push(line);
    this.#queuedBytes += bytes;
    // All lines of a turn of the event loop go out in one write.
    if (this.#state === 'idle') this.#wait(0);
    return true;
  }

  /** Writes what the reader takes now. */
  writeNow(): 'done' | 'busy' | 'failed' {
    for (;;) {
      if (this.#rest.length === 0) this.#rest = this.#nextPart();
      if (this.#rest.length === 0) return 'done';
      const outcome = this.#options.write(this.#rest);
      if (outcome.kind !== 'written') return outcome.kind;
      this.#rest = this.#rest.subarray(outcome.bytes);
      this.#queuedBytes -= outcome.bytes;
      this.#retryMs = FIRST_RETRY_MS;
    }
  }

  /** Resolves when nothing is queued, when writing fails, or after `limitMs`: for the very end. */
  flush(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const attempt = (leftMs: number): void => {
        if (this.writeNow() !== 'busy' || leftMs <= 0) return resolve();
        this.#options.timers.after(FLUSH_RETRY_MS, () => attempt(leftMs - FLUSH_RETRY_MS));
      };
      attempt(limitMs);
    });
  }

  #wait(delayMs: number): void {
    this.#state = 'waiting';
    this.#options.timers.after(delayMs, () => {
      const outcome = this.writeNow();
      if (outcome === 'done') return this.#rested();
      this.#wait(outcome === 'busy' ? this.#retryMs : FAILED_RETRY_MS);
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
    });
  }

  #rested(): void {
    this.#state = 'idle';
    const lost = this.#lost;
    this.#lost = 0;
    if (lost > 0) this.#options.recovered(lost);
  }

  #nextPart(): Buffer {
    let count = 0;
    for (let bytes = 0; count < this.#lines.length && bytes < MAX_WRITE_BYTES; count++) {
      bytes += this.#lines[count]?.length ?? 0;
    }
    return Buffer.from(this.#lines.splice(0, count).join(''));
  }
}
