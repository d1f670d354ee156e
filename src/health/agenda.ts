/**
 * Timers of thousands of targets by one of the system: a binary heap of what is due. A timer of
 * Node.js for each would cost as much as what it starts, and wake the thread up for each alone.
 */
import type { Clock, Timer, Timers } from '../core/clock.js';

/** With as many timers as that, what falls into one tick is done together, at its end. */
const MANY = 500;
const TICK_MS = 4;
/** Not in the heap. */
const NOWHERE = -1;

export class Agenda implements Timers {
  readonly #clock: Clock;
  readonly #timers: Timers;
  /** Each is due no later than those at 2i + 1 and 2i + 2. */
  readonly #heap: Item[] = [];
  #made = 0;
  #timer: Timer | null = null;
  #timerDueMs = 0;
  #firedMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  after(delayMs: number, callback: () => void): Timer {
    const dueMs = this.#clock.nowMs() + delayMs;
    const item = new Item(dueMs, this.#made++, callback, this);
    item.place = this.#heap.length;
    this.#heap.push(item);
    this.#rise(item);
    if (item.place === 0) this.#arm();
    return item;
  }

  /** Nothing happens if it has been done or removed. */
  remove(item: Item): void {
    if (item.place === NOWHERE) return;
    this.#take(item);
    if (this.#heap.length === 0) this.#disarm();
  }

  /** The timer is for the first one, or earlier: it looks again then. */
  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined) return;
    const nextTickMs = this.#heap.length < MANY ? 0 : this.#firedMs + TICK_MS;
    const dueMs = Math.max(first.dueMs, nextTickMs);
    if (this.#timer !== null && this.#timerDueMs <= dueMs) return;
    this.#disarm();
    this.#timerDueMs = dueMs;
    const delayMs = Math.max(0, dueMs - this.#clock.nowMs());
    this.#timer = this.#timers.after(delayMs, () => this.#fire());
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #fire(): void {
    this.#timer = null;
    this.#firedMs = this.#clock.nowMs();
    // A timer may be early by a fraction of a millisecond.
    const untilMs = Math.max(this.#firedMs, this.#timerDueMs);
    const made = this.#made;
    try {
      for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
        // What is set meanwhile comes after it: something else has its turn before.
        if (first.dueMs > untilMs || first.order >= made) break;
        this.#take(first);
        first.callback();
      }
    } finally {
      this.#arm();
    }
  }

  /** Out of the heap: the last one comes into its place, and finds its own. */
  #take(item: Item): void {
    const { place } = item;
    item.place = NOWHERE;
    const last = this.#heap.pop();
    if (last === undefined || last === item) return;
    this.#put(last, place);
    this.#rise(last);
    this.#sink(last);
  }

  #rise(item: Item): void {
    for (;;) {
      const parent = item.place === 0 ? undefined : this.#heap[(item.place - 1) >> 1];
      if (parent === undefined || !isBefore(item, parent)) return;
      this.#swap(item, parent);
    }
  }

  #sink(item: Item): void {
    for (;;) {
      const left = this.#heap[2 * item.place + 1];
      const right = this.#heap[2 * item.place + 2];
      const child =
        left !== undefined && right !== undefined && isBefore(right, left) ? right : left;
      if (child === undefined || !isBefore(child, item)) return;
      this.#swap(child, item);
    }
  }

  #swap(upwards: Item, down: Item): void {
    const { place } = upwards;
    this.#put(upwards, down.place);
    this.#put(down, place);
  }

  #put(item: Item, place: number): void {
    this.#heap[place] = item;
    item.place = place;
  }
}

class Item implements Timer {
  readonly dueMs: number;
  /** Those that are due at the same time come in the order in which they were made. */
  readonly order: number;
  readonly callback: () => void;
  /** In the heap. */
  place = NOWHERE;
  readonly #agenda: Agenda;

  constructor(dueMs: number, order: number, callback: () => void, agenda: Agenda) {
    this.dueMs = dueMs;
    this.order = order;
    this.callback = callback;
    this.#agenda = agenda;
  }

  cancel(): void {
    this.#agenda.remove(this);
  }
}

function isBefore(a: Item, b: Item): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
