/**
 * Wakes a worker from any thread without a message: one counter a worker in shared memory. A worker
 * on the event loop waits for it with Atomics.waitAsync; a worker that blocks in the kernel hangs a
 * descriptor (eventfd) on it, which `kick` writes to.
 */
import type { WorkerId } from './brand.js';
import { MAX_WORKERS } from './limits.js';

export function createDoorbellMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(3 * MAX_WORKERS * Int32Array.BYTES_PER_ELEMENT);
}

export class Doorbell {
  readonly #rings: Int32Array;
  /** By worker: the eventfd plus one; 0 = none. */
  readonly #descriptors: Int32Array;
  /** The same, but also while it is taken down. */
  readonly #kept: Int32Array;
  readonly #kick: (fd: number) => void;

  /** `kick` writes to an eventfd; it is called only for workers that hung one up. */
  constructor(memory: SharedArrayBuffer, kick: (fd: number) => void) {
    this.#rings = new Int32Array(memory, 0, MAX_WORKERS);
    this.#descriptors = new Int32Array(memory, MAX_WORKERS * 4, MAX_WORKERS);
    this.#kept = new Int32Array(memory, 2 * MAX_WORKERS * 4, MAX_WORKERS);
    this.#kick = kick;
  }

  /** Makes `worker` call its `rung` hook soon; rings may be merged, none is lost. */
  ring(worker: WorkerId): void {
    Atomics.add(this.#rings, worker, 1);
    const descriptor = Atomics.load(this.#descriptors, worker);
    if (descriptor > 0) this.#kick(descriptor - 1);
    else Atomics.notify(this.#rings, worker);
  }

  /**
   * The eventfd that was made for `worker`, maybe by a thread that had its number before; null:
   * none was. It is never closed: a ringer that has just looked its number up would otherwise
   * write into whatever has got that number since.
   */
  kept(worker: WorkerId): number | null {
    const kept = Atomics.load(this.#kept, worker);
    return kept === 0 ? null : kept - 1;
  }

  keep(worker: WorkerId, fd: number): void {
    Atomics.store(this.#kept, worker, fd + 1);
  }

  /** For a worker that blocks: from now on `ring` writes to `fd`; null takes it down again. */
  hang(worker: WorkerId, fd: number | null): void {
    Atomics.store(this.#descriptors, worker, fd === null ? 0 : fd + 1);
  }

  /**
   * For a worker on the event loop: calls `rung` after each ring until the returned function is
   * called.
   */
  listen(worker: WorkerId, rung: () => void): () => void {
    let stopped = false;
    let seen = Atomics.load(this.#rings, worker);
    const arm = (): void => {
      if (stopped) return;
      const now = Atomics.load(this.#rings, worker);
      if (now !== seen) {
        seen = now;
        rung();
      }
      const wait = Atomics.waitAsync(this.#rings, worker, seen);
      if (wait.async) void wait.value.then(arm);
      else queueMicrotask(arm);
    };
    arm();
    return () => {
      stopped = true;
      Atomics.notify(this.#rings, worker);
    };
  }
}
