/**
 * Timers of thousands of targets on one system timer: a heap of what is due. A timer of Node.js for
 * each would cost as much as what it starts, and wake the thread up for each alone.
 *
 * Times stand beside the heap in an array of numbers, and a place has four below it: on its way
 * through ten thousand an alarm touches seven lines of memory, and no other alarm. A target that
 * waits again and again keeps one alarm: objects that are made anew each time and live for seconds
 * are expensive to collect.
 */
import { present } from '../core/assert.js';
import type { Clock, Timer, Timers } from '../core/clock.js';

/** With as many timers as that, what falls into one tick is done together, at its end. */
const MANY = 500;
const TICK_MS = 4;
/** Not in the heap. */
const NOWHERE = -1;
/** Places below one. */
const FAN = 4;
const FIRST_ROOM = 64;

/** A timer that is set again and again. */
export interface Alarm extends Timer {
  /** Once, after that time; what it was set to before is forgotten. */
  set(delayMs: number): void;
  /** Clock: when it is due; null: it is not set. */
  readonly dueMs: number | null;
}

export class Agenda implements Timers {
  readonly #clock: Clock;
  readonly #timers: Timers;
  /** None is due before the one above it. */
  readonly #heap: Item[] = [];
  /** By place: when it is due. */
  #dueMs = new Float64Array(FIRST_ROOM);
  #set = 0;
  #timer: Timer | null = null;
  #timerDueMs = 0;
  #firedMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  after(delayMs: number, callback: () => void): Timer {
    const alarm = this.alarm(callback);
    alarm.set(delayMs);
    return alarm;
  }

  /** One that is not set yet. */
  alarm(callback: () => void): Alarm {
    return new Item(callback, this);
  }

  /** Puts `item`, which is not in the heap, where its time is. */
  add(item: Item, delayMs: number): void {
    const dueMs = this.#clock.nowMs() + delayMs;
    item.order = this.#set++;
    const place = this.#heap.length;
    this.#heap.push(item);
    if (place === this.#dueMs.length) this.#grow();
    this.#rise(item, dueMs, place);
    if (item.place === 0) this.#arm();
  }

  /** null: it is not in the heap. */
  dueOf({ place }: Item): number | null {
    return place === NOWHERE ? null : this.#dueAt(place);
  }

  /** Nothing happens if it has been done or removed. */
  remove(item: Item): void {
    if (item.place === NOWHERE) return;
    this.#take(item);
    if (this.#heap.length === 0) this.#disarm();
  }

  /** The timer is for the first one, or earlier: it looks again then. */
  #arm(): void {
    if (this.#heap.length === 0) return;
    const nextTickMs = this.#heap.length < MANY ? 0 : this.#firedMs + TICK_MS;
    const dueMs = Math.max(this.#dueAt(0), nextTickMs);
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
    const set = this.#set;
    try {
      for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
        // What is set meanwhile comes after it: something else has its turn before.
        if (this.#dueAt(0) > untilMs || first.order >= set) break;
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
    const lastDueMs = this.#dueAt(this.#heap.length - 1);
    const last = this.#heap.pop();
    if (last === undefined || last === item) return;
    if (this.#rise(last, lastDueMs, place) === place) this.#sink(last, lastDueMs, place);
  }

  /** Puts `item` at `from` or as far above as belongs; answers where. */
  #rise(item: Item, dueMs: number, from: number): number {
    let place = from;
    while (place > 0) {
      const above = Math.floor((place - 1) / FAN);
      if (!this.#isBefore(item, dueMs, above)) break;
      this.#move(above, place);
      place = above;
    }
    this.#put(item, dueMs, place);
    return place;
  }

  /** The same, at `from` or below. */
  #sink(item: Item, dueMs: number, from: number): void {
    let place = from;
    for (;;) {
      const below = this.#firstOf(FAN * place + 1);
      if (below === NOWHERE || this.#isBefore(item, dueMs, below)) break;
      this.#move(below, place);
      place = below;
    }
    this.#put(item, dueMs, place);
  }

  /** Which one of those that begin at `start` and have the same one above them is due first. */
  #firstOf(start: number): number {
    const end = Math.min(start + FAN, this.#heap.length);
    let first = start < end ? start : NOWHERE;
    for (let place = start + 1; place < end; place++) {
      if (this.#isBefore(this.#at(place), this.#dueAt(place), first)) first = place;
    }
    return first;
  }

  /** Those that are due at the same time come in the order in which they were set. */
  #isBefore(item: Item, dueMs: number, place: number): boolean {
    const otherMs = this.#dueAt(place);
    return dueMs < otherMs || (dueMs === otherMs && item.order < this.#at(place).order);
  }

  #move(from: number, to: number): void {
    this.#put(this.#at(from), this.#dueAt(from), to);
  }

  #put(item: Item, dueMs: number, place: number): void {
    this.#heap[place] = item;
    this.#dueMs[place] = dueMs;
    item.place = place;
  }

  #at(place: number): Item {
    return present(this.#heap[place], 'there is an alarm at each place of the heap');
  }

  #dueAt(place: number): number {
    return this.#dueMs[place] ?? Number.POSITIVE_INFINITY;
  }

  #grow(): void {
    const grown = new Float64Array(2 * this.#dueMs.length);
    grown.set(this.#dueMs);
    this.#dueMs = grown;
  }
}

class Item implements Alarm {
  readonly callback: () => void;
  /** Its number among all times that any was set. */
  order = 0;
  /** In the heap. */
  place = NOWHERE;
  readonly #agenda: Agenda;

  constructor(callback: () => void, agenda: Agenda) {
    this.callback = callback;
    this.#agenda = agenda;
  }

  set(delayMs: number): void {
    this.#agenda.remove(this);
    this.#agenda.add(this, delayMs);
  }

  cancel(): void {
    this.#agenda.remove(this);
  }

  get dueMs(): number | null {
    return this.#agenda.dueOf(this);
  }
}
