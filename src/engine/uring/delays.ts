/**
 * What the engine itself does later (an accept that failed, a close that lingers), in order of
 * time. Delays have many lengths, and thousands of pairs may wait: none walks past the others.
 */
import { EventQueue } from '../../core/event_queue.js';
import type { Loop, TurnWork } from './loop.js';

export class Delays implements TurnWork {
  readonly #loop: Pick<Loop, 'nowMs'>;
  readonly #queue = new EventQueue<() => void>();

  constructor(loop: Pick<Loop, 'nowMs'>) {
    this.#loop = loop;
  }

  /** Runs `run` in the turn that comes `delayMs` milliseconds after now, or in the next one. */
  later(delayMs: number, run: () => void): void {
    this.#queue.put(this.#loop.nowMs + delayMs, run);
  }

  after(): void {
    while (this.dueMs() <= this.#loop.nowMs) this.#queue.take()?.();
  }

  dueMs(): number {
    return this.#queue.nextMs;
  }
}
