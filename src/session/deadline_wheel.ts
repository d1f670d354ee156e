/**
 * Deadlines of many sessions in constant time: a hierarchical timing wheel (Varghese and Lauck,
 * "Hashed and hierarchical timing wheels", 1987, section 6.2) over typed arrays. An entry stands at
 * the level of the highest base-64 digit in which its tick differs from the current one, so every
 * entry of a level is due before every entry of the next, and no slot ever wraps around.
 */
import { assert } from '../core/assert.js';

const SLOT_BITS = 6;
const SLOTS = 1 << SLOT_BITS;
/** 64^8 = 2^48 ticks: 8,900 years of 1 ms. */
const LEVELS = 8;
const MAX_TICK = SLOTS ** LEVELS - 1;
/** Ticks that one slot of a level spans. */
const SPAN_TICKS = Float64Array.from({ length: LEVELS + 1 }, (_, level) => SLOTS ** level);
const NONE = -1;

export class DeadlineWheel {
  readonly #resolutionMs: number;
  /** A whole number, so that a tick's time is exact and `advance(nextMs())` always moves on. */
  readonly #originMs: number;
  /** Everything due up to this tick has been looked at. */
  #currentTick = 0;
  /** The tick that `advance` is on its way to: what is set meanwhile comes after it. */
  #targetTick = 0;
  /** The last `advance` left some at the current tick. */
  #isCut = false;

  /**
   * By id: the tick that it is due at, its slot (NONE: not armed) and its neighbours in the slot.
   */
  readonly #tick: Float64Array;
  readonly #slot: Int16Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #heads = new Int32Array(LEVELS * SLOTS).fill(NONE);
  /** Two words a level: a bit for each slot that is not empty. */
  readonly #occupied = new Int32Array(LEVELS * 2);

  /** Ids are 0 to `capacity` - 1; `resolutionMs` is a whole number of milliseconds, 1 or more. */
  constructor(capacity: number, nowMs: number, resolutionMs = 10) {
    assert(Number.isInteger(resolutionMs) && resolutionMs > 0, 'a wheel has a whole resolution');
    this.#resolutionMs = resolutionMs;
    this.#originMs = Math.floor(nowMs);
    this.#tick = new Float64Array(capacity);
    this.#slot = new Int16Array(capacity).fill(NONE);
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
  }

  /** Arms or re-arms `id` for `atMs`; Infinity clears it. A time in the past is due at once. */
  set(id: number, atMs: number): void {
    assert(
      id >= 0 && id < this.#slot.length && !Number.isNaN(atMs),
      'a deadline has an id and a time',
    );
    if (this.#slot[id] !== NONE) this.#unlink(id);
    if (atMs === Number.POSITIVE_INFINITY) return;
    const wanted = Math.ceil((atMs - this.#originMs) / this.#resolutionMs);
    this.#tick[id] = Math.min(Math.max(wanted, this.#targetTick + 1), MAX_TICK);
    this.#link(id);
  }

  clear(id: number): void {
    if (this.#slot[id] !== NONE) this.#unlink(id);
  }

  /**
   * Calls `expire` for each id whose time has come, in order of ticks: never before its time, and
   * less than the resolution after it, unless more than `most` are due: the others are left to the
   * next call, which is due at once. `expire` may set and clear any id, its own included; what it
   * sets is left to the next call.
   */
  advance(nowMs: number, expire: (id: number) => void, most = Number.POSITIVE_INFINITY): void {
    const target = Math.floor((nowMs - this.#originMs) / this.#resolutionMs);
    if (target < this.#currentTick || (target === this.#currentTick && !this.#isCut)) return;
    this.#targetTick = target;
    this.#isCut = false;
    let left = most;
    for (;;) {
      const level = this.#lowestLevel();
      if (level === NONE) break;
      const slot = this.#firstSlot(level);
      const startTick = this.#startTick(level, slot);
      if (startTick > target) break;
      this.#currentTick = startTick;
      const head = level * SLOTS + slot;
      for (let id = this.#heads[head] ?? NONE; id !== NONE; id = this.#heads[head] ?? NONE) {
        if (level === 0 && left-- <= 0) {
          this.#isCut = true;
          return;
        }
        this.#unlink(id);
        if (level === 0) expire(id);
        else this.#link(id);
      }
    }
    this.#currentTick = target;
  }

  /**
   * When to call `advance`: never more than the resolution late, may be early; Infinity when empty.
   */
  nextMs(): number {
    const level = this.#lowestLevel();
    if (level === NONE) return Number.POSITIVE_INFINITY;
    const startTick = this.#startTick(level, this.#firstSlot(level));
    return this.#originMs + startTick * this.#resolutionMs;
  }

  #link(id: number): void {
    const tick = this.#tick[id] ?? 0;
    let level = 0;
    while (!this.#sameBlock(tick, level + 1)) level++;
    const digit = Math.floor(tick / (SPAN_TICKS[level] ?? 1)) % SLOTS;
    const slot = level * SLOTS + digit;
    const second = this.#heads[slot] ?? NONE;
    this.#slot[id] = slot;
    this.#previous[id] = NONE;
    this.#next[id] = second;
    this.#heads[slot] = id;
    if (second !== NONE) this.#previous[second] = id;
    else {
      const word = slot >> 5;
      this.#occupied[word] = (this.#occupied[word] ?? 0) | (1 << (slot & 31));
    }
  }

  #unlink(id: number): void {
    const slot = this.#slot[id] ?? 0;
    const next = this.#next[id] ?? NONE;
    const previous = this.#previous[id] ?? NONE;
    this.#slot[id] = NONE;
    if (next !== NONE) this.#previous[next] = previous;
    if (previous !== NONE) {
      this.#next[previous] = next;
      return;
    }
    this.#heads[slot] = next;
    if (next === NONE) {
      const word = slot >> 5;
      this.#occupied[word] = (this.#occupied[word] ?? 0) & ~(1 << (slot & 31));
    }
  }

  /** True when `tick` and the current tick agree in all digits from `level` up. */
  #sameBlock(tick: number, level: number): boolean {
    const span = SPAN_TICKS[level] ?? 1;
    return Math.floor(tick / span) === Math.floor(this.#currentTick / span);
  }

  #lowestLevel(): number {
    for (let level = 0; level < LEVELS; level++) {
      if (this.#occupied[2 * level] !== 0 || this.#occupied[2 * level + 1] !== 0) return level;
    }
    return NONE;
  }

  /** The first slot of a level that is not empty. */
  #firstSlot(level: number): number {
    const low = this.#occupied[2 * level] ?? 0;
    if (low !== 0) return trailingZeros(low);
    return 32 + trailingZeros(this.#occupied[2 * level + 1] ?? 0);
  }

  #startTick(level: number, slot: number): number {
    const block = SPAN_TICKS[level + 1] ?? 1;
    const blockStart = Math.floor(this.#currentTick / block) * block;
    return blockStart + slot * (SPAN_TICKS[level] ?? 1);
  }
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}
