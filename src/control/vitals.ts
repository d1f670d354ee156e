/**
 * Signs of life in shared memory: when each worker last went through its loop, and how many access
 * records it has handed over that are not written yet, so that a slow log never fills the memory.
 */
import type { WorkerId } from '../core/brand.js';
import { MAX_WORKERS } from '../core/limits.js';

/**
 * Access records of one worker that may wait to be written; beyond it they are lost and counted.
 */
export const MAX_RECORDS_WAITING = 8192;

export function createVitalsMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(MAX_WORKERS * (8 + 4 + 4) + 4);
}

export class Vitals {
  readonly #beats: Float64Array;
  readonly #records: Int32Array;
  /** A datagram socket that the worker's event loop polls, plus one; 0: none. */
  readonly #polled: Int32Array;
  /**
   * 1: the main thread does not look at workers for some seconds; one that gets work wakes it.
   */
  readonly #mainRests: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.#beats = new Float64Array(memory, 0, MAX_WORKERS);
    this.#records = new Int32Array(memory, MAX_WORKERS * 8, MAX_WORKERS);
    this.#polled = new Int32Array(memory, MAX_WORKERS * (8 + 4), MAX_WORKERS);
    this.#mainRests = new Int32Array(memory, MAX_WORKERS * (8 + 4 + 4), 1);
  }

  /**
   * Silence of `worker` counts from `fromMs`: now, or when its rest ends. One writer per cell: a
   * plain store of an aligned double.
   */
  beat(worker: WorkerId, fromMs: number): void {
    this.#beats[worker] = fromMs;
  }

  /**
   * When `worker` last beat, on the clock that all threads share (0 = never), or, while it rests,
   * when it will next: a time to come.
   */
  lastBeatMs(worker: WorkerId): number {
    return this.#beats[worker] ?? 0;
  }

  /**
   * For the main thread: a worker that beats before the time that it said has to say so from now
   * on. A worker that beats just now is seen by one of both, as each writes first and looks then.
   */
  mainRests(): void {
    Atomics.store(this.#mainRests, 0, 1);
  }

  /** True once after it rested: to be reported by the thread that is up and finds it. */
  wakesMain(): boolean {
    return Atomics.exchange(this.#mainRests, 0, 0) === 1;
  }

  /** Asks for room for `count` access records. */
  tryHandOver(worker: WorkerId, count: number): boolean {
    if (Atomics.load(this.#records, worker) + count > MAX_RECORDS_WAITING) return false;
    Atomics.add(this.#records, worker, count);
    return true;
  }

  written(worker: WorkerId, count: number): void {
    Atomics.sub(this.#records, worker, count);
  }

  /** By this descriptor the event loop of `worker` can be found (kernel/mute.ts). */
  polls(worker: WorkerId, fd: number | null): void {
    Atomics.store(this.#polled, worker, fd === null ? 0 : fd + 1);
  }

  polledBy(worker: WorkerId): number | null {
    const entry = Atomics.load(this.#polled, worker);
    return entry === 0 ? null : entry - 1;
  }

  /**
   * Before a new thread takes the place of a lost one, of which nothing is under way any more. Its
   * last sign of life stays.
   */
  forgetThread(worker: WorkerId): void {
    Atomics.store(this.#records, worker, 0);
    this.polls(worker, null);
  }
}
