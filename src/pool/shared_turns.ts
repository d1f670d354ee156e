/**
 * The position of a pool's round-robin in shared memory. Every worker has two places in which it
 * writes a turn, and one word says whose place holds the last one: a turn is written aside and
 * published by compare-and-swap. The place that the word names is never written.
 */
import { drawSeed, type Turns } from '../balance/turns.js';
import type { PoolId, WorkerId } from '../core/brand.js';
import { MAX_POOLS, MAX_WORKERS } from '../core/limits.js';
import type { Random } from '../core/random.js';

const PLACES = MAX_WORKERS * 2;
/** Of the word: a number that changes with each move, above the place. */
const PLACE_BITS = 7;
const PLACE_MASK = (1 << PLACE_BITS) - 1;
/** A pool's words: one for the last turn, one for the seed. */
const WORDS = 2;
/** A turn: its time and its rank. */
const TURN = 2;

const TURNS_AT = MAX_POOLS * WORDS * Int32Array.BYTES_PER_ELEMENT;
export const TURN_BYTES = TURNS_AT + MAX_POOLS * PLACES * TURN * Float64Array.BYTES_PER_ELEMENT;

export class SharedTurns implements Turns {
  at = 0;
  rank = -1;
  readonly #words: Int32Array;
  readonly #turns: Float64Array;
  readonly #place: number;

  /** `byteOffset`: where TURN_BYTES of `memory` begin, a multiple of 8. */
  constructor(memory: ArrayBufferLike, byteOffset: number, pool: PoolId, worker: WorkerId) {
    const words = byteOffset + pool * WORDS * Int32Array.BYTES_PER_ELEMENT;
    const turns = byteOffset + TURNS_AT + pool * PLACES * TURN * Float64Array.BYTES_PER_ELEMENT;
    this.#words = new Int32Array(memory, words, WORDS);
    this.#turns = new Float64Array(memory, turns, PLACES * TURN);
    this.#place = worker * 2;
  }

  get drawn(): number {
    return Atomics.load(this.#words, 1);
  }

  seed(random: Random): number {
    const known = Atomics.load(this.#words, 1);
    if (known !== 0) return known;
    const own = drawSeed(random);
    return Atomics.compareExchange(this.#words, 1, 0, own) || own;
  }

  read(): number {
    const word = Atomics.load(this.#words, 0);
    const at = (word & PLACE_MASK) * TURN;
    this.at = this.#turns[at] ?? 0;
    // No turn has been given yet.
    this.rank = word === 0 ? -1 : (this.#turns[at + 1] ?? 0);
    return word;
  }

  tryMove(token: number, at: number, rank: number): boolean {
    const named = Atomics.load(this.#words, 0);
    if (named !== token) return false;
    // Only this worker makes the word name one of its places, so the other one is free.
    const place = (named & PLACE_MASK) === this.#place ? this.#place + 1 : this.#place;
    this.#turns[place * TURN] = at;
    this.#turns[place * TURN + 1] = rank;
    const next = (((token >>> PLACE_BITS) + 1) << PLACE_BITS) | place | 0;
    return Atomics.compareExchange(this.#words, 0, token, next) === token;
  }
}
